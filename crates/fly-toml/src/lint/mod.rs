//! Lints: one condition per file, judged on the typed model of one fly.toml.
//!
//! To add one: a file here with a `Lint` (its code holds the documentation, an example that has it and one that has it
//! not; a test runs both), and a line in [`ALL`]. Must not know: files, the network, other apps.

mod autostop_without_autostart;
mod bare_duration;
mod secret_in_env;
pub(crate) mod secrets;
mod soft_limit_above_hard;

use crate::diag::{Code, Diagnostic};
use crate::document::Document;
use crate::schema::Config;

/// What a lint may look at.
pub struct LintInput<'a> {
    /// The file as written.
    pub document: &'a Document,
    /// The file as read.
    pub config: &'a Config,
    /// Text of the Dockerfile that the app is built from, when the caller has it.
    pub dockerfile: Option<&'a str>,
}

/// One lint.
pub struct Lint {
    /// Its code.
    pub code: &'static Code,
    /// Reports each place that has it.
    pub check: fn(&LintInput<'_>, &mut Vec<Diagnostic>),
}

/// Every lint, in alphabetical order of the codes.
pub static ALL: &[&Lint] = &[
    &autostop_without_autostart::LINT,
    &bare_duration::LINT,
    &secret_in_env::LINT,
    &soft_limit_above_hard::LINT,
];

/// Runs all lints.
pub fn run(input: &LintInput<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for lint in ALL {
        (lint.check)(input, &mut diagnostics);
    }
    diagnostics
}

/// Whether the first label of a code's diagnostics covers a secret, so that its text must not be shown.
pub fn is_about_secrets(code: &Code) -> bool {
    [secret_in_env::CODE.id, crate::dockerfile::SECRET.id].contains(&code.id)
}

/// Whether a value looks like a secret, by itself or by the last name of its path.
pub fn looks_secret(path: &str, value: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    secrets::suspicion(name, value).is_some()
}

#[cfg(test)]
mod testing {
    /// How often a code is reported for a text.
    pub(super) fn count(id: &str, text: &str) -> usize {
        let report = crate::check(text);
        report.diagnostics.iter().filter(|diagnostic| diagnostic.code.id == id).count()
    }
}
