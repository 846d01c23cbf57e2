//! A secret in `[env]`.

use super::secrets::{Suspicion, is_random, suspicion};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

pub(super) static CODE: Code = Code {
    id: "secret-in-env",
    title: "A secret in [env]",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Warns,
    why: "The file is in the repository's history, and its variables are in the Machine's config, which everybody with read access to the app can read. Secrets are encrypted and are not shown again.",
    details: "flyctl warns by name only, at deploy. Here the value counts as well: published prefixes of tokens, private keys, URLs with a password, long random texts. Move it with `fly secrets set NAME=…`, delete the line, and change the secret: the old one stays in the history. Names that bundlers publish (NEXT_PUBLIC_, VITE_) are not meant.",
    bad: "[env]\nSTRIPE_API_KEY = \"0f8c2a61d9\"",
    good: "# fly secrets set STRIPE_API_KEY=…\n[env]\nSTRIPE_API_VERSION = \"2026-01-01\"",
    source: "flyctl internal/command/deploy of 2026-08-21; 17 of 205 public repositories",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for (name, value) in input.config.env.iter().flat_map(|env| env.value.iter()) {
        let message = match suspicion(name, &value.value) {
            Some(Suspicion::Value(what)) => format!("`{name}` holds {what}"),
            Some(Suspicion::Name) => format!("`{name}` looks like a secret"),
            None if is_random(name, &value.value) => {
                format!("`{name}` holds a text as random as a key")
            }
            None => continue,
        };
        // A name alone, or randomness alone, proves less than a known form.
        let severity = match suspicion(name, &value.value) {
            Some(Suspicion::Name) | None => Severity::Warning,
            Some(Suspicion::Value(_)) => Severity::Error,
        };
        out.push(
            Diagnostic::new(&CODE, message)
                .severity(severity)
                .at(value.span, format!("use `fly secrets set {name}=…`")),
        );
    }
}
