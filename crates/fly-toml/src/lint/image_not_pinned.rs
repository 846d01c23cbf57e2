//! An image that can change under the same name.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "image-not-pinned",
    title: "The image is not pinned",
    severity: Severity::Info,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "The same deploy can run another image tomorrow, and a rollback does not bring the old one back.",
    details: "",
    bad: "[build]\nimage = \"nginx:latest\"",
    good: "[build]\nimage = \"nginx:1.27.3\"",
    source: "Docker build best practices; supply chain",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let image = input.config.build.as_ref().and_then(|build| build.image.as_ref());
    let Some(image) = image.filter(|image| !image.is_empty() && !image.value.contains('@')) else {
        return;
    };
    let name = image.value.rsplit('/').next().unwrap_or("");
    let words = match name.split_once(':') {
        None => "no tag means latest",
        Some((_, "latest")) => "latest moves",
        Some(_) => return,
    };
    out.push(
        Diagnostic::new(&CODE, format!("image {} can change at any time", image.value))
            .at(image.span, words),
    );
}
