//! `force_https` on an app that is reached over Flycast only.

use super::common::{flycast_hint, forced_https};
use super::{Lint, LintInput};
use crate::diag::{Applicability, Code, Diagnostic, Edit, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "force-https-flycast",
    title: "force_https on an app that is reached over Flycast only",
    severity: Severity::Error,
    grade: Grade::Security,
    flyctl: Flyctl::Silent,
    why: "Flycast speaks plain HTTP inside the private network. With force_https every request is redirected to https://, where nothing answers with a certificate for that name, so no caller gets through.",
    details: "An app is reached over Flycast only when it has no public address, which its fly.toml does not show. Reported as an error where the address is known to be private, and as a warning or note with \"if\" where the file mentions Flycast: its own name NAME.flycast, or a comment.",
    bad: "app = \"api\"\n# reached over Flycast only\n[http_service]\ninternal_port = 8080\nforce_https = true",
    good: "app = \"api\"\n# reached over Flycast only\n[http_service]\ninternal_port = 8080\nforce_https = false",
    source: "Fly.io documentation, networking/flycast",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    if input.facts.public == Some(true) {
        return;
    }
    let hint = flycast_hint(input);
    let is_known = input.facts.public == Some(false);
    if !is_known && hint.is_none() {
        return;
    }
    for force in forced_https(input.config) {
        let mut diagnostic = if is_known {
            Diagnostic::new(&CODE, "this app has a private address only, and Flycast is plain HTTP")
        } else {
            let is_named = hint.as_ref().is_some_and(|hint| hint.is_own_name);
            Diagnostic::new(&CODE, "if this app is reached over Flycast only, nobody gets through")
                .severity(if is_named { Severity::Warning } else { Severity::Info })
        }
        .at(force, "redirects to https, which Flycast has not");
        if let Some(hint) = &hint {
            diagnostic = diagnostic.at(hint.span, "the file speaks of Flycast here");
        }
        out.push(diagnostic.fix(
            "write false",
            vec![Edit::replace(force, "false")],
            Applicability::MaybeIncorrect,
        ));
    }
}
