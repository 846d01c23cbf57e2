//! A secret in the text of `[[files]]`.

use super::secrets::{Suspicion, credential, suspicion};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

pub(super) static CODE: Code = Code {
    id: "secret-in-file",
    title: "A secret in the text of a file",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "raw_value is in the repository's history and in the Machine config, which everybody with read access to the app can read.",
    details: "`fly secrets set NAME=\"$(base64 < FILE)\"` and secret_name = \"NAME\" write the same file from a secret. Change a secret that was published.",
    bad: "[[files]]\nguest_path = \"/etc/app.env\"\nraw_value = \"API_KEY=0f8c2a61d9e4\"",
    good: "[[files]]\nguest_path = \"/etc/app.env\"\nsecret_name = \"APP_ENV\"",
    source: "Fly.io documentation, reference/configuration, files",
};

/// Lines of a file that are looked at.
const MAX_LINES: usize = 1000;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for file in input.config.files.iter().flat_map(|files| files.iter()) {
        let Some(raw) = &file.raw_value else { continue };
        let in_line = |line: &str| {
            let (name, value) = line.split_once('=').or_else(|| line.split_once(':'))?;
            let name = name.trim().trim_start_matches("export ");
            // A sentence is no setting.
            if name.contains(' ') {
                return None;
            }
            match suspicion(name, value.trim().trim_matches(['"', '\'', ',']))? {
                Suspicion::Value(what) => Some(format!("the file holds {what}")),
                Suspicion::Name => Some(format!("`{name}` in the file looks like a secret")),
            }
        };
        let whole = credential(&raw.value).map(|what| format!("the file holds {what}"));
        let found = whole.or_else(|| raw.value.lines().take(MAX_LINES).find_map(in_line));
        if let Some(message) = found {
            out.push(Diagnostic::new(&CODE, message).at(raw.span, "use secret_name"));
        }
    }
}
