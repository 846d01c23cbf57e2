//! When things are broken: always a complete, marked archive or none, the right exit code, one message.

use debug_bundle::manifest::{BundleStatus, Status};
use ops_cli::{Exit, Signal};

use crate::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_api() {
    let mut bench = Bench::new("healthy").await;
    for name in
        ["FLY_FLAPS_BASE_URL", "FLY_API_BASE_URL", "FLY_UIEX_BASE_URL", "FLY_STATUSPAGE_BASE_URL"]
    {
        // Port 9 of loopback: nobody is there.
        bench.set(name, "http://127.0.0.1:9");
    }
    bench.set("FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL", "http://127.0.0.1:9/v1/incidents");
    let ran = bench.run(&["demo", "--deadline", "8s"]).await;
    assert_eq!(ran.exit, Exit::Incomplete);
    let bundle = ran.unpack();
    assert_eq!(bundle.collector("machines").status, Status::Failed);
    assert_eq!(bundle.collector("ps").status, Status::Skipped);
    assert_eq!(bundle.collector("host").status, Status::Ok);
    assert!(bundle.collector("machines").lost_findings.contains(&"machine.oom".to_owned()));
    let not_judged = bundle.json("analysis.json");
    assert!(not_judged["not_judged"].as_array().unwrap().len() >= 5);
    assert!(!bundle.text("self/errors.ndjson").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_a_wrong_token_and_an_unknown_app() {
    let mut bench = Bench::new("healthy").await;
    bench.unset("FLY_API_TOKEN");
    let ran = bench.run(&["demo"]).await;
    assert_eq!(ran.exit, Exit::Incomplete);
    let bundle = ran.unpack();
    assert_eq!(bundle.collector("machines").reason.as_ref().unwrap().code, "no_token");
    assert_eq!(bundle.collector("incidents").status, Status::Ok);
    assert!(bundle.text("summary.txt").contains("token      not set"));

    let expired = Bench::new("token-expired").await;
    let ran = expired.run(&["demo"]).await;
    assert_eq!(ran.exit, Exit::Incomplete);
    assert_eq!(ran.unpack().collector("machines").status, Status::Denied);
    assert!(ran.stdout.contains("fly auth login"), "{}", ran.stdout);

    let bench = Bench::new("healthy").await;
    let ran = bench.run(&["no-such-app"]).await;
    assert_eq!(ran.exit, Exit::Incomplete);
    let bundle = ran.unpack();
    assert!(matches!(bundle.collector("machines").status, Status::NotFound | Status::Denied));
    assert_eq!(bundle.manifest.status, BundleStatus::Degraded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_one_collector() {
    let mut bench = Bench::new("oom").await;
    bench.set("FLY_OPS_TEST_FAULT", "panic:ps");
    let ran = bench.run(&["demo"]).await;
    assert_eq!(ran.exit, Exit::Incomplete);
    let bundle = ran.unpack();
    assert_eq!(bundle.collector("ps").status, Status::Failed);
    assert_eq!(bundle.collector("ps").reason.as_ref().unwrap().code, "panic");
    assert_eq!(bundle.json("analysis.json")["findings"][0]["rule"], "machine.oom");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_collector_costs_its_own_time() {
    let mut bench = Bench::new("oom").await;
    bench.set("FLY_OPS_TEST_FAULT", "hang:machines");
    let ran = bench.run(&["demo", "--deadline", "2s"]).await;
    assert_eq!(ran.exit, Exit::Incomplete);
    let bundle = ran.unpack();
    assert_eq!(bundle.collector("machines").status, Status::Timeout);
    assert_eq!(bundle.collector("ps").status, Status::Skipped);
    assert_eq!(bundle.collector("app").status, Status::Ok);
    assert_eq!(bundle.manifest.status, BundleStatus::Partial);
    assert!(bundle.manifest.partial_reason.as_ref().unwrap().contains("machines"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_means_no_archive() {
    let mut bench = Bench::new("oom").await;
    bench.set("FLY_OPS_TEST_FAULT", "leak:machines");
    let ran = bench.run(&["demo"]).await;
    assert_eq!(ran.exit, Exit::VerificationFailed);
    assert!(ran.archives.is_empty());
    assert!(ran.stderr.contains("still holds a secret (Fly.io token, line 1)"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("THISisNOTaREALtoken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_gives_a_smaller_archive() {
    for (signal, exit) in
        [(Signal::Interrupt, Exit::Interrupted), (Signal::Terminate, Exit::Terminated)]
    {
        let mut bench = Bench::new("oom").await;
        bench.set("FLY_OPS_TEST_FAULT", "hang:machines");
        let ran = bench
            .run_after(&["demo"], |context| {
                let cancel = context.cancel.clone();
                tokio::spawn(async move { cancel.request(signal) });
            })
            .await;
        assert_eq!(ran.exit, exit);
        let bundle = ran.unpack();
        assert_eq!(bundle.manifest.status, BundleStatus::Partial);
        assert_eq!(bundle.collector("machines").status, Status::Canceled);
        assert!(ran.stdout.contains("interrupted by SIG"), "{}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flyctl_is_asked_and_its_lie_is_not_believed() {
    let mut bench = Bench::new("healthy").await;
    // Its doctor leaves the machine, so it is not run under this variable.
    let script = "#!/bin/sh\ncase \"$1\" in\n\
        version) echo '{\"Name\":\"flyctl\",\"Version\":\"0.4.87\",\"Commit\":\"c0ffee\",\"BuildDate\":\"x\",\"OS\":\"linux\",\"Architecture\":\"amd64\",\"Environment\":\"production\"}' ;;\n\
        doctor) echo \"saw token of ${#FLY_API_TOKEN} letters\" >&2; echo '{\"auth\":\"ok\",\"agent\":\"no answer\"}' ;;\nesac\n";
    let bin = bench.directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let program = bin.join("flyctl");
    std::fs::write(&program, script).unwrap();
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    bench.set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    let confined = bench.run(&["demo", "--only", "flyctl"]).await;
    let bundle = confined.unpack();
    assert_eq!(bundle.collector("flyctl").reason.as_ref().unwrap().code, "loopback_only");
    assert!(bundle.files.contains_key("flyctl/version.json"));
    std::fs::remove_file(&confined.archives[0]).unwrap();
    bench.unset("FLY_OPS_LOOPBACK_ONLY");
    let bundle = bench.run(&["demo", "--only", "flyctl"]).await.unpack();
    let flyctl = bundle.collector("flyctl");
    assert_eq!((flyctl.status, flyctl.exit_code), (Status::Ok, Some(0)));
    assert_eq!(flyctl.command.len(), 2);
    let doctor = bundle.json("flyctl/doctor.json");
    assert_eq!(doctor["value"]["checks"][1]["passed"], false);
    assert!(bundle.text(flyctl.stderr_file.as_ref().unwrap()).contains("saw token of"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_in_trouble_is_told_as_it_is() {
    let bench = Bench::new("flaky-api").await;
    let ran = bench.run(&["demo", "--deadline", "12s"]).await;
    let bundle = ran.unpack();
    let calls: usize = bundle.manifest.collectors.iter().map(|it| it.requests.len()).sum();
    assert!(calls > 5);
    assert!(matches!(ran.exit, Exit::Ok | Exit::Incomplete));
}
