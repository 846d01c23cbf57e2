//! A release command that cannot do its job.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "release-command",
    title: "A release command that needs a volume, builds assets or is short of memory",
    severity: Severity::Info,
    grade: Grade::Readiness,
    flyctl: Flyctl::Silent,
    why: "The release command runs in a Machine of its own, which is thrown away: no volume is mounted, and what it writes is lost.",
    details: "Build in the Dockerfile; give it memory with [deploy.release_command_vm].",
    bad: "[deploy]\nrelease_command = \"npm run build\"",
    good: "[deploy]\nrelease_command = \"npx prisma migrate deploy\"",
    source: "Fly.io documentation, reference/configuration, release_command",
};

/// Commands that make files which the app needs.
const BUILDS: &[&str] =
    &["assets:precompile", "collectstatic", "run build", "webpack", "vite build"];

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.config;
    let command = config.deploy.as_ref().and_then(|deploy| deploy.release_command.as_ref());
    let Some(command) = command.filter(|command| !command.is_empty()) else { return };
    if let Some(word) = BUILDS.iter().find(|word| command.value.contains(**word)) {
        out.push(
            Diagnostic::new(&CODE, format!("`{word}` writes files that are thrown away"))
                .severity(Severity::Warning)
                .at(command.span, "do this in the Dockerfile"),
        );
    }
    for mount in config.mounts.iter().flat_map(|list| list.iter()) {
        let path = mount.destination.as_ref().map_or("", |path| path.value.as_str());
        if path.len() > 1 && command.value.contains(path) {
            out.push(
                Diagnostic::new(&CODE, format!("{path} does not exist in the release Machine"))
                    .severity(Severity::Error)
                    .at(command.span, "runs without volumes")
                    .at(mount.span, "mounted in the app's Machines only"),
            );
        }
    }
}
