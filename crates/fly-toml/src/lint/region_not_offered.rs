//! A region that is not offered.

use super::{Lint, LintInput};
use crate::diag::{Applicability, Code, Diagnostic, Edit, Flyctl, Grade, Severity};
use fly_types::region;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "region-not-offered",
    title: "A region that was withdrawn or never existed",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "New Machines and volumes cannot be created there, so the next deploy that needs one fails.",
    details: "Regions as of 2026-08-07. For apps that still have Machines in a withdrawn region see `fly-migrate region`.",
    bad: "app = \"web\"\nprimary_region = \"sea\"",
    good: "app = \"web\"\nprimary_region = \"sjc\"",
    source: "Fly.io documentation, reference/regions; 18 of 143 public files name a withdrawn region",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let Some(region) = input.config.primary_region.as_ref().filter(|it| !it.is_empty()) else {
        return;
    };
    let code = region.value.as_str();
    let Some(known) = region::find(code) else {
        // A region newer than the table is possible.
        let is_code = code.len() == 3 && code.chars().all(|c| c.is_ascii_lowercase());
        let known: Vec<&str> = region::CURRENT.iter().map(|it| it.code).collect();
        let severity = if is_code { Severity::Warning } else { Severity::Error };
        out.push(
            Diagnostic::new(&CODE, format!("region \"{code}\" is not known"))
                .severity(severity)
                .at(region.span, format!("one of {}", known.join(" "))),
        );
        return;
    };
    let Some(gone) = known.deprecated else { return };
    let nearest = gone.suggested;
    out.push(
        Diagnostic::new(&CODE, format!("region {code} ({}) was withdrawn", known.name))
            .at(region.span, format!("the nearest one is {nearest}"))
            .fix(
                format!("write \"{nearest}\""),
                vec![Edit::replace(region.span, format!("\"{nearest}\""))],
                Applicability::MaybeIncorrect,
            ),
    );
}
