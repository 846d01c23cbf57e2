//! A number without a unit where flyctl takes it for nanoseconds.

use super::{Lint, LintInput};
use crate::diag::{Applicability, Code, Diagnostic, Edit, Flyctl, Grade, Severity};
use crate::schema::{Located, Time};
use crate::syntax::BareUnit;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "bare-duration",
    title: "A duration without a unit is nanoseconds",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Here flyctl takes a bare number for nanoseconds, although the same number means milliseconds or seconds elsewhere in the file. The platform refuses such a check, and a timeout of nanoseconds is over at once.",
    details: "`interval = 10000` is 10 s under [[services.http_checks]] and 10 µs under [[http_service.checks]]. The documentation says milliseconds for both. `wait_timeout = 600` is 600 ns.",
    bad: "[http_service]\ninternal_port = 8080\n\n[[http_service.checks]]\ninterval = 10000\ntimeout = \"2s\"",
    good: "[http_service]\ninternal_port = 8080\n\n[[http_service.checks]]\ninterval = \"10s\"\ntimeout = \"2s\"",
    source: "observed on flyctl of 2026-08-21; noetic-sys/corpus pull request 66",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let mut report = |name: &str, time: Option<&Located<Time>>, unit: &str| {
        let Some(time) = time.filter(|time| time.bare == Some(BareUnit::Nanoseconds)) else {
            return;
        };
        // Zero is zero in any unit.
        if time.nanos == 0 {
            return;
        }
        let number = time.nanos;
        out.push(
            Diagnostic::new(&CODE, format!("`{name} = {number}` means {}", time.text()))
                .at(time.span, "a number without a unit is nanoseconds here")
                .fix(
                    format!("write \"{number}{unit}\""),
                    vec![Edit::replace(time.span, format!("\"{number}{unit}\""))],
                    Applicability::MaybeIncorrect,
                ),
        );
    };
    if let Some(deploy) = &config.deploy {
        report("wait_timeout", deploy.wait_timeout.as_ref(), "s");
        report("release_command_timeout", deploy.release_command_timeout.as_ref(), "s");
    }
    let checks = config.http_service.iter().filter_map(|service| service.checks.as_ref());
    for check in checks.flat_map(|checks| checks.iter()) {
        report("interval", check.interval.as_ref(), "ms");
        report("timeout", check.timeout.as_ref(), "ms");
        report("grace_period", check.grace_period.as_ref(), "ms");
    }
    for check in config.machine_checks_everywhere() {
        report("kill_timeout", check.kill_timeout.as_ref(), "s");
    }
}
