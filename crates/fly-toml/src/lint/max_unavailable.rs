//! A max_unavailable that stops the deploy or the app.

use super::common::MAX_GROUPS;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "max-unavailable",
    title: "max_unavailable takes nothing, or everything at once",
    severity: Severity::Error,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "Zero or less leaves the deploy without a worker that could replace anything. A limit as high as the number of Machines takes them all away at once: the app is down until the new version runs.",
    details: "Below 1 it is a share, rounded up; from 1 on a number of Machines. The file does not show how many Machines there are: where that is unknown, a limit that takes two of two is a note.",
    bad: "[deploy]\nstrategy = \"rolling\"\nmax_unavailable = 0",
    good: "[deploy]\nstrategy = \"rolling\"\nmax_unavailable = 0.33",
    source: "flyctl internal/command/deploy, read",
};

/// What a first deploy makes of a group with a service.
const FIRST: usize = 2;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let Some(deploy) = &config.deploy else { return };
    let Some(limit) = &deploy.max_unavailable else { return };
    if limit.value <= 0.0 {
        out.push(
            Diagnostic::new(&CODE, "no Machine may be replaced").at(limit.span, "more than 0"),
        );
        return;
    }
    // Other strategies do not look at it.
    let strategy = deploy.strategy.as_ref().map_or("rolling", |strategy| strategy.value.as_str());
    if !["", "rolling", "canary"].contains(&strategy) {
        return;
    }
    let is_share = limit.value < 1.0;
    if !is_share && limit.span.of(input.document.text()).contains('.') {
        out.push(
            Diagnostic::new(
                &CODE,
                format!("{:?} is a number of Machines, not a share", limit.value),
            )
            .severity(Severity::Warning)
            .at(limit.span, "a share is below 1, all of them would be 0.99"),
        );
        return;
    }
    let known = config.groups().into_iter().take(MAX_GROUPS);
    let known = known.filter_map(|group| Some((group, input.facts.count(group)?)));
    let mut asked = false;
    for (group, count) in known {
        asked = true;
        if count > 1 && takes(limit.value, count) >= count {
            let message = format!("all {count} Machines of `{group}` are replaced at once");
            out.push(
                Diagnostic::new(&CODE, message)
                    .severity(Severity::Warning)
                    .at(limit.span, "leaves none running"),
            );
        }
    }
    if !asked && !config.all_services().is_empty() && takes(limit.value, FIRST) >= FIRST {
        out.push(
            Diagnostic::new(
                &CODE,
                "if the app has the two Machines of a first deploy, both are replaced at once",
            )
            .severity(Severity::Info)
            .at(limit.span, "leaves none of two running"),
        );
    }
}

/// How many of `count` Machines may be away at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small positive numbers; what is larger saturates"
)]
fn takes(limit: f64, count: usize) -> usize {
    if limit < 1.0 { (limit * count as f64).ceil() as usize } else { limit as usize }
}
