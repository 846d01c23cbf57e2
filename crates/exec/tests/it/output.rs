//! What a child prints, and what it reads.

use std::future::pending;

use exec::{Cap, Ending};
use test_kit::Sandbox;

use crate::support::{LONG, run, run_until_ready, runner, sh};

#[tokio::test]
async fn the_streams_are_kept_apart() {
    let sandbox = Sandbox::new().unwrap();
    let ran = run(&sandbox, "echo one; echo two >&2; echo three").await;
    assert_eq!((ran.stdout.text(), ran.stderr.text()), ("one\nthree\n".into(), "two\n".into()));
    assert_eq!((ran.transcript.stdout_bytes, ran.transcript.stderr_bytes), (10, 4));
}

#[tokio::test]
async fn a_flood_is_drained_and_cut_in_the_middle() {
    let sandbox = Sandbox::new().unwrap();
    // 20 MB on each stream; a child that nobody reads would block at 64 kB.
    let script = "echo first; yes | head -c 20000000; echo last; yes no | head -c 20000000 >&2";
    let cap = Cap { head: 1000, tail: 2000 };
    let ran = runner(&sandbox).run(sh(script, LONG).caps(cap, cap), pending()).await.unwrap();
    assert_eq!(ran.ending, Ending::Exited { code: 0 });
    assert_eq!(ran.stdout.total(), 20_000_011);
    assert!(ran.stdout.truncated() && ran.transcript.stdout_truncated);
    assert!(ran.transcript.stderr_truncated);
    let text = ran.stdout.text();
    assert!(text.starts_with("first\ny\n") && text.ends_with("y\nlast\n"), "{text}");
    assert!(text.len() < 3100 && text.contains(" bytes left out "));
}

#[tokio::test]
async fn an_endless_flood_is_ended() {
    let sandbox = Sandbox::new().unwrap();
    let script = "(sleep 0.1; : > $READY) & exec yes";
    let ran = run_until_ready(&sandbox, sh(script, LONG)).await.unwrap();
    assert!(matches!(ran.ending, Ending::Cancelled { .. }), "{}", ran.ending);
    // What is kept, and the line that stands for the rest.
    assert!(ran.stdout.bytes().len() <= (1 << 20) + 64);
}

#[tokio::test]
async fn bytes_stay_bytes() {
    let sandbox = Sandbox::new().unwrap();
    let ran = run(&sandbox, r"printf '\000\377\376text\303'").await;
    assert_eq!(ran.stdout.bytes(), b"\0\xff\xfetext\xc3");
    assert_eq!(ran.stdout.text(), "\0\u{fffd}\u{fffd}text\u{fffd}");
}

#[tokio::test]
async fn input_is_empty_unless_given() {
    let sandbox = Sandbox::new().unwrap();
    assert_eq!(run(&sandbox, "wc -c | tr -d ' '").await.stdout.text(), "0\n");
    let large = "x".repeat(1 << 20);
    let command = sh("wc -c | tr -d ' '", LONG).stdin(large.clone());
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    assert_eq!(ran.stdout.text(), "1048576\n");
    // A child that does not read does not block us, and its status is its own.
    let ran = runner(&sandbox).run(sh("exit 4", LONG).stdin(large), pending()).await.unwrap();
    assert_eq!(ran.ending, Ending::Exited { code: 4 });
}

#[tokio::test]
async fn every_program_runs_in_the_same_plain_surroundings() {
    let mut sandbox = Sandbox::new().unwrap();
    sandbox.set_all([
        ("LANG", "de_DE.UTF-8"),
        ("LC_MESSAGES", "de_DE"),
        ("TERM", "xterm-256color"),
    ]);
    sandbox.set_all([
        ("FLY_API_TOKEN", "fo1_of_the_caller"),
        ("FLY_APP", "other"),
        ("PAGER", "less"),
    ]);
    let command = sh("env; tty", LONG).inherit(&["FLY_APP", "NOT_SET"]).env("EXTRA", "1");
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    let text = ran.stdout.text();
    for line in
        ["LC_ALL=C", "LANG=C", "NO_COLOR=1", "TERM=dumb", "PAGER=cat", "FLY_APP=other", "EXTRA=1"]
    {
        assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
    }
    for foreign in ["FLY_API_TOKEN", "LC_MESSAGES", "NOT_SET", "FLY_CONFIG_DIR", "CARGO"] {
        assert!(!text.contains(foreign), "{foreign} in {text}");
    }
    assert!(text.ends_with("not a tty\n"));
    assert!(ran.transcript.env.contains(&"EXTRA".to_owned()));
}
