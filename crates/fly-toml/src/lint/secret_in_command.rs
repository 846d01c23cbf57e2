//! A secret in a command or header.

use super::common::http_checks;
use super::secrets::credential;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Located;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

pub(super) static CODE: Code = Code {
    id: "secret-in-command",
    title: "A secret in a command or a check header",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Commands and headers are part of the Machine config, which everybody with read access to the app can read, and they appear in process lists and logs.",
    details: "Read it from the environment inside the program: `fly secrets set NAME=…`.",
    bad: "[processes]\nweb = \"server --db postgres://u:p4ssw0rd@db.internal/shop\"",
    good: "[processes]\nweb = \"server --db-from-env DATABASE_URL\"",
    source: "Fly.io documentation, apps/secrets",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let mut values: Vec<(&str, &Located<String>)> = Vec::new();
    values.extend(
        config
            .processes
            .iter()
            .flat_map(|it| it.value.iter())
            .map(|(name, it)| (name.as_str(), it)),
    );
    let deploy = config.deploy.as_ref();
    values.extend(
        deploy.and_then(|it| it.release_command.as_ref()).map(|it| ("release_command", it)),
    );
    values.extend(deploy.and_then(|it| it.seed_command.as_ref()).map(|it| ("seed_command", it)));
    values.extend(config.console_command.as_ref().map(|it| ("console_command", it)));
    if let Some(experimental) = &config.experimental {
        let lists = [&experimental.cmd, &experimental.entrypoint, &experimental.exec];
        let words = lists.into_iter().flatten().flat_map(|list| list.iter());
        values.extend(words.map(|word| ("experimental", word)));
    }
    let headers = http_checks(config).into_iter().filter_map(|check| check.headers.as_ref());
    let top = config.checks.iter().flat_map(|checks| checks.value.values());
    let headers = headers.chain(top.filter_map(|check| check.headers.as_ref()));
    for (name, value) in headers.flat_map(|headers| headers.value.iter()) {
        let is_authorization =
            name.eq_ignore_ascii_case("authorization") && !value.value.contains('$');
        if is_authorization || credential(&value.value).is_some() {
            out.push(
                Diagnostic::new(&CODE, format!("the header {name} holds a credential"))
                    .at(value.span, "readable in the Machine config"),
            );
        }
    }
    for (name, value) in values {
        if let Some(what) = value.value.split_whitespace().find_map(credential_in) {
            out.push(
                Diagnostic::new(&CODE, format!("the command of `{name}` holds {what}"))
                    .at(value.span, "readable in the Machine config"),
            );
        }
    }
}

/// A word, or what follows `=` in it.
fn credential_in(word: &str) -> Option<&'static str> {
    let word = word.trim_matches(['"', '\'']);
    credential(word).or_else(|| word.split_once('=').and_then(|(_, value)| credential(value)))
}
