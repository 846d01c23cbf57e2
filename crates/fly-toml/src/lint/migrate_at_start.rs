//! Migrations in the start command.

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
    for (_, command) in config.processes.iter().flat_map(|processes| processes.value.iter()) {
        if let Some(word) = WORDS.iter().find(|word| command.value.contains(**word)) {
            out.push(
                Diagnostic::new(&CODE, format!("`{word}` runs at every start"))
                    .at(command.span, "make it the release_command"),
            );
        }
    }
}
