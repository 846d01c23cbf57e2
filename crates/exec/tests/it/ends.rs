//! How a run ends: by itself, by a signal, at its deadline, by cancellation, and what is left afterwards.

use std::future::{pending, ready};
use std::time::Duration;

use exec::{Command, Ending, Program, RunError};
use test_kit::Sandbox;

use crate::support::{LONG, fifo, is_alive, is_gone, opened, run, run_until_ready, runner, sh};

#[tokio::test]
async fn exit_status_and_signal_are_told_apart() {
    let sandbox = Sandbox::new().unwrap();
    for (script, wanted) in [
        ("exit 0", Ending::Exited { code: 0 }),
        ("exit 7", Ending::Exited { code: 7 }),
        ("kill -SEGV $$", Ending::Signalled { signal: 11 }),
        ("kill -KILL $$", Ending::Signalled { signal: 9 }),
    ] {
        let ran = run(&sandbox, script).await;
        assert_eq!(ran.ending, wanted, "{script}");
        assert_eq!(ran.transcript.ending, wanted);
    }
}

#[tokio::test]
async fn a_deadline_ends_a_child_that_would_go_on() {
    let sandbox = Sandbox::new().unwrap();
    let command = sh("echo before; exec sleep 1000", Duration::from_millis(300));
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    assert_eq!(ran.ending, Ending::TimedOut { killed: false });
}

#[tokio::test]
async fn what_was_printed_before_the_end_is_kept() {
    let sandbox = Sandbox::new().unwrap();
    let script =
        "trap 'echo stopping; exit 3' TERM; echo before; : > $READY; while :; do sleep 0.05; done";
    let ran = run_until_ready(&sandbox, sh(script, LONG)).await.unwrap();
    assert_eq!(ran.ending, Ending::Cancelled { killed: false });
    assert_eq!(ran.stdout.text(), "before\nstopping\n");
}

#[tokio::test]
async fn a_child_that_ignores_term_is_killed() {
    let sandbox = Sandbox::new().unwrap();
    let script = "trap '' TERM; echo $$; : > $READY; while :; do sleep 0.05; done";
    let command = sh(script, LONG).grace(Duration::from_millis(100));
    let ran = run_until_ready(&sandbox, command).await.unwrap();
    assert_eq!(ran.ending, Ending::Cancelled { killed: true });
    assert!(is_gone(&sandbox, &ran.stdout.text()));
}

#[tokio::test]
async fn a_child_that_stopped_itself_is_still_ended() {
    let sandbox = Sandbox::new().unwrap();
    // CONT goes with TERM, so that it runs its handler.
    let script = "trap 'echo heard; exit' TERM; (: > $READY) & kill -STOP $$; sleep 0.05";
    let command = sh(script, LONG).grace(Duration::from_secs(30));
    let ran = run_until_ready(&sandbox, command).await.unwrap();
    assert_eq!(ran.ending, Ending::Cancelled { killed: false });
    assert_eq!(ran.stdout.text(), "heard\n");
}

#[tokio::test]
async fn no_grandchild_outlives_a_cancelled_run() {
    let sandbox = Sandbox::new().unwrap();
    // The grandchild ignores TERM, as a careless helper does, and has nothing to do with the pipes.
    let script = "(trap '' TERM; exec sleep 1000) >/dev/null 2>&1 & echo $!; : > $READY; wait";
    let command = sh(script, LONG).grace(Duration::from_millis(100));
    let ran = run_until_ready(&sandbox, command).await.unwrap();
    assert!(matches!(ran.ending, Ending::Cancelled { .. }), "{}", ran.ending);
    assert!(is_gone(&sandbox, &ran.stdout.text()));
}

#[tokio::test]
async fn a_grandchild_that_holds_the_output_open_does_not_hold_us() {
    let sandbox = Sandbox::new().unwrap();
    let command = sh("sleep 1000 & echo $!; exit 5", LONG).grace(Duration::from_millis(50));
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    assert_eq!(ran.ending, Ending::Exited { code: 5 }, "the child's own status counts");
    assert!(is_gone(&sandbox, &ran.stdout.text()));
    assert!(!ran.transcript.output_abandoned);
}

#[tokio::test]
async fn output_after_the_child_has_ended_is_waited_for() {
    let sandbox = Sandbox::new().unwrap();
    // The grandchild writes only when the child is gone, which it sees by having another parent.
    let parent = if std::path::Path::new("/proc/self/stat").exists() {
        r"cut -d ' ' -f 4 /proc/\$\$/stat"
    } else {
        r"ps -o ppid= -p \$\$"
    };
    let script =
        format!("me=$$; sh -c \"while [ \\$({parent}) -eq $me ]; do :; done; echo late\" & exit 0");
    let command = sh(&script, LONG).grace(LONG);
    let ran = runner(&sandbox).run(command, pending()).await.unwrap();
    assert_eq!(ran.stdout.text(), "late\n");
}

#[cfg(target_os = "linux")] // Elsewhere there is no `setsid` command to leave a group with.
#[tokio::test]
async fn a_process_that_left_the_group_is_given_up_not_waited_for() {
    let sandbox = Sandbox::new().unwrap();
    let script = "setsid sh -c 'echo $$; : > \"$READY\"; exec sleep 1000' & wait";
    let command = sh(script, LONG).grace(Duration::from_millis(50));
    let ran = run_until_ready(&sandbox, command).await.unwrap();
    assert!(ran.transcript.output_abandoned);
    let pid = ran.stdout.text();
    assert!(is_alive(&sandbox, &pid), "it is not ours to end");
    assert_eq!(sandbox.run("kill", ["-KILL", pid.trim()]).unwrap().code, Some(0));
}

#[tokio::test]
async fn dropping_a_run_kills_the_whole_group() {
    let sandbox = Sandbox::new().unwrap();
    let (pipe, pids) = (fifo(&sandbox, "ready"), sandbox.path("pids"));
    let script =
        "trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $$ $! > $PIDS; : > $READY; wait";
    let command = sh(script, LONG).env("READY", pipe.clone()).env("PIDS", pids.clone());
    let runner = runner(&sandbox);
    let run = runner.run(command, pending());
    tokio::select! {
        _ = run => panic!("it does not end by itself"),
        () = opened(pipe) => {}
    }
    // The last reference to the run is gone.
    for pid in std::fs::read_to_string(pids).unwrap().split_whitespace() {
        assert!(is_gone(&sandbox, pid));
    }
}

#[tokio::test]
async fn a_run_cancelled_before_it_starts_ends_at_once() {
    let sandbox = Sandbox::new().unwrap();
    let ran = runner(&sandbox).run(sh("exec sleep 1000", LONG), ready(())).await.unwrap();
    assert!(matches!(ran.ending, Ending::Cancelled { .. }), "{}", ran.ending);
}

#[tokio::test]
async fn a_file_that_is_no_program_is_an_error_not_an_ending() {
    let sandbox = Sandbox::new().unwrap();
    let path = sandbox.script("gone", "exit 0").unwrap();
    let program = Program::at(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = runner(&sandbox).run(Command::new(&program, LONG), pending()).await;
    let Err(RunError::Start { source, .. }) = error else { panic!("it cannot have started") };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    let missing = sh("exit 0", LONG).directory("/no/such/directory");
    assert!(runner(&sandbox).run(missing, pending()).await.is_err());
}
