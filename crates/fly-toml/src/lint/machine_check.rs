//! Machine checks that do not run.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "machine-check",
    title: "Machine checks that never run",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl boots a Machine that runs the command against the new version. Without a command there is nothing to run, and strategies other than rolling and canary skip these checks.",
    details: "They run in deploys only, not while the app runs.",
    bad: "[http_service]\ninternal_port = 8080\n[[http_service.machine_checks]]\nimage = \"curlimages/curl:8.10.1\"",
    good: "[http_service]\ninternal_port = 8080\n[[http_service.machine_checks]]\nimage = \"curlimages/curl:8.10.1\"\ncommand = [\"curl\", \"-f\", \"http://test.internal\"]",
    source: "Fly.io documentation, reference/configuration, machine_checks; flyctl internal/command/deploy",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let strategy = config.deploy.as_ref().and_then(|deploy| deploy.strategy.as_ref());
    let skips = strategy.filter(|it| ["immediate", "bluegreen"].contains(&it.value.as_str()));
    for check in config.machine_checks_everywhere() {
        if check.command.as_ref().is_none_or(|command| command.is_empty()) {
            out.push(
                Diagnostic::new(&CODE, "this machine check has no command")
                    .severity(Severity::Error)
                    .at(check.span, "add command = […]"),
            );
        } else if let Some(strategy) = skips {
            let message = format!("strategy {} runs no machine checks", strategy.value);
            out.push(
                Diagnostic::new(&CODE, message)
                    .at(check.span, "never runs")
                    .at(strategy.span, "only rolling and canary run them"),
            );
        }
    }
}
