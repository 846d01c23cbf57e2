//! The record of a run: what was started, how it ended, how much it printed. Safe to store and to show.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Takes the secrets out of a text. Everything in a [`Transcript`] that came from outside passes through it, after the
/// secrets that the run itself was given have been taken out.
pub type Scrub = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A scrub that is the redactor's.
pub fn scrub_with(redactor: &redact::Redactor) -> Scrub {
    let redactor = redactor.clone();
    Arc::new(move |text| redactor.redact_str(text))
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Ending {
    /// By itself.
    Exited {
        /// Exit status, 0 to 255.
        code: i32,
    },
    /// By a signal that this crate did not send.
    Signalled {
        /// Number of the signal.
        signal: i32,
    },
    /// Stopped at its deadline.
    TimedOut {
        /// Whether it had to be killed, because asking it to stop did not help.
        killed: bool,
    },
    /// Stopped because the caller gave up.
    Cancelled {
        /// Whether it had to be killed, because asking it to stop did not help.
        killed: bool,
    },
}

impl Ending {
    /// Whether the program itself says that it succeeded. Some say so without reason: see [`crate::flyctl::UNTRUSTED`].
    pub fn claims_success(self) -> bool {
        self == Self::Exited { code: 0 }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = |killed| if killed { "killed" } else { "stopped" };
        match *self {
            Self::Exited { code } => write!(f, "exit status {code}"),
            Self::Signalled { signal } => write!(f, "ended by signal {signal}"),
            Self::TimedOut { killed } => write!(f, "{} at its deadline", how(killed)),
            Self::Cancelled { killed } => {
                write!(f, "{} because the run was cancelled", how(killed))
            }
        }
    }
}

/// The record of a run, without secrets: environment variables by name, arguments and error output scrubbed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// Path of the program.
    pub program: String,
    /// Arguments, without the program itself.
    pub args: Vec<String>,
    /// Names of the variables that the program was given, sorted.
    pub env: Vec<String>,
    /// When it was started.
    pub started: Timestamp,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// How it ended.
    pub ending: Ending,
    /// Bytes written to standard output, kept or not.
    pub stdout_bytes: u64,
    /// Whether standard output was longer than its cap.
    pub stdout_truncated: bool,
    /// Bytes written to standard error, kept or not.
    pub stderr_bytes: u64,
    /// Whether standard error was longer than its cap.
    pub stderr_truncated: bool,
    /// Whether a process that left the group still had the output open when reading it was given up.
    pub output_abandoned: bool,
    /// The last lines of standard error.
    pub stderr_excerpt: String,
}

impl Transcript {
    /// The command line, how it ended, and the last line of standard error: one line for a message.
    pub fn summary(&self) -> String {
        let name = self.program.rsplit('/').next().unwrap_or(&self.program);
        let mut line = [name].into_iter().chain(self.args.iter().map(String::as_str)).fold(
            String::new(),
            |line, word| {
                if line.is_empty() { word.to_owned() } else { line + " " + word }
            },
        );
        line = format!("`{line}`: {}", self.ending);
        if let Some(said) = self.stderr_excerpt.lines().rev().find(|said| !said.trim().is_empty()) {
            line += ": ";
            line += said.trim();
        }
        line
    }
}
