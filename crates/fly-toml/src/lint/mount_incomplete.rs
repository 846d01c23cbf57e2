//! A mount that cannot be made.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};
use crate::schema::Located;

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "mount-incomplete",
    title: "A mount without source or destination, or on /",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl lets it pass and the API refuses the Machine.",
    details: "",
    bad: "[[mounts]]\nsource = \"data\"",
    good: "[[mounts]]\nsource = \"data\"\ndestination = \"/data\"",
    source: "Fly.io documentation, reference/configuration, mounts",
};

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    for mount in input.config.mounts.iter().flat_map(|list| list.iter()) {
        let is_set =
            |text: &Option<Located<String>>| text.as_ref().is_some_and(|it| !it.is_empty());
        for (name, value) in [("source", &mount.source), ("destination", &mount.destination)] {
            if !is_set(value) {
                out.push(
                    Diagnostic::new(&CODE, format!("this mount has no {name}"))
                        .at(mount.span, format!("add {name} = \"…\"")),
                );
            }
        }
        let Some(path) = mount.destination.as_ref().filter(|path| !path.is_empty()) else {
            continue;
        };
        if path.value == "/" || !path.value.starts_with('/') {
            let words =
                if path.value == "/" { "the root is taken" } else { "not an absolute path" };
            out.push(
                Diagnostic::new(&CODE, "a volume cannot be mounted there").at(path.span, words),
            );
        }
    }
}
