//! `plan` for one app from outside: files beside the plan, the run that destroys the old side, widths, scripts.

use crate::bench::Net;
use crate::live::{Live, PLAN};
use crate::saga::{STATELESS, VOLUME};

async fn lines(live: &Live, words: &[&str]) -> usize {
    let state = live.world.state().await;
    state.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[tokio::test]
async fn the_old_side_goes_in_the_same_run_only_on_request_and_with_the_name_typed() {
    for world in [STATELESS, VOLUME] {
        let live = Live::new(&Net::new(), world).await;
        let made = live.run(&[&PLAN[..], &["--no-soak"]].concat()).await;
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        assert!(made.stdout.contains("no old side to go back to"), "{}", made.stdout);
        let old = lines(&live, &["machine", "in fra"]).await;
        assert!(old > 0);
        for (more, words) in
            [(&["--yes"][..], "--confirm shop"), (&["--confirm", "other"], "must be typed")]
        {
            let refused = live.run(&[&["region", "apply", "plan.json"][..], more].concat()).await;
            assert_eq!(refused.code, Some(4), "{}", refused.stderr);
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
            assert_eq!(lines(&live, &["machine", "in fra"]).await, old);
        }
        let done = live.run(&["region", "apply", "plan.json", "--confirm", "shop"]).await;
        assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
        assert_eq!(lines(&live, &["in fra"]).await, 0, "{}", live.world.state().await);
        assert!(lines(&live, &["machine", "in ams running"]).await > 0);
    }
    for world in [STATELESS, VOLUME] {
        let live = Live::new(&Net::new(), world).await;
        let plan = live.plan().await;
        let kinds: Vec<&str> = plan.plan().steps().map(|step| step.kind.as_str()).collect();
        assert!(!kinds.iter().any(|kind| kind.starts_with("destroy_")), "{kinds:?}");
    }
}

#[tokio::test]
async fn the_patch_of_fly_toml_is_written_beside_the_plan_and_the_file_is_left_alone() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let text = "app = \"shop\" # mine\nprimary_region = \"fra\"\n";
    let file = live.sandbox.work().join("shop.toml");
    std::fs::write(&file, text).unwrap();
    let made =
        live.run(&[&PLAN[..], &["--fly-toml", "shop.toml", "--out", "move.json"]].concat()).await;
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let patch = std::fs::read_to_string(live.sandbox.work().join("move.fly.toml.patch")).unwrap();
    assert!(patch.starts_with("--- a/shop.toml\n+++ b/shop.toml\n"), "{patch}");
    assert!(made.stderr.contains("git apply move.fly.toml.patch"), "{}", made.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    std::fs::write(&file, "app = \"blog\"\n").unwrap();
    let other = live.run(&[&PLAN[..], &["--fly-toml", "shop.toml"]].concat()).await;
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("is for app blog, not shop"), "{}", other.stderr);
    let missing = live.run(&[&PLAN[..], &["--fly-toml", "none.toml"]].concat()).await;
    assert_eq!(missing.code, Some(2), "{}", missing.stderr);
}

#[tokio::test]
async fn a_plan_fits_the_terminal() {
    let live = Live::new(&Net::new(), VOLUME).await;
    let sealed = live.plan().await;
    for width in [80_u16, 120] {
        let text = migrate::region::show::text(&sealed, width);
        let long: Vec<&str> =
            text.lines().filter(|line| line.chars().count() > usize::from(width)).collect();
        assert!(long.is_empty(), "{width}: {long:#?}");
        for words in
            ["CHECKLIST", "why: ", "$ fly ", "until #", "list prices of 2026-08-07", "H04 #"]
        {
            assert!(text.contains(words), "{words} at {width}: {text}");
        }
        println!("{text}");
    }
}

#[tokio::test]
async fn the_script_is_one_that_the_shell_reads() {
    for world in [STATELESS, VOLUME, crate::plan_steps::PRIMARY] {
        let live = Live::new(&Net::new(), world).await;
        live.plan().await;
        let shown = live.run(&["region", "show", "plan.json", "--script"]).await;
        let file = live.sandbox.work().join("move.sh");
        std::fs::write(&file, &shown.stdout).unwrap();
        let read = std::process::Command::new("bash").arg("-n").arg(&file).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        // Where it is installed, it is asked, too.
        if let Ok(checked) = std::process::Command::new("shellcheck").arg(&file).output() {
            assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        }
    }
}

#[tokio::test]
async fn gates_say_in_which_state_they_are() {
    let live = Live::new(&Net::new(), VOLUME).await;
    let waived = live.run(&[&PLAN[..], &["--waive-backup", "it is a copy"]].concat()).await;
    assert_eq!(waived.code, Some(0), "{}", waived.stderr);
    let done = live.run(&["--json", "region", "apply", "plan.json", "--confirm", "shop"]).await;
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let of = |id: &str| {
        let steps = report["steps"].as_array().unwrap();
        steps.iter().find(|step| step["id"] == id).unwrap()["outputs"].clone()
    };
    for gate in ["documented", "names", "room", "accounted"] {
        assert_eq!(of(gate)["state"], "passed", "{gate}: {}", of(gate));
    }
    for (gate, why) in [("backup", "it is a copy"), ("rehearsal", "a test")] {
        assert_eq!(of(gate)["state"], "waived", "{gate}: {}", of(gate));
        assert_eq!(of(gate)["why"], why);
        assert!(of(gate)["by"].as_str().is_some_and(|by| !by.is_empty()));
    }
}
