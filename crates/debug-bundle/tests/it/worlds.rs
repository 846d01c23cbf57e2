//! Every world whose fault the analyzers know: the finding comes first, wrong ones stay away.

use fly_sim::World;
use ops_cli::Exit;

use crate::Bench;

/// Rules that exist; worlds name others that will.
const KNOWN: [&str; 5] = [
    "machine.oom",
    "machine.crash_loop",
    "machine.none_started",
    "check.failing",
    "platform.incident",
];

async fn findings(world: &str) -> Vec<(String, String)> {
    let bench = Bench::new(world).await;
    let ran = bench.run(&["demo"]).await;
    let bundle = ran.unpack();
    let analysis = bundle.json("analysis.json");
    let list = analysis["findings"].as_array().unwrap();
    list.iter()
        .map(|it| {
            (it["rule"].as_str().unwrap().to_owned(), it["severity"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_of_each_world_is_the_top_finding() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for name in fly_sim::WORLD_NAMES {
        let world = World::named(name).unwrap();
        let Some(expect) = world.expect() else { continue };
        let Some(wanted) = expect.finding.as_deref().filter(|id| KNOWN.contains(id)) else {
            continue;
        };
        seen += 1;
        let found = findings(name).await;
        if found.first().map(|it| it.0.as_str()) != Some(wanted)
            || expect.never.iter().any(|never| found.iter().any(|it| it.0 == *never))
        {
            wrong.push(format!("{name}: wanted {wanted}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 5, "only {seen} worlds were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_worlds_give_no_alarm() {
    for name in ["healthy", "healthy-noisy", "none-started-healthy"] {
        let alarms: Vec<_> = findings(name)
            .await
            .into_iter()
            .filter(|it| matches!(it.1.as_str(), "critical" | "error"))
            .collect();
        assert!(alarms.is_empty(), "{name}: {alarms:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_points_into_the_bundle() {
    let bench = Bench::new("oom").await;
    let ran = bench.run(&["demo", "--fail-on", "critical"]).await;
    assert_eq!(ran.exit, Exit::Findings);
    let bundle = ran.unpack();
    let analysis = bundle.json("analysis.json");
    let finding = &analysis["findings"][0];
    assert_eq!(finding["rule"], "machine.oom");
    assert!(!finding["evidence"].as_array().unwrap().is_empty());
    for evidence in finding["evidence"].as_array().unwrap() {
        let source = evidence["source"].as_str().unwrap();
        match evidence["location"]["kind"].as_str().unwrap() {
            "json" => {
                let pointer = evidence["location"]["pointer"].as_str().unwrap();
                let event = bundle.json(source).pointer(pointer).cloned().unwrap();
                assert_eq!(event["request"]["exit_event"]["oom_killed"], true, "{event}");
            }
            "line" => {
                let line = usize::try_from(evidence["location"]["line"].as_u64().unwrap()).unwrap();
                let text = bundle.text(source);
                assert!(
                    text.lines().nth(line - 1).unwrap().contains("Out of memory: Killed process")
                );
            }
            other => panic!("{other}"),
        }
    }
    assert!(ran.stdout.contains("CRITICAL machine.oom"), "{}", ran.stdout);
    assert!(bundle.text("summary.txt").contains("VERDICT: CRITICAL (machine.oom)"));
    assert!(bundle.text("ticket.md").contains("`148e21ea7e4389`"));
}
