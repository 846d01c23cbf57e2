//! State that lives in a Machine itself, as far as variables and commands show it: SQLite files outside the mounts,
//! sessions and queues in memory, uploads on the local disk, schedulers. Must not know: what follows from it.

use std::collections::HashSet;

use super::common::{MAX_GROUPS, Text, is_replicated, texts};
use crate::schema::{Config, PersistRootfs};
use crate::span::Span;

/// Where a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a file of the Machine's own file system.
    File,
    /// In the memory of a process.
    Memory,
}

/// One state.
#[derive(Debug, Clone)]
pub(super) struct State<'a> {
    /// The variable or command that shows it.
    pub(super) span: Span,
    /// What it is, in words that begin a sentence.
    pub(super) what: String,
    /// Where it is.
    pub(super) kind: Kind,
    /// The process group that has it; `None` for all of them.
    pub(super) group: Option<&'a str>,
}

/// More are not told.
const MOST: usize = 8;

/// State in the Machine itself. None where a replicator is at work or the root file system is kept.
pub(super) fn local(config: &Config) -> Vec<State<'_>> {
    let is_kept = config.vm.iter().flat_map(|list| list.iter()).any(|vm| {
        vm.persist_rootfs.as_ref().is_some_and(|kept| kept.value == PersistRootfs::Always)
    });
    if is_kept || is_replicated(config) {
        return Vec::new();
    }
    // Nobody has more mounts than groups are looked at.
    let mounts = config.mounts.iter().flat_map(|list| list.iter()).take(MAX_GROUPS);
    let mounts: Vec<&str> = mounts
        .filter_map(|mount| Some(mount.destination.as_ref()?.value.trim_end_matches('/')))
        .collect();
    let texts = texts(config);
    let mut found: Vec<State<'_>> =
        texts.iter().filter_map(|text| state(text, &mounts)).take(MOST).collect();
    let mut seen = HashSet::new();
    found.retain(|state| seen.insert(state.span));
    found
}

fn state<'a>(text: &Text<'a>, mounts: &[&str]) -> Option<State<'a>> {
    let (kind, what) = if text.is_command {
        let words = text.value.split([' ', '\t', '=', '"', '\'']);
        let mut files = words.filter(|word| has_scheme(word)).filter_map(|word| file(word, mounts));
        (Kind::File, files.next()?)
    } else if let Some(found) = setting(text, mounts) {
        found
    } else if has_scheme(text.value) || is_file_name(text) {
        if text.value.contains(":memory:") {
            (Kind::Memory, format!("the SQLite database of `{}`", text.name))
        } else {
            (Kind::File, file(text.value, mounts)?)
        }
    } else {
        return None;
    };
    let group = text.is_command.then_some(text.name);
    Some(State { span: text.span, what, kind, group })
}

/// The words for a SQLite file, unless a mount holds it or may hold it.
fn file(address: &str, mounts: &[&str]) -> Option<String> {
    let path = path(address);
    // A path relative to who knows where may be on a volume. After `sqlite:///` some libraries take the rest for
    // relative and others for absolute.
    let is_absolute = path.starts_with('/') && (address.contains("////") || !has_scheme(address));
    let may_be_mounted = if is_absolute {
        mounts.iter().any(|mount| {
            path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    } else {
        !mounts.is_empty()
    };
    (!may_be_mounted && !path.is_empty()).then(|| format!("the SQLite file {path}"))
}

/// The path in `sqlite:///x`, `sqlite3:x`, `file:x?mode=rw`, or itself.
fn path(address: &str) -> String {
    let after = match address.split_once(':') {
        Some((scheme, rest)) if has_scheme(address) && !scheme.contains('/') => rest,
        _ => address,
    };
    let path = after.split(['?', '#']).next().unwrap_or("");
    let bare = path.trim_start_matches('/');
    if path.starts_with('/') { format!("/{bare}") } else { bare.to_owned() }
}

fn has_scheme(value: &str) -> bool {
    let scheme = value.split(':').next().unwrap_or("");
    let is_sqlite = ["sqlite", "sqlite3"]
        .iter()
        .any(|known| scheme.split('+').next().is_some_and(|it| it.eq_ignore_ascii_case(known)));
    let is_file = scheme == "file" && has_ending(value.split('?').next().unwrap_or(""));
    value.contains(':') && (is_sqlite || is_file)
}

fn has_ending(path: &str) -> bool {
    [".db", ".sqlite", ".sqlite3", ".db3"].iter().any(|ending| path.ends_with(ending))
}

/// Whether a variable names a SQLite file without a scheme.
fn is_file_name(text: &Text<'_>) -> bool {
    let name = text.name.to_ascii_uppercase();
    let words: Vec<&str> = name.split('_').collect();
    let is_database = ["DB", "DATABASE", "SQLITE", "STORE"].iter().any(|word| words.contains(word));
    is_database
        && has_ending(text.value)
        && !text.value.contains("://")
        && !text.value.contains(' ')
}

/// Settings of frameworks that choose where sessions, queues and uploads are kept.
fn setting(text: &Text<'_>, mounts: &[&str]) -> Option<(Kind, String)> {
    let name = text.name.to_ascii_uppercase();
    let value = text.value.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let is_choice = has(&["DRIVER", "STORE", "BACKEND", "TYPE", "ENGINE", "STORAGE", "CONNECTION"]);
    let in_memory = ["memory", "in-memory", "inmemory", "in_memory", "array", "memory://"];
    let on_disk = ["file", "files", "filesystem", "local", "disk"];
    let is_memory = in_memory.contains(&value.as_str());
    // With a mount the folder may well be on it.
    let is_disk = on_disk.contains(&value.as_str()) && mounts.is_empty();
    let of = |what: &str| format!("{what} of `{}`", text.name);
    if has(&["SESSION"]) && is_choice && is_memory {
        Some((Kind::Memory, of("the sessions")))
    } else if has(&["SESSION"]) && is_choice && is_disk {
        Some((Kind::File, of("the session files")))
    } else if has(&["QUEUE", "JOBS", "BROKER"]) && is_choice && is_memory {
        Some((Kind::Memory, of("the queue")))
    } else if has(&["FILESYSTEM_D", "ACTIVE_STORAGE", "STORAGE_DRIVER", "STORAGE_BACKEND"])
        && is_disk
    {
        Some((Kind::File, of("the upload folder")))
    } else {
        None
    }
}

/// Programs that start jobs by the clock.
const SCHEDULERS: &[&str] = &[
    "beat",
    "--beat",
    "supercronic",
    "crond",
    "cron",
    "clockwork",
    "schedule:work",
    "rqscheduler",
];

/// Schedulers in the commands of groups: a second Machine runs every job twice.
pub(super) fn schedulers(config: &Config) -> Vec<State<'_>> {
    let commands = texts(config).into_iter().filter(|text| text.is_command);
    commands
        .filter_map(|text| {
            let mut words = text.value.split([' ', '\t', '/', '"', '\'']);
            let word = words.find(|word| SCHEDULERS.contains(word))?;
            let what = format!("the scheduler `{word}`");
            Some(State { span: text.span, what, kind: Kind::Memory, group: Some(text.name) })
        })
        .take(MOST)
        .collect()
}
