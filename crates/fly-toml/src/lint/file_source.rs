//! A file without a source or place.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Located;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "file-source",
    title: "A [[files]] entry without content or place",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Without local_path, secret_name or raw_value there is nothing to write; without guest_path there is nowhere to write it.",
    details: "",
    bad: "[[files]]\nguest_path = \"/etc/app.conf\"",
    good: "[[files]]\nguest_path = \"/etc/app.conf\"\nlocal_path = \"app.conf\"",
    source: "flyctl internal/appconfig/files.go",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for file in input.config.files.iter().flat_map(|files| files.iter()) {
        let is_set =
            |text: &Option<Located<String>>| text.as_ref().is_some_and(|it| !it.is_empty());
        if !is_set(&file.guest_path) {
            out.push(
                Diagnostic::new(&CODE, "this file has no guest_path")
                    .at(file.span, "add where to write it"),
            );
        }
        let sources: Vec<_> = [&file.local_path, &file.secret_name, &file.raw_value]
            .into_iter()
            .filter(|source| is_set(source))
            .filter_map(Option::as_ref)
            .collect();
        match sources[..] {
            [] => out.push(
                Diagnostic::new(&CODE, "this file has no content")
                    .at(file.span, "add local_path, secret_name or raw_value"),
            ),
            [first, second, ..] => out.push(
                Diagnostic::new(&CODE, "this file has two sources")
                    .severity(Severity::Warning)
                    .at(second.key, "has no effect")
                    .at(first.key, "in force"),
            ),
            [_] => {}
        }
    }
}
