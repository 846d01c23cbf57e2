//! A check without a grace period.

use super::common::all_checks;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::dockerfile::Dockerfile;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "grace-period",
    title: "No grace period, or one shorter than the boot",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Checks begin at once. While the app boots they fail, and a deploy can be given up although the app would have come up.",
    details: "A warning instead of a note where the Dockerfile says that booting takes long: Rails, the JVM, migrations in the start command.",
    bad: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ninterval = \"15s\"\ntimeout = \"2s\"",
    good: "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/health\"\ninterval = \"15s\"\ntimeout = \"2s\"\ngrace_period = \"10s\"",
    source: "Fly.io documentation, reference/configuration, checks",
};

/// Words in a base image or command that mean a boot of many seconds.
const SLOW: &[&str] =
    &["rails", "temurin", "openjdk", "java", "jruby", "migrate", "keycloak", "elasticsearch"];
/// A boot of this many seconds is usual with those.
const SLOW_SECONDS: f64 = 10.0;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let slow = input.dockerfile.and_then(slow_word);
    for check in all_checks(input.config) {
        let seconds = check.grace.map_or(0.0, |grace| grace.seconds());
        let place = check.grace.map_or(check.span, |grace| grace.span);
        let diagnostic = match (slow, check.grace) {
            (Some(word), _) if seconds < SLOW_SECONDS => Diagnostic::new(
                &CODE,
                format!("checks begin after {seconds} s, and `{word}` boots slowly"),
            )
            .severity(Severity::Warning)
            .at(place, "give it 10s or more"),
            (None, None) => Diagnostic::new(&CODE, "this check has no grace_period")
                .at(place, "begins while the app boots"),
            _ => continue,
        };
        out.push(diagnostic);
    }
}

fn slow_word(text: &str) -> Option<&'static str> {
    let dockerfile = Dockerfile::parse(text);
    let lines = dockerfile
        .in_final("FROM")
        .chain(dockerfile.in_final("CMD"))
        .chain(dockerfile.in_final("ENTRYPOINT"));
    let text: String = lines.map(|it| it.arguments.to_ascii_lowercase() + " ").collect();
    SLOW.iter().copied().find(|word| text.contains(word))
}
