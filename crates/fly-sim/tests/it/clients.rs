//! Machines clients that other people wrote, pinned and installed by this test, against a simulation on the wall clock.
//!
//! Each driver below `tests/clients` prints what its client made of every answer. Where `npm` or `python3` is absent the
//! test says so; with them, a registry that cannot be reached fails it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fly_sim::{Options, Sim, World};
use serde_json::Value;

fn drivers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the test's subject is another program")]
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

fn present(program: &str) -> bool {
    let found = command(program).arg("--version").stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

/// Runs a driver next to the simulation and reads what it printed.
async fn drive(mut driver: Command) -> Value {
    let sim = Sim::start(World::named("healthy").unwrap(), Options::default()).await.unwrap();
    driver.arg(sim.url());
    let printed = tokio::task::spawn_blocking(move || run(&mut driver)).await.unwrap();
    let seen = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    let lost: Vec<_> = sim.requests().into_iter().filter(|r| r.route.is_none()).collect();
    assert!(lost.is_empty(), "asked for unknown routes: {lost:?}");
    seen
}

fn error<'a>(seen: &'a Value, step: &str) -> &'a str {
    seen[step]["error"].as_str().unwrap_or_else(|| panic!("{step} did not fail: {seen:#}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fly_admin_from_npm_goes_through_a_life() {
    if !present("npm") || !present("node") {
        println!("skipped: npm is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(drivers().join(name), folder.path().join(name)).unwrap();
    }
    run(command("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder.path()));
    let mut driver = command("node");
    driver
        .arg(drivers().join("fly-admin.cjs"))
        .env("NODE_PATH", folder.path().join("node_modules"));
    let seen = drive(driver).await;
    let refused =
        ["stopLeased", "startAgain", "deleteBoundVolume", "deleteRunning", "getNoMachine"];
    for (step, result) in seen.as_object().unwrap() {
        let failed = result.get("error").is_some();
        assert_eq!(failed, refused.contains(&step.as_str()), "{step}: {result}");
    }
    assert!(seen.as_object().unwrap().len() > 30, "{seen:#}");
    assert!(error(&seen, "stopLeased").starts_with("409: "));
    assert!(error(&seen, "startAgain").contains("machine still active, refusing to start"));
    assert!(error(&seen, "deleteRunning").contains("not currently stopped"));
    assert_eq!(seen["waitStopped"]["ok"]["state"], "stopped");
    assert_eq!(seen["listVersions"]["ok"].as_array().unwrap().len(), 2);
    assert_eq!(seen["extendVolume"]["ok"]["volume"]["size_gb"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flaude_from_pypi_goes_through_a_life() {
    if !present("python3") {
        println!("skipped: python3 is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("venv");
    run(command("python3").args(["-m", "venv"]).arg(&place));
    let python = place.join("bin/python");
    let wanted = drivers().join("requirements.txt");
    run(command(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(wanted));
    let mut driver = command(&python);
    driver.arg(drivers().join("flaude_client.py"));
    let seen = drive(driver).await;
    for (step, result) in seen.as_object().unwrap() {
        assert_eq!(result.get("error").is_some(), step == "getNone", "{step}: {result}");
    }
    assert!(error(&seen, "getNone").starts_with("FlyAPIError: Fly API error 404"));
    assert_eq!(seen["waitExit"]["ok"], "('stopped', 0)");
}
