//! Analyzers: pure functions from [`Facts`] to findings, one file each.
//!
//! Each says which collectors it cannot do without; what it could not judge is listed with the reason. To add one: a file
//! here with its rule and tests (positive, near miss, missing data), a line in [`ALL`].

mod check_failing;
mod machine_crash_loop;
mod machine_none_started;
mod machine_oom;
mod platform_incident;

use findings::{Catalogue, Finding, NotJudged, Report, Rule, Tool};

use crate::facts::{Facts, Missing};

/// One diagnosis.
pub struct Analyzer {
    /// What it looks for.
    pub rule: Rule,
    /// Collectors without whose data it cannot judge.
    pub inputs: &'static [&'static str],
    /// Collectors whose data makes it surer or more telling.
    pub also: &'static [&'static str],
    /// The judgement. Findings that it can make it makes, even if some inputs are incomplete.
    pub judge: fn(&Facts) -> Result<Judged, Missing>,
}

/// What an analyzer has to say.
#[derive(Debug, Default)]
pub struct Judged {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What it could not look at, e.g. a single Machine without configuration.
    pub unseen: Vec<Missing>,
}

impl From<Vec<Finding>> for Judged {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, unseen: Vec::new() }
    }
}

/// The registry.
pub static ALL: [&Analyzer; 5] = [
    &machine_oom::ANALYZER,
    &machine_crash_loop::ANALYZER,
    &machine_none_started::ANALYZER,
    &check_failing::ANALYZER,
    &platform_incident::ANALYZER,
];

/// The rules of all analyzers.
pub fn catalogue() -> Catalogue {
    Catalogue::new(ALL.iter().map(|analyzer| analyzer.rule))
}

/// Analyzers that read the data of a collector.
pub fn enabled_by(collector: &str) -> Vec<String> {
    let reads = |analyzer: &&&Analyzer| {
        analyzer.inputs.contains(&collector) || analyzer.also.contains(&collector)
    };
    ALL.iter().filter(reads).map(|analyzer| analyzer.rule.id.to_owned()).collect()
}

/// Runs every analyzer. One that crashes is listed as not judged, with the reason.
pub fn analyze(facts: &Facts) -> Report {
    let (mut found, mut missing, mut judged) = (Vec::new(), Vec::new(), Vec::new());
    for analyzer in ALL {
        let rule = &analyzer.rule;
        let not =
            |it: Missing| NotJudged { rule: rule.id.to_owned(), input: it.input, why: it.why };
        match std::panic::catch_unwind(|| (analyzer.judge)(facts)) {
            Ok(Ok(said)) => {
                judged.push(rule.id.to_owned());
                found.extend(said.findings);
                missing.extend(said.unseen.into_iter().map(not));
            }
            Ok(Err(lacking)) => missing.push(not(lacking)),
            Err(_) => missing
                .push(rule.not_judged("analyzer", "the analyzer itself crashed; this is a bug")),
        }
    }
    let tool = Tool { name: crate::TOOL.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    Report::new(tool, format!("app {}", facts.app()), judged, found, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_no_problems_and_inputs_exist() {
        assert_eq!(catalogue().problems(), Vec::<String>::new());
        let known: Vec<&str> = crate::collect::all().iter().map(|it| it.spec().id).collect();
        for analyzer in ALL {
            for input in analyzer.inputs.iter().chain(analyzer.also) {
                assert!(known.contains(input), "{} reads {input}", analyzer.rule.id);
            }
        }
    }
}

#[cfg(test)]
mod testing;
