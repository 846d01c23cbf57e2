//! A top-level key that became a variable.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "key-in-env",
    title: "A key after [env] that became a variable",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "In TOML every key below a [section] line belongs to that section. This one is an environment variable now, and the setting is not made.",
    details: "Move it above the first [section].",
    bad: "app = \"web\"\n[env]\nprimary_region = \"fra\"",
    good: "app = \"web\"\nprimary_region = \"fra\"\n[env]\nMODE = \"live\"",
    source: "met in public files; TOML 1.0",
};

/// Names that nobody gives to a variable. `app` is left out: some programs read it.
const NAMES: &[&str] = &[
    "primary_region",
    "kill_signal",
    "kill_timeout",
    "swap_size_mb",
    "console_command",
    "internal_port",
    "auto_stop_machines",
    "auto_start_machines",
    "min_machines_running",
    "force_https",
];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let Some(env) = &input.config.env else { return };
    for (name, value) in &env.value {
        if NAMES.contains(&name.as_str()) {
            out.push(
                Diagnostic::new(&CODE, format!("`{name}` is a variable here, not a setting"))
                    .at(value.key, "move it out of [env]")
                    .at(env.span, "everything below belongs to this section"),
            );
        }
    }
}
