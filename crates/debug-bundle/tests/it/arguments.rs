//! What is refused before any request, what `--plan` shows, where output goes.

use ops_cli::Exit;

use crate::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_before_any_request() {
    let bench = Bench::new("healthy").await;
    let taken = bench.directory.path().join("out/taken.tar.gz");
    std::fs::write(&taken, "precious").unwrap();
    std::fs::write(bench.directory.path().join("out/short.key"), "short").unwrap();
    for (words, said) in [
        (&["No_Such"][..], "invalid app name 'No_Such'"),
        (&["demo", "--since", "yesterday"], "invalid --since 'yesterday'"),
        (&["demo", "--since", "1h", "--until", "2h"], "invalid --until '2h'"),
        (&["demo", "--only", "everything"], "invalid --only 'everything'"),
        (&["demo", "--app", "other"], "two apps are named"),
        (&["demo", "--output", "taken.tar.gz"], "exists already"),
        (&["demo", "--output", "no/such/place.tar.gz"], "there is no directory"),
        (&["demo", "--output", "nowhere/"], "there is no directory"),
        (&["demo", "--pseudonym-key", "no.key"], "cannot read the pseudonym key"),
        (&["demo", "--token-file", "no.token"], "token file"),
    ] {
        let ran = bench.run(words).await;
        assert_eq!(ran.exit, Exit::Usage, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{words:?}");
    }
    let short = bench.directory.path().join("out/short.key");
    let ran = bench.run(&["demo", "--pseudonym-key", short.to_str().unwrap()]).await;
    assert!(ran.stderr.contains("at least") || ran.stderr.contains("16"), "{}", ran.stderr);
    assert!(bench.sim.requests().is_empty());
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_calls_files_and_the_least_token_and_runs_nothing() {
    let bench = Bench::new("healthy").await;
    let ran = bench.run(&["demo", "--plan", "--no-logs"]).await;
    assert_eq!(ran.exit, Exit::Ok);
    for said in [
        "GET api.machines.dev/v1/apps/{app}/machines",
        "machines/list.json",
        "1 per started Machine",
        "left out by --no-logs",
        "fly tokens create readonly",
    ] {
        let flat = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "{said}: {}", ran.stdout);
    }
    let json = bench.run(&["demo", "--plan", "--json"]).await;
    let plan: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(plan["collectors"].as_array().unwrap().len(), debug_bundle::collect::all().len());
    assert!(bench.sim.requests().is_empty());
    assert!(json.archives.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn selection_json_quiet_and_standard_output() {
    let bench = Bench::new("healthy").await;
    let ran = bench.run(&["demo", "--only", "ps", "--json"]).await;
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["status"], "complete");
    let bundle = ran.unpack();
    let ids = bundle
        .manifest
        .collectors
        .iter()
        .filter(|it| it.started_at.is_some())
        .map(|it| it.id.as_str());
    assert_eq!(ids.collect::<Vec<_>>(), ["machines", "ps"]);
    std::fs::remove_file(&ran.archives[0]).unwrap();
    let quiet = bench.run(&["demo", "--only", "regions", "--quiet"]).await;
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout.trim(), quiet.archives[0].to_str().unwrap());
    std::fs::remove_file(&quiet.archives[0]).unwrap();
    let piped = bench.run(&["demo", "--only", "regions", "--output", "-"]).await;
    assert!(piped.archives.is_empty());
    assert!(piped.stderr.contains("standard output"), "{}", piped.stderr);
    // Not text; the captured copy says at least that it is there and nothing else is.
    assert!(piped.stdout.starts_with('\u{1f}'), "gzip magic");
}
