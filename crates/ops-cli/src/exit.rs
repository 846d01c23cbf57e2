//! Exit codes: one public table for all binaries.

use std::fmt::Write as _;
use std::process::ExitCode;

/// Outcome of a command as scripts see it. The numbers are a contract; see `docs/reference/exit-codes.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done, nothing to report at or above the threshold.
    Ok = 0,
    /// Findings at or above the threshold.
    Findings = 1,
    /// The command line or a configuration file is wrong; nothing was requested.
    Usage = 2,
    /// Done, but some data could not be had; the output says which.
    Incomplete = 3,
    /// Nothing was done: no access, missing tool, refused preflight.
    NothingDone = 4,
    /// A result was made and did not pass its own verification; it was not kept.
    VerificationFailed = 5,
    /// Stopped half-way at a safe point: resume or undo.
    Stopped = 6,
    /// Committed, but a follow-up failed.
    FollowUpFailed = 7,
    /// Somebody else holds the target.
    Held = 8,
    /// An unsafe state was found.
    Unsafe = 9,
    /// The change was undone.
    Undone = 10,
    /// The plan has changes (only with `--detailed-exitcode`).
    PlanHasChanges = 20,
    /// Interrupted by SIGINT.
    Interrupted = 130,
    /// Terminated by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// All codes with their meaning in a phrase, for `--help` and the reference page.
    pub const TABLE: [(Self, &'static str); 14] = [
        (Self::Ok, "ok"),
        (Self::Findings, "findings at or above the threshold"),
        (Self::Usage, "usage: arguments or configuration are wrong, nothing was requested"),
        (Self::Incomplete, "done with incomplete data; the output says what is missing"),
        (Self::NothingDone, "nothing done (no access, missing tool, refused preflight)"),
        (Self::VerificationFailed, "verification failed; no result was kept"),
        (Self::Stopped, "stopped: resume or undo"),
        (Self::FollowUpFailed, "committed, a follow-up failed"),
        (Self::Held, "held by somebody else"),
        (Self::Unsafe, "unsafe state found"),
        (Self::Undone, "undone"),
        (Self::PlanHasChanges, "plan has changes (only with --detailed-exitcode)"),
        (Self::Interrupted, "interrupted (SIGINT)"),
        (Self::Terminated, "terminated (SIGTERM)"),
    ];

    /// The reference page.
    pub fn reference_page() -> String {
        let mut page = String::from(
            "# Exit codes\n\n\
             <!-- Made by `cargo xtask gen` from crates/ops-cli/src/exit.rs. -->\n\n\
             One table for all tools. A number never changes its meaning.\n\n\
             | Code | Meaning |\n| --- | --- |\n",
        );
        for (exit, meaning) in Self::TABLE {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "| {} | {meaning} |", exit.code());
        }
        page.push_str(
            "\nSIGHUP (the terminal went away) counts as SIGTERM. The first signal asks a tool to stop at a safe point, so that what it\n\
             has so far is complete; the second ends it at once and removes its temporary files. A closed pipe on standard output is\n\
             not an error.\n",
        );
        page
    }

    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_a_contract() {
        let numbers: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 130, 143]);
    }
}
