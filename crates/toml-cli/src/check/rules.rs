//! Diagnostic codes as rules of the shared model, for selections, ignore files and SARIF.

use findings::{Catalogue, Rule};
use fly_toml::Code;
use fly_toml::diag::{self, Grade};

/// All codes.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new(diag::all().into_iter().map(rule))
}

/// One code.
pub(crate) fn rule(code: &'static Code) -> Rule {
    Rule {
        id: code.id,
        title: code.title,
        severity: code.severity,
        tags: tags(code.grade),
        aliases: &[],
        explanation: code.why,
        basis: code.source,
    }
}

/// The same words as [`fly_toml::diag::to_finding`] gives.
fn tags(grade: Grade) -> &'static [&'static str] {
    match grade {
        Grade::Syntax => &["fly.toml", "syntax"],
        Grade::Shape => &["fly.toml", "shape"],
        Grade::Semantic => &["fly.toml", "semantic"],
        Grade::Legacy => &["fly.toml", "legacy"],
        Grade::Correctness => &["fly.toml", "correctness"],
        Grade::Readiness => &["fly.toml", "readiness"],
        Grade::Security => &["fly.toml", "security"],
        Grade::Cost => &["fly.toml", "cost"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sound_and_its_tags_are_those_of_findings() {
        assert_eq!(catalogue().problems(), Vec::<String>::new());
        for code in diag::all() {
            assert_eq!(tags(code.grade), ["fly.toml", code.grade.name()]);
        }
    }
}
