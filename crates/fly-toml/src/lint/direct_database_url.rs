//! App traffic on the direct address of a database.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "direct-database-url",
    title: "The database is reached without its pooler",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Each process of each Machine holds connections of its own, and Postgres runs out of them when the app scales. Managed Postgres has a pooled address for app traffic; migrations use the direct one.",
    details: "On unmanaged Fly Postgres there is no pooler on another port by default: check what listens before changing the port.",
    bad: "[env]\nDATABASE_HOST = \"direct.abc123.flympg.net\"",
    good: "[env]\nDATABASE_HOST = \"pgbouncer.abc123.flympg.net\"",
    source: "Fly.io documentation, mpg/guides-examples/phoenix-guide",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for (name, value) in input.config.env.iter().flat_map(|env| env.value.iter()) {
        // A name with these words is for migrations.
        let is_direct = name.contains("DIRECT") || name.contains("MIGRATION");
        if value.value.contains(".flympg.net") && !value.value.contains("pgbouncer") && !is_direct {
            out.push(
                Diagnostic::new(&CODE, format!("`{name}` goes past the pooler"))
                    .at(value.key, "use the pgbouncer. address"),
            );
        }
    }
}
