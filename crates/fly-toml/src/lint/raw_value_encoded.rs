//! A `raw_value` that is base64 already.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use base64::Engine as _;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "raw-value-encoded",
    title: "raw_value is encoded twice",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl encodes raw_value itself, so a value that is base64 already arrives encoded. The example in the documentation makes this mistake.",
    details: "",
    bad: "[[files]]\nguest_path = \"/a\"\nraw_value = \"aGVsbG8gd29ybGQgYW5kIGFsbA==\"",
    good: "[[files]]\nguest_path = \"/a\"\nraw_value = \"hello world and all\"",
    source: "flyctl internal/appconfig/files.go, observed",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for file in input.config.files.iter().flat_map(|files| files.iter()) {
        let Some(raw) = &file.raw_value else { continue };
        // Short words are base64 by accident.
        let text = raw.value.trim();
        if text.len() < 16 || text.len() % 4 != 0 || text.contains(' ') {
            continue;
        }
        let decoded = base64::engine::general_purpose::STANDARD.decode(text);
        let is_text = decoded.is_ok_and(|bytes| {
            std::str::from_utf8(&bytes)
                .is_ok_and(|text| text.chars().all(|c| !c.is_control() || c.is_whitespace()))
        });
        if is_text {
            out.push(
                Diagnostic::new(&CODE, "the file would hold base64 instead of its text")
                    .at(raw.span, "write the plain text"),
            );
        }
    }
}
