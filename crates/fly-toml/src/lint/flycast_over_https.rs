//! An https address below `.flycast`.

use super::common::texts;
use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "flycast-over-https",
    title: "A Flycast address is called over https",
    severity: Severity::Warning,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "Flycast speaks plain HTTP: the private network is encrypted already, and there is no certificate for a .flycast name. A client that checks certificates fails.",
    details: "Unless the other app serves TLS itself, with a certificate that its callers know.",
    bad: "[env]\nAPI_URL = \"https://api.flycast/v1\"",
    good: "[env]\nAPI_URL = \"http://api.flycast/v1\"",
    source: "Fly.io documentation, networking/flycast",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for text in texts(input.config) {
        let is_meant = text.value.split("https://").skip(1).any(|rest| {
            let host = rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)));
            host.into_iter().next().is_some_and(|host| host.ends_with(".flycast"))
        });
        if is_meant {
            out.push(
                Diagnostic::new(
                    &CODE,
                    format!("`{}` calls a Flycast address over https", text.name),
                )
                .at(text.span, "write http://"),
            );
        }
    }
}
