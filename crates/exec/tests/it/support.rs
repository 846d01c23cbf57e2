//! A runner in a sandbox, and waiting for a child without a clock.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exec::{Command, Environment, Program, Ran, RunError, Runner};
use test_kit::Sandbox;

/// Long enough never to matter in a test that passes.
pub(crate) const LONG: Duration = Duration::from_mins(2);

pub(crate) fn runner(sandbox: &Sandbox) -> Runner {
    let environment = Environment::from_vars(sandbox.variables());
    let scrub = Arc::new(|text: &str| text.replace("sensitive", "[scrubbed]"));
    let clock = Arc::new(|| "2026-11-02T03:04:05Z".parse().unwrap());
    Runner::new(environment, scrub, clock)
}

/// A shell script as a command.
pub(crate) fn sh(script: &str, deadline: Duration) -> Command {
    let shell = Program::at("/bin/sh".as_ref()).unwrap();
    Command::new(&shell, deadline).args(["-c", script])
}

/// Runs a shell script that ends by itself.
pub(crate) async fn run(sandbox: &Sandbox, script: &str) -> Ran {
    runner(sandbox).run(sh(script, LONG), pending()).await.unwrap()
}

/// Runs a command and cancels it as soon as the child says that it is ready, by writing to the pipe `$READY`.
pub(crate) async fn run_until_ready(sandbox: &Sandbox, command: Command) -> Result<Ran, RunError> {
    let pipe = fifo(sandbox, "ready");
    let command = command.env("READY", pipe.clone());
    runner(sandbox).run(command, opened(pipe)).await
}

/// A named pipe in the sandbox.
pub(crate) fn fifo(sandbox: &Sandbox, name: &str) -> PathBuf {
    let pipe = sandbox.path(name);
    let made = sandbox.run("mkfifo", [&pipe]).unwrap();
    assert_eq!(made.code, Some(0), "{made:?}");
    pipe
}

/// Completes when somebody has written to a pipe and closed it.
pub(crate) async fn opened(pipe: PathBuf) {
    tokio::task::spawn_blocking(move || std::fs::read(pipe)).await.unwrap().unwrap();
}

/// Whether a process is there and not just waiting to be reaped. By `/proc`, or by `ps` where there is none.
pub(crate) fn is_alive(sandbox: &Sandbox, pid: &str) -> bool {
    let pid = pid.trim();
    assert!(!pid.is_empty(), "no process to ask for");
    let state = if Path::new("/proc/self/stat").exists() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().unwrap_or_default().to_owned()
    } else {
        sandbox.run("ps", ["-o", "stat=", "-p", pid]).unwrap().stdout
    };
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Whether a process is gone, or goes within a while: a killed process ends when the kernel next schedules it.
pub(crate) fn is_gone(sandbox: &Sandbox, pid: &str) -> bool {
    (0..1000).any(|_| {
        let alive = is_alive(sandbox, pid);
        if alive {
            // sleep: nobody tells us about the end of a process that is not our child.
            std::thread::sleep(Duration::from_millis(10));
        }
        !alive
    })
}
