//! No `primary_region`.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Config;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "no-primary-region",
    title: "No primary_region",
    severity: Severity::Warning,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "New Machines are created wherever the platform picks, perhaps far from the database or the volume, and min_machines_running counts in no known place.",
    details: "",
    bad: "app = \"web\"\n[http_service]\ninternal_port = 8080",
    good: "app = \"web\"\nprimary_region = \"fra\"\n[http_service]\ninternal_port = 8080",
    source: "28 of 100 public files have none; Fly.io documentation, reference/configuration",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let is_set = config.primary_region.as_ref().is_some_and(|region| !region.is_empty());
    // With a volume more depends on it, and a lint of its own speaks of that.
    let mut mounts = config.mounts.iter().flat_map(|list| list.iter());
    if mounts.any(|mount| mount.source.as_ref().is_some_and(|source| !source.is_empty())) {
        return;
    }
    // A file with nothing to run says nothing about regions.
    let app = config.app.as_ref();
    if is_set || app.is_none() || !runs_something(config) {
        return;
    }
    let mut diagnostic = Diagnostic::new(&CODE, "no primary_region");
    if let Some(app) = app {
        diagnostic = diagnostic.at(app.key, "add primary_region = \"…\" beside the app");
    }
    out.push(diagnostic);
}

fn runs_something(config: &Config) -> bool {
    config.has_processes() || !config.all_services().is_empty() || config.mounts.is_some()
}
