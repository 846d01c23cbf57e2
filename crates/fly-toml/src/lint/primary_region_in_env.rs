//! `PRIMARY_REGION` in `[env]`.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "primary-region-in-env",
    title: "PRIMARY_REGION is overwritten",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Every Machine gets PRIMARY_REGION from primary_region; the value in [env] never arrives when the key is set.",
    details: "",
    bad: "primary_region = \"fra\"\n[env]\nPRIMARY_REGION = \"ams\"",
    good: "primary_region = \"fra\"",
    source: "flyctl internal/appconfig/machines.go",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let variable = config.env.as_ref().and_then(|env| env.value.get("PRIMARY_REGION"));
    let region = config.primary_region.as_ref().filter(|region| !region.is_empty());
    if let (Some(variable), Some(region)) = (variable, region)
        && variable.value != region.value
    {
        out.push(
            Diagnostic::new(&CODE, "PRIMARY_REGION differs from primary_region")
                .at(variable.span, "never arrives")
                .at(region.span, "this is what Machines get"),
        );
    }
}
