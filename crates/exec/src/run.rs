//! Running one command to its end, whatever the child does.
//!
//! A child may ignore TERM, flood its output, never read its input, leave processes behind that hold its output open, or
//! stop itself. None of that may block the caller past deadline and grace, use unbounded memory, or leave a process of the
//! group alive.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use crate::capture::Captured;
use crate::command::Command;
use crate::environment::Environment;
use crate::group::{self, Group};
use crate::transcript::{Ending, Scrub, Transcript};

/// Reads the wall clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long to wait for what KILL must bring about: the end of the leader, the end of its output.
const AFTER_KILL: Duration = Duration::from_secs(1);

/// Bytes of standard error in a transcript.
const EXCERPT: usize = 4096;

/// Runs commands in one environment.
#[derive(Clone)]
pub struct Runner {
    environment: Environment,
    scrub: Scrub,
    clock: Clock,
}

/// What a run gave. The streams may hold secrets; the transcript does not.
pub struct Ran {
    /// How it ended.
    pub ending: Ending,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
    /// The record.
    pub transcript: Transcript,
}

/// Why a command was not run, or could not be followed to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// An argument holds one of the run's secrets; nothing was started.
    #[error("refused to start {}: an argument holds the secret of {secret}", program.display())]
    SecretArgument {
        /// The program.
        program: PathBuf,
        /// Variable or stream by which the secret should have gone.
        secret: String,
    },
    /// The system did not start it.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It was started, killed, and has not ended: it hangs in the kernel, usually on a dead file system.
    #[error("{} does not end, not even when killed", program.display())]
    Unkillable {
        /// The program.
        program: PathBuf,
    },
}

impl Runner {
    /// A runner whose children see parts of `environment`, and whose transcripts are cleaned by `scrub`.
    pub fn new(environment: Environment, scrub: Scrub, clock: Clock) -> Self {
        Self { environment, scrub, clock }
    }

    /// The caller's environment, e.g. to look for programs in its PATH.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Starts the command, waits until it and everything in its process group has ended, and returns what it printed.
    ///
    /// It is asked to stop (TERM to its group) at its deadline or when `cancel` completes, and killed when the grace is
    /// over. Dropping the future kills the group at once.
    pub async fn run(
        &self,
        command: Command,
        cancel: impl Future<Output = ()>,
    ) -> Result<Ran, RunError> {
        refuse_secret_arguments(&command)?;
        let program = command.program.path().to_owned();
        let start_error = |source| RunError::Start { program: program.clone(), source };
        let own = command.variables.iter().map(|(name, value)| (*name, value.clone()));
        let secrets = command.secrets.iter();
        let secrets = secrets.map(|(name, value)| (*name, OsString::from(value.expose_secret())));
        let variables = self.environment.of_child(&command.inherited, own.chain(secrets));
        let names = variables.keys().map(|name| name.to_string_lossy().into_owned()).collect();

        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
        let mut starting = tokio::process::Command::new(&program);
        let input = command.input.bytes();
        starting
            .args(command.args.iter().map(crate::Arg::as_os_str))
            .env_clear()
            .envs(variables)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(directory) = &command.directory {
            starting.current_dir(directory);
        }
        let mut listener = group::listener().map_err(start_error)?;
        let (started, since) = ((self.clock)(), Instant::now());
        let mut child = starting.spawn().map_err(start_error)?;
        // Declared after the child, so dropped before it: the group is killed while its leader has not been reaped.
        let group = Group::of(&child);

        let mut stdout = Captured::new(command.stdout);
        let mut stderr = Captured::new(command.stderr);
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let followed = follow(&group, &mut listener, &command, cancel, async {
            let (into, out, err) = streams;
            tokio::join!(feed(into, input), drain(out, &mut stdout), drain(err, &mut stderr));
        });
        let (stopped, output_abandoned) = followed.await;
        let Ok(Ok(status)) = timeout(AFTER_KILL, child.wait()).await else {
            return Err(RunError::Unkillable { program });
        };
        group.release();

        let ending = ending(stopped, status);
        let transcript = Transcript {
            program: self.clean(&command, &program.to_string_lossy()),
            args: command
                .args
                .iter()
                .map(|arg| self.clean(&command, &arg.as_os_str().to_string_lossy()))
                .collect(),
            env: names,
            started,
            duration_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            ending,
            stdout_bytes: stdout.total(),
            stdout_truncated: stdout.truncated(),
            stderr_bytes: stderr.total(),
            stderr_truncated: stderr.truncated(),
            output_abandoned,
            stderr_excerpt: last_lines(&self.clean(&command, &stderr.text())),
        };
        tracing::debug!(run = transcript.summary(), "program ended");
        Ok(Ran { ending, stdout, stderr, transcript })
    }

    /// Takes out the run's own secrets by value, then whatever the scrub knows.
    fn clean(&self, command: &Command, text: &str) -> String {
        let without = command.secrets().fold(text.to_owned(), |text, (name, secret)| {
            text.replace(secret, &format!("[secret of {name}]"))
        });
        (self.scrub)(&without)
    }
}

/// Why we stopped a child.
#[derive(Clone, Copy)]
enum Stop {
    Deadline,
    Cancel,
}

/// Waits for the end of the leader and of its output, stopping the group when it must. Says why it was stopped, if it
/// was, and whether output was still open when everything had been tried.
async fn follow(
    group: &Group,
    listener: &mut tokio::signal::unix::Signal,
    command: &Command,
    cancel: impl Future<Output = ()>,
    output: impl Future<Output = ()>,
) -> (Option<Stop>, bool) {
    tokio::pin!(cancel, output);
    let ended = group.leader_ended(listener);
    tokio::pin!(ended);
    let deadline = sleep(command.deadline);
    tokio::pin!(deadline);
    let (mut has_ended, mut is_drained, mut stop) = (false, false, None);
    while !has_ended && stop.is_none() {
        tokio::select! {
            () = &mut ended => has_ended = true,
            () = &mut output, if !is_drained => is_drained = true,
            () = &mut deadline => stop = Some(Stop::Deadline),
            () = &mut cancel => stop = Some(Stop::Cancel),
        }
    }
    if stop.is_some() {
        group.ask();
    }
    // What the leader leaves behind gets the same time as a leader that was asked to stop.
    let patience = sleep(command.grace);
    tokio::pin!(patience);
    let mut is_patient = true;
    while is_patient && !(has_ended && is_drained) {
        tokio::select! {
            () = &mut ended, if !has_ended => has_ended = true,
            () = &mut output, if !is_drained => is_drained = true,
            () = &mut patience => is_patient = false,
        }
    }
    group.kill();
    // A process that has left the group is not ours to end, but nor do we wait for it.
    let abandoned = !is_drained && timeout(AFTER_KILL, output).await.is_err();
    (stop, abandoned)
}

fn ending(stopped: Option<Stop>, status: ExitStatus) -> Ending {
    let killed = status.signal() == Some(rustix::process::Signal::KILL.as_raw());
    match (stopped, status.code()) {
        (Some(Stop::Deadline), _) => Ending::TimedOut { killed },
        (Some(Stop::Cancel), _) => Ending::Cancelled { killed },
        (None, Some(code)) => Ending::Exited { code },
        (None, None) => Ending::Signalled { signal: status.signal().unwrap_or_default() },
    }
}

async fn drain(pipe: Option<impl AsyncRead + Unpin>, captured: &mut Captured) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 64 << 10];
    // A read error ends a pipe as an end-of-file does; there is nothing else to learn from it.
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        captured.push(&buffer[..count]);
    }
}

async fn feed(pipe: Option<impl AsyncWrite + Unpin>, input: Option<&[u8]>) {
    if let (Some(mut pipe), Some(input)) = (pipe, input) {
        // A child that does not read its input has its reasons; its exit status tells.
        let _broken_pipe = pipe.write_all(input).await;
    }
}

fn refuse_secret_arguments(command: &Command) -> Result<(), RunError> {
    for (name, secret) in command.secrets() {
        let holds = |arg: &crate::Arg| arg.as_os_str().to_string_lossy().contains(secret);
        if command.args.iter().any(holds) {
            let program = command.program.path().to_owned();
            return Err(RunError::SecretArgument { program, secret: name.to_owned() });
        }
    }
    Ok(())
}

/// The last whole lines that fit into an excerpt.
fn last_lines(text: &str) -> String {
    if text.len() <= EXCERPT {
        return text.to_owned();
    }
    let cut = text.ceil_char_boundary(text.len() - EXCERPT);
    text[cut..].split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned())
}
