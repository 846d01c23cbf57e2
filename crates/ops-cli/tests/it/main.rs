//! A tool from outside: exit codes, streams, signals, panics. The tool is `src/bin/ops-cli-skeleton.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The tool in an empty environment and directory.
fn tool(directory: &std::path::Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "a black-box test of a program")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_ops-cli-skeleton"));
    command.env_clear().env("HOME", directory).current_dir(directory).stdin(Stdio::null());
    command
}

fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    tool(folder.path()).args(args).envs(env.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Exit code, then both streams, for snapshots.
fn report(output: &Output) -> String {
    format!(
        "exit {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr)
    )
}

#[test]
fn the_whole_surface_of_shared_options() {
    insta::assert_snapshot!(report(&run(&["config", "--help"], &[])));
    assert_eq!(run(&["--version"], &[]).status.code(), Some(0));
}

#[test]
fn bad_input_is_refused_before_any_request() {
    let mut all = String::new();
    let unreachable = [("FLY_FLAPS_BASE_URL", "http://127.0.0.1:1")];
    for (args, env) in [
        (&["--no-such-option"][..], &[][..]),
        (&["machines", "--app", "My App"], &unreachable),
        (&["machines", "--org", "ACME", "--app", "shop"], &unreachable),
        (&["config", "--since", "2x"], &unreachable),
        (&["config", "--since", "1h", "--until", "2026-01-01"], &[]),
        (&["config"], &[("FLY_API_TOKEN", "fm2_half of it")]),
        (&["config", "--token-file", "gone"], &[]),
        (&["config"], &[("FLY_API_BASE_URL", "api.fly.io")]),
        (&["config"], &[("FLY_OPS_DNS_SERVER", "one.one.one.one")]),
        (&["config"], &[("HTTPS_PROXY", "socks5://user:hunter2@proxy:1080")]),
        (&["config"], &[("FLY_OPS_LOOPBACK_ONLY", "1")]),
        (&["config", "--config", "gone.toml"], &[]),
        (&["config"], &[("FLY_OPS_LOG", "fly_api=loud=er")]),
        (&["machines"], &[("FLY_API_TOKEN", "fo1_x")]),
    ] {
        let output = run(args, env);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", report(&output));
        assert!(output.stdout.is_empty());
        writeln!(all, "$ skeleton {}\n{}", args.join(" "), text(&output.stderr)).unwrap();
    }
    let filters = vec![(r"which is \S+", "which is [TIME]"), (r"file \S+/gone", "file [DIR]/gone")];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(all) });
}

#[test]
fn every_setting_with_its_source_and_no_secret() {
    let env = [
        ("FLY_API_TOKEN", "FlyV1 fm2_verysecret,fo1_alsosecret"),
        ("FLY_APP", "shop"),
        ("HTTPS_PROXY", "http://user:hunter2@proxy.test:3128"),
        ("FLY_FLAPS_BASE_URL", "http://127.0.0.1:4280"),
        ("FLY_CONFIG_DIR", "/nowhere"),
    ];
    let output = run(&["config", "--org", "acme", "-v"], &env);
    let all = report(&output);
    assert!(!all.contains("secret") && !all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn loopback_only_holds_for_a_client_that_was_made() {
    let base = [
        ("FLY_FLAPS_BASE_URL", "http://127.0.0.1:1"),
        ("FLY_API_BASE_URL", "http://127.0.0.1:1"),
        ("FLY_UIEX_BASE_URL", "http://127.0.0.1:1"),
        ("FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL", "http://127.0.0.1:1/v1/incidents"),
        ("FLY_STATUSPAGE_BASE_URL", "http://127.0.0.1:1"),
        ("FLY_OPS_LOOPBACK_ONLY", "1"),
        ("FLY_API_TOKEN", "fo1_x"),
    ];
    let output = run(&["machines", "--app", "shop"], &base);
    // Loopback is allowed: nobody listens on port 1, which is another error, with a hint.
    assert_eq!(output.status.code(), Some(4), "{}", report(&output));
    assert!(text(&output.stderr).contains("connection refused"), "{}", report(&output));
    assert!(text(&output.stderr).contains("hint: "), "{}", report(&output));
}

#[test]
fn a_closed_pipe_is_nobodys_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = tool(folder.path())
        .arg("lines")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((first.as_str(), output.status.code()), ("line\n", Some(0)));
    assert!(output.stderr.is_empty(), "{}", report(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = tool(folder.path()).arg("lines").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", report(&output));
    assert!(text(&output.stderr).contains("cannot write to standard output"));
}

#[test]
fn a_panic_ends_with_one_clean_message() {
    let output = run(&["panic"], &[]);
    assert_eq!(output.status.code(), Some(6), "it said that it was changing things");
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("lJPECAAAAAAAAyFCxBDl"), "{stderr}");
    assert!(
        stderr.contains("cannot use the token ") && stderr.contains(" of this app"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 3, "place, end and hint: {stderr}");
}

#[test]
fn no_confirmation_without_a_terminal() {
    let output = run(&["confirm"], &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("hint: read the plan, then give --confirm shop"));
}

/// Starts `wait`, and returns when its temporary file is there.
fn waiting(folder: &std::path::Path, stubborn: bool) -> (Child, PathBuf) {
    let file = folder.join("half.tmp");
    let mut command = tool(folder);
    command.arg("wait").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    if stubborn {
        command.arg("--stubborn");
    }
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, file)
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn the_first_signal_stops_at_a_safe_point() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let folder = tempfile::tempdir().unwrap();
        let (child, file) = waiting(folder.path(), false);
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", report(&output));
        assert!(file.exists(), "an orderly end is the command's own business");
    }
}

#[test]
fn the_second_signal_ends_at_once_and_removes_temporary_files() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, file) = waiting(folder.path(), true);
    send(&child, Signal::INT);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "SIGINT: stopping at a safe point; once more to stop at once\n");
    send(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(!file.exists(), "{rest}");
}
