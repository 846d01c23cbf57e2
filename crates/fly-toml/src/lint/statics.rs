//! Statics that cannot be served.

use super::{Lint, LintInput};
use crate::diag::{Code, Diagnostic, Flyctl, Grade, Severity};

pub(super) static LINT: Lint = Lint { code: &CODE, check };

static CODE: Code = Code {
    id: "statics",
    title: "Statics without paths, too many or overlapping",
    severity: Severity::Error,
    grade: Grade::Correctness,
    flyctl: Flyctl::Silent,
    why: "flyctl lets it pass; the API refuses the entry, or the first of two that overlap answers for both.",
    details: "At most 10 entries; every one needs guest_path and url_prefix.",
    bad: "[[statics]]\nguest_path = \"/app/public\"",
    good: "[[statics]]\nguest_path = \"/app/public\"\nurl_prefix = \"/public\"",
    source: "Fly.io documentation, reference/configuration, statics",
};

const MOST: usize = 10;

fn check(input: &LintInput<'_>, out: &mut Vec<Diagnostic>) {
    let Some(statics) = &input.config.statics else { return };
    for entry in statics.iter().take(MOST) {
        for (name, value) in [("guest_path", &entry.guest_path), ("url_prefix", &entry.url_prefix)]
        {
            if value.as_ref().is_none_or(|value| value.is_empty()) {
                out.push(
                    Diagnostic::new(&CODE, format!("these statics have no {name}"))
                        .at(entry.span, format!("add {name} = \"…\"")),
                );
            }
        }
    }
    if let Some(extra) = statics.get(MOST) {
        out.push(
            Diagnostic::new(&CODE, format!("{} statics are more than {MOST}", statics.len()))
                .at(extra.span, "refused from here on"),
        );
    }
    let prefixes: Vec<_> =
        statics.iter().take(MOST).filter_map(|entry| entry.url_prefix.as_ref()).collect();
    for (index, later) in prefixes.iter().enumerate() {
        let covers = |prefix: &str| {
            let prefix = prefix.trim_end_matches('/');
            let rest = later.value.strip_prefix(prefix);
            !prefix.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(first) = prefixes[..index].iter().find(|first| covers(&first.value)) {
            out.push(
                Diagnostic::new(&CODE, format!("\"{}\" is never reached", later.value))
                    .severity(Severity::Warning)
                    .at(later.span, "below the other prefix")
                    .at(first.span, "the first that fits answers"),
            );
        }
    }
}
