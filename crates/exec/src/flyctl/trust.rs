//! Commands of flyctl whose exit status is not to be believed, why, and what to look at instead.
//!
//! | Status | flyctl's meaning |
//! | --- | --- |
//! | 0 | success, and every case in [`UNTRUSTED`] |
//! | 1 | any error; a remote exit status stands only in the text |
//! | 2, 3 | it panicked (development build, release build) |
//! | 126 | it gave up waiting |
//! | 127 | it was interrupted |
//!
//! Source of that table: superfly/flyctl `internal/cli/cli.go`, `main.go`.

use std::fmt::Write as _;

/// A command that may end with status 0 although the work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untrusted {
    /// The words of the command, without flags.
    pub command: &'static str,
    /// What happens.
    pub why: &'static str,
    /// How success is judged instead.
    pub instead: &'static str,
    /// Where this is known from.
    pub source: &'static str,
}

/// The table. `pg` and `postgres` are one command under two names; entries say `postgres`.
pub const UNTRUSTED: &[Untrusted] = &[
    Untrusted {
        command: "doctor",
        why: "failed checks are answers, not errors, and nothing is asked after the first of them",
        instead: "read each answer of `doctor --json`; a check without an answer is unknown",
        source: "superfly/flyctl internal/command/doctor/doctor.go; recorded run",
    },
    Untrusted {
        command: "machine exec",
        why: "the remote exit status is printed, not returned",
        instead: "read exit_code of `machine exec --json`; absent means 0",
        source: "superfly/flyctl internal/command/machine/exec.go",
    },
    Untrusted {
        command: "image update",
        why: "Postgres members whose role is none of primary, replica and barman are skipped without a word",
        instead: "compare the image of every machine before and after",
        source: "superfly/flyctl internal/command/image/update_machines.go",
    },
    Untrusted {
        command: "postgres backup create",
        why: "the command runs inside a machine and its exit_code is never looked at",
        instead: "list the backups and find the new one, complete",
        source: "superfly/flyctl internal/command/postgres/backup.go",
    },
    Untrusted {
        command: "postgres backup list",
        why: "the command runs inside a machine and its exit_code is never looked at; its error goes to standard output",
        instead: "parse the listing; text that is no listing is an error",
        source: "superfly/flyctl internal/command/postgres/backup.go",
    },
    Untrusted {
        command: "postgres backup config show",
        why: "the command runs inside a machine and its exit_code is never looked at",
        instead: "parse what it prints",
        source: "superfly/flyctl internal/command/postgres/backup.go",
    },
    Untrusted {
        command: "postgres backup config update",
        why: "the command runs inside a machine and its exit_code is never looked at",
        instead: "read the configuration again",
        source: "superfly/flyctl internal/command/postgres/backup.go",
    },
    Untrusted {
        command: "postgres backup restore",
        why: "the launcher's error is dropped: volume, launch and health failures end silently, without the new password",
        instead: "check the new app's machines and connect to it",
        source: "superfly/flyctl internal/command/postgres/backup.go",
    },
    Untrusted {
        command: "postgres import",
        why: "the importer says that it completed after partial and total failures",
        instead: "count tables and rows on both sides",
        source: "superfly/flyctl internal/command/postgres/import.go; fly-apps/postgres-importer",
    },
    Untrusted {
        command: "postgres barman",
        why: "an unknown subcommand prints help",
        instead: "check the words of the command against those that exist",
        source: "spf13/cobra: a parent that does nothing itself",
    },
    Untrusted {
        command: "postgres backup",
        why: "an unknown subcommand prints help",
        instead: "check the words of the command against those that exist",
        source: "spf13/cobra: a parent that does nothing itself",
    },
    Untrusted {
        command: "postgres list",
        why: "an empty list is a sentence instead of JSON",
        instead: "parse the output; the sentence that there are none means an empty list",
        source: "superfly/flyctl internal/command/postgres/list.go; recorded run",
    },
    Untrusted {
        command: "mpg list",
        why: "an empty list is a sentence instead of JSON",
        instead: "parse the output; the sentence that there are none means an empty list",
        source: "superfly/flyctl internal/command/mpg/list.go",
    },
    Untrusted {
        command: "mpg backup list",
        why: "an empty list is a sentence instead of JSON",
        instead: "parse the output; the sentence that there are none means an empty list",
        source: "superfly/flyctl internal/command/mpg/backup.go",
    },
    Untrusted {
        command: "logs",
        why: "`--no-tail` polls for ever while there are no logs, so being stopped is no failure",
        instead: "give it a deadline and take what came until then",
        source: "superfly/flyctl internal/command/logs/logs.go",
    },
];

/// The entry for a command line, if its exit status is not to be believed. `args` may have flags anywhere; the longest
/// entry wins. A value of a flag that stands before the command's words hides them, as flyctl's own flags rarely do.
pub fn untrusted(args: &[&str]) -> Option<&'static Untrusted> {
    let mut words: Vec<&str> = args.iter().copied().filter(|arg| !arg.starts_with('-')).collect();
    match words.first_mut() {
        Some(first) if *first == "pg" => *first = "postgres",
        Some(first) if *first == "m" || *first == "machines" => *first = "machine",
        _ => {}
    }
    UNTRUSTED
        .iter()
        .filter(|entry| {
            let mut given = words.iter();
            entry.command.split(' ').all(|word| given.next() == Some(&word))
        })
        .max_by_key(|entry| entry.command.len())
}

/// The table as a page of the reference.
pub fn reference_page() -> String {
    let mut page = "# Exit status of flyctl\n\n\
        Generated by `cargo xtask gen` from `crates/exec/src/flyctl/trust.rs`. As of flyctl 0.4.87.\n\n\
        | Status | Meaning |\n| --- | --- |\n\
        | 0 | success, and every case below |\n\
        | 1 | any error; a remote exit status stands only in the text |\n\
        | 2, 3 | flyctl panicked (development build, release build) |\n\
        | 126 | it gave up waiting |\n\
        | 127 | it was interrupted |\n\n\
        For these commands the status says nothing, and what they did is judged otherwise.\n\n\
        | Command | Why | Judged by | Known from |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for Untrusted { command, why, instead, source } in UNTRUSTED {
        let _ = writeln!(page, "| `fly {command}` | {why} | {instead} | {source} |");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Option<&'static str> {
        let args: Vec<&str> = line.split(' ').collect();
        untrusted(&args).map(|entry| entry.command)
    }

    #[test]
    fn the_longest_entry_is_found_whatever_the_flags() {
        for (line, wanted) in [
            ("doctor --json -a web", Some("doctor")),
            ("pg backup create -a db", Some("postgres backup create")),
            ("postgres backup config update --json", Some("postgres backup config update")),
            ("pg backup typo", Some("postgres backup")),
            ("m exec 148e ls", Some("machine exec")),
            ("machine list --json", None),
            ("status", None),
            ("postgres", None),
        ] {
            assert_eq!(command(line), wanted, "{line}");
        }
    }

    #[test]
    fn every_entry_is_complete_and_there_once() {
        for entry in UNTRUSTED {
            for text in [entry.command, entry.why, entry.instead, entry.source] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{entry:?}");
            }
            assert_eq!(UNTRUSTED.iter().filter(|other| other.command == entry.command).count(), 1);
        }
    }
}
