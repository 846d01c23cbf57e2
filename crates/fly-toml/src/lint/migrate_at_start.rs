//! Migrations in the start command.

use super::common::{anchor, dockerfile_command};
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "migrate-at-start",
    title: "Migrations run at every start",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Every Machine migrates when it starts, several at once in a deploy, and each autostart waits for it. A release command runs once, before the new version gets traffic.",
    details: "With SQLite on a volume the start is the right place, because the release Machine has no volume.",
    bad: "[processes]\nweb = \"npx prisma migrate deploy && node server.js\"",
    good: "[deploy]\nrelease_command = \"npx prisma migrate deploy\"\n[processes]\nweb = \"node server.js\"",
    source: "Fly.io documentation, reference/configuration, release_command",
};

const WORDS: &[&str] = &[
    "migrate deploy",
    "db:migrate",
    "manage.py migrate",
    "alembic upgrade",
    "knex migrate",
    "db:prepare",
    "migrate up",
];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    if config.mounts.is_some() {
        return;
    }
    let mut from_image = !config.has_processes();
    for (_, command) in config.processes.iter().flat_map(|processes| processes.value.iter()) {
        from_image |= command.is_empty();
        if let Some(word) = word(&command.value) {
            out.push(
                Diagnostic::new(&CODE, format!("`{word}` runs at every start"))
                    .at(command.span, "make it the release_command"),
            );
        }
    }
    let image = input.dockerfile.filter(|_| from_image).map(dockerfile_command);
    if let (Some(word), Some(place)) = (image.as_deref().and_then(word), anchor(config)) {
        out.push(
            Diagnostic::new(&CODE, format!("the image runs `{word}` at every start"))
                .at(place, "make it the release_command"),
        );
    }
}

fn word(command: &str) -> Option<&'static str> {
    WORDS.iter().copied().find(|word| command.contains(word))
}
