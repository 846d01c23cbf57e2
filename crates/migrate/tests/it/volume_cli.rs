//! `fly-migrate volume` from outside: exit codes, questions, approvals, bad input.

use jiff::SignedDuration;
use runbook::approval::ApprovalFile;

use crate::bench::Net;
use crate::live::Live;
use crate::refusals::refused;

const WORLD: &str = include_str!("worlds/volumes.toml");
const DATA: &str = "vol_0000000000000001";
const ARCHIVE: &str = "vol_0000000000000002";

/// Beside those of the world: one of another app, one without a host, one in a withdrawn region, one that was destroyed.
const MORE: &str = r#"
[[apps.volumes]]
id = "vol_0000000000000003"
name = "lost"
region = "fra"
size_gb = 2
host_status = "unreachable"

[[apps.volumes]]
id = "vol_0000000000000004"
name = "gone"
region = "fra"
size_gb = 4
state = "pending_destroy"
snapshots = [{ id = "vs_gone", at = "-2h", size = 1048576 }]

[[apps]]
name = "other"

[[apps.volumes]]
id = "vol_0000000000000009"
name = "cache"
region = "ams"
size_gb = 1
"#;

async fn live() -> Live {
    Live::new(&Net::new(), &format!("{WORLD}{MORE}")).await
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').chain(["--app", "shop"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_changes_nothing() {
    let live = live().await;
    for (line, code, said) in [
        ("volume fork vol_0000000000000009 --yes", 4, &["has no volume", DATA][..]),
        ("volume fork vol_0000000000000003 --yes", 4, &["is unreachable", "volume restore"]),
        ("volume fork vol_0000000000000001 --size 3 --yes", 2, &["smaller than its 10 GB"]),
        ("volume fork vol_0000000000000001 --region yul --yes", 2, &["deprecated", "yyz"]),
        ("volume fork vol_0000000000000001 --name Data --yes", 2, &["no name of a volume"]),
        ("volume add data --size 501 --region fra --yes", 2, &["1 to 500"]),
        ("volume add data --size 3 --region xyz --yes", 2, &["no region"]),
        ("volume add data --size 3 --for 148e21ea7e4399 --yes", 4, &["no Machine", "machine list"]),
        (
            "volume restore vol_0000000000000002 --yes",
            4,
            &["no finished snapshot", "snapshots create"],
        ),
        (
            "volume restore vol_0000000000000001 --snapshot vs_x --yes",
            4,
            &["no finished snapshot vs_x", "vs_1"],
        ),
        ("volume restore vol_0000000000000001 --max-age 1 --yes", 4, &["3 hours old"]),
        ("volume restore vol_0000000000000004 --yes", 2, &["is destroyed", "--name"]),
        (
            "volume shrink vol_0000000000000001 --size 10 --yes",
            2,
            &["not smaller", "volumes extend"],
        ),
        ("volume shrink vol_0000000000000001 --size 2 --yes", 4, &["--confirm shop"]),
        ("volume shrink vol_0000000000000001 --size 2 --confirm other", 4, &["--confirm shop"]),
        ("volume fork vol_0000000000000001", 4, &["--yes"]),
        ("volume apply nothing.json --yes", 2, &["nothing.json"]),
        ("volume cleanup nothing", 2, &["nothing"]),
        ("volume check --config nothing.toml", 2, &["nothing.toml"]),
    ] {
        let out = live.run(&words(line)).await;
        println!("{line}: {}", out.stderr);
        refused(&live, &out, code, said);
    }
    for (line, said) in [("volume add data --size 3", "--region"), ("volume fork nonsense", "vol_")]
    {
        let out = live.run(&words(line)).await;
        assert_eq!(out.code, Some(2), "{}", out.stderr);
        assert!(out.stderr.contains(said), "{}", out.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_written_approved_by_somebody_else_and_carried_out_once() {
    let live = live().await;
    let planned =
        live.run(&words("volume fork vol_0000000000000001 --name copy --out fork.json")).await;
    assert_eq!(planned.code, Some(0), "{}", planned.stderr);
    assert!(planned.stderr.contains("volume apply fork.json"), "{}", planned.stderr);
    assert_eq!(live.writes(), Vec::<String>::new());
    let sealed = live.sealed("fork.json");
    let at = live.world.sim.now();
    let approve = |digest: &str, from: SignedDuration, name: &str| {
        let file = ApprovalFile {
            digest: serde_json::from_value(digest.into()).unwrap(),
            approver: "the other one".to_owned(),
            at: at + from,
            expires: at + from + SignedDuration::from_hours(1),
            typed: None,
        };
        std::fs::write(live.file(name), serde_json::to_string(&file).unwrap()).unwrap();
    };
    let digest = sealed.digest().to_string();
    approve(&digest, SignedDuration::from_hours(-2), "old.json");
    approve(&format!("{}0", &digest[..digest.len() - 1]), SignedDuration::ZERO, "other.json");
    approve(&digest, SignedDuration::from_secs(-1), "good.json");
    for (name, what) in
        [("old.json", "expired"), ("other.json", "another plan"), ("fork.json", "no approval")]
    {
        let out = live.run(&["volume", "apply", "fork.json", "--approval", name]).await;
        assert!(matches!(out.code, Some(2 | 4)), "{name}: {}", out.stderr);
        println!("{name}: {what}: {}", out.stderr);
        assert_eq!(live.writes(), Vec::<String>::new());
    }
    let apply = ["volume", "apply", "fork.json", "--approval", "good.json"];
    let applied = live.run(&apply).await;
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.stdout, applied.stderr);
    assert!(applied.stderr.contains("hydrating"), "progress: {}", applied.stderr);
    let again = live.run(&apply).await;
    assert_eq!(again.code, Some(4), "{}", again.stderr);
    let volumes = live.world.inventory().await.volumes;
    assert_eq!(volumes.iter().filter(|volume| volume.name == "copy").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_volume_comes_back_from_its_snapshot() {
    let live = live().await;
    let line = "volume restore vol_0000000000000004 --name gone --region ams --yes";
    let out = live.run(&words(line)).await;
    assert_eq!(out.code, Some(0), "{}\n{}", out.stdout, out.stderr);
    assert!(out.stdout.contains("2 hours old"), "{}", out.stdout);
    let volumes = live.world.inventory().await.volumes;
    let back = volumes.iter().find(|volume| volume.name == "gone").unwrap();
    assert_eq!((back.region.as_str(), back.size_gb), ("ams", 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_is_shrunk_shown_and_cleaned_up() {
    let live = live().await;
    let shrunk =
        live.run(&words("volume shrink vol_0000000000000001 --size 2 --confirm shop")).await;
    assert_eq!(shrunk.code, Some(0), "{}\n{}", shrunk.stdout, shrunk.stderr);
    let run = live.status().await["run"].as_str().unwrap().to_owned();
    let verified = live.run(&["region", "verify", &run]).await;
    assert_eq!(verified.code, Some(0), "{}\n{}", verified.stdout, verified.stderr);
    let wrong = live.run(&["region", "cleanup", &run, "--confirm", "shop"]).await;
    assert_eq!(wrong.code, Some(4), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("volume cleanup"), "{}", wrong.stderr);
    let shown = live.run(&["volume", "cleanup", &run, "--dry-run"]).await;
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains(DATA) && !shown.stdout.contains(ARCHIVE), "{}", shown.stdout);
    let unsaid = live.run(&["volume", "cleanup", &run]).await;
    assert_eq!(unsaid.code, Some(4), "{}", unsaid.stderr);
    let cleaned = live.run(&["volume", "cleanup", &run, "--confirm", "shop"]).await;
    assert_eq!(cleaned.code, Some(0), "{}\n{}", cleaned.stdout, cleaned.stderr);
    let volumes = live.world.inventory().await.volumes;
    let data: Vec<i64> = volumes
        .iter()
        .filter(|volume| volume.name == "data")
        .map(|volume| volume.size_gb)
        .collect();
    assert_eq!(data, [2]);
    let again = live.run(&["volume", "cleanup", &run, "--confirm", "shop"]).await;
    assert_eq!(again.code, Some(4), "{}", again.stderr);
    assert!(again.stderr.contains("cleaned up already"), "{}", again.stderr);
}

/// `df` of a Machine whose mount did not come up, and of one without a shell.
const INSIDE: &str = r#"
[[apps.machines.execs]]
command = "sh -c df -Pk /data"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_check_asks_from_inside_and_writes_nothing() {
    let exec = |rest: &str| {
        WORLD.replacen(
            "\n[[apps.machines.config.mounts]]",
            &format!("{INSIDE}{rest}\n\n[[apps.machines.config.mounts]]"),
            1,
        )
    };
    let root = "stdout = \"Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/vda 8154588 1 1 1% /\\n\"";
    let shell = "exit_code = 127\nstderr = \"sh: not found\"";
    for (world, code, what) in [
        (WORLD.to_owned(), 0, "volume.unattached"),
        (exec(root), 1, "nothing is mounted at /data: it is part of /"),
        (exec(shell), 0, "ended with 127: sh: not found"),
    ] {
        let live = Live::new(&Net::new(), &world).await;
        let out = live.run(&words("volume check --inside --fail-on critical --json")).await;
        assert_eq!(out.code, Some(code), "{what}: {}\n{}", out.stdout, out.stderr);
        assert!(out.stdout.contains(what), "{what}: {}", out.stdout);
        let writes = live.writes();
        assert!(writes.iter().all(|call| call.ends_with("/exec")), "{writes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_where_a_volume_is() {
    let live = live().await;
    for (wanted, what) in [
        ("vol_0000000000000009", "belongs to app other"),
        ("gone", "was destroyed"),
        ("dta", "no volume 'dta'"),
        (DATA, "Machine 148e21ea7e4301 has it"),
    ] {
        let line = format!("volume check {wanted} --fail-on error --json");
        let out = live.run(&words(&line)).await;
        let report: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
        assert!(report.to_string().contains(what), "{wanted}: {report}");
        // A lost host is an error in each of them.
        assert_eq!(out.code, Some(1), "{wanted}: {}", out.stdout);
    }
    assert_eq!(live.writes(), Vec::<String>::new());
    // A file of another app says nothing about this one.
    std::fs::write(
        live.file("fly.toml"),
        "app = 'other'\n[[mounts]]\nsource = 'nope'\ndestination = '/x'\n",
    )
    .unwrap();
    let out = live.run(&words("volume check --json")).await;
    assert!(!out.stdout.contains("volume.missing\",\"severity"), "{}", out.stdout);
    assert!(!out.stdout.contains("'nope'"), "{}", out.stdout);
}
