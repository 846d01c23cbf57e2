//! The helpers themselves: a helper that does nothing makes every test green.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use test_kit::{Outcome, Sandbox, SimProcess, binary, scan, sim};

#[test]
fn a_sandbox_hides_the_developer() {
    let mut sandbox = Sandbox::new().unwrap();
    sandbox.set("GREETING", "hello");
    let seen = sandbox.run("env", [] as [&str; 0]).unwrap();
    let home = format!("HOME={}\n", sandbox.path("home").display());
    assert!(seen.stdout.contains(&home) && seen.stdout.contains("GREETING=hello\n"));
    for foreign in ["CARGO", "USER=", "SSH_", "/root"] {
        assert!(!seen.stdout.contains(foreign), "{foreign} in {}", seen.stdout);
    }
    let place = sandbox.run("sh", ["-c", "pwd -P; umask; tty"]).unwrap();
    let work = sandbox.work().canonicalize().unwrap();
    assert_eq!(place.stdout, format!("{}\n0022\nnot a tty\n", work.display()));
}

#[test]
fn outcomes_tell_exit_from_signal() {
    let sandbox = Sandbox::new().unwrap();
    sandbox
        .script("ends", "echo out; echo err >&2; [ \"$1\" = kill ] && kill -KILL $$; exit 7")
        .unwrap();
    let outcome =
        |code, signal| Outcome { code, signal, stdout: "out\n".into(), stderr: "err\n".into() };
    assert_eq!(sandbox.run("ends", ["exit"]).unwrap(), outcome(Some(7), None));
    assert_eq!(sandbox.run("ends", ["kill"]).unwrap(), outcome(None, Some(9)));
    assert_eq!(sandbox.run("no-such-program", ["x"]).unwrap().code, Some(127));
}

#[test]
fn a_canary_is_found_wherever_it_sits() {
    let sandbox = Sandbox::new().unwrap();
    let root = sandbox.path("tree");
    fs::create_dir_all(root.join("a/b-CANARY1")).unwrap();
    fs::write(root.join("a/b-CANARY1/plain"), "xxCANARY2 CANARY2").unwrap();
    fs::write(root.join("binary"), b"\xff\xfeCANARCANARY1\0").unwrap();
    fs::write(root.join("clean"), "canary1").unwrap();
    std::os::unix::fs::symlink("/nowhere/CANARY2", root.join("link")).unwrap();
    let hits = scan(&root, &["CANARY1", "CANARY2"]).unwrap();
    let short: Vec<_> = hits
        .iter()
        .map(|hit| {
            let path = hit.path.strip_prefix(&root).unwrap().to_str().unwrap();
            (path, hit.offset, hit.canary.as_str())
        })
        .collect();
    assert_eq!(
        short,
        [
            ("a/b-CANARY1", None, "CANARY1"),
            ("a/b-CANARY1/plain", Some(2), "CANARY2"),
            ("binary", Some(7), "CANARY1"),
            ("link", Some(9), "CANARY2"),
        ]
    );
    assert!(scan(&root.join("clean"), &["CANARY"]).unwrap().is_empty());
    assert!(scan(&root.join("missing"), &["CANARY"]).is_err());
}

#[test]
fn the_fake_fly_prints_recordings() {
    let sandbox = Sandbox::new().unwrap();
    sandbox.fake_fly().unwrap();
    let version = sandbox.run("fly", ["version", "--json"]).unwrap();
    assert!(version.code == Some(0) && version.stdout.contains("\"Version\""), "{version:?}");
    assert_eq!(sandbox.run("fly", ["no-recording-of-this"]).unwrap().code, Some(90));
}

#[test]
fn a_simulator_process_serves_and_ends() {
    let process = SimProcess::start("oom").unwrap();
    let url = process.var("FLY_FLAPS_BASE_URL").unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap();
    assert!(std::net::TcpStream::connect(address).is_ok());
    drop(process);
    assert!(std::net::TcpStream::connect(address).is_err());
    assert!(SimProcess::start("no-such-world").is_err());
}

#[tokio::test]
async fn a_world_in_this_process() {
    let running = sim("oom").await.unwrap();
    assert!(running.url().starts_with("http://127.0.0.1:"));
    assert!(sim("no-such-world").await.is_err());
    assert!(binary("fly-sim", "no-such-binary").is_err());
}
