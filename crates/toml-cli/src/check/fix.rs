//! Applying machine-applicable fixes until there are none left, without making anything worse.

use fly_toml::{Applicability, Diagnostic, Options, Report};

/// One fix can make room for the next; more rounds than this mean that two fixes undo each other.
const ROUNDS: usize = 10;

/// A text after its fixes.
#[derive(Debug)]
pub(crate) struct Fixed {
    /// The text.
    pub(crate) text: String,
    /// What was done, each thing once.
    pub(crate) titles: Vec<String>,
}

/// The text after all chosen fixes; `None` when nothing changes or the result would be refused where the original is not.
pub(crate) fn fixed(
    bytes: &[u8],
    options: &Options,
    chosen: impl Fn(&Diagnostic) -> bool,
) -> Option<Fixed> {
    let mut titles: Vec<String> = Vec::new();
    let first = fly_toml::check_bytes(bytes, options);
    let was_accepted = first.accepted();
    let mut report = first;
    let mut text = None;
    for _ in 0..ROUNDS {
        report.diagnostics.retain(&chosen);
        let Some(next) = report.fixed() else { break };
        titles.extend(applied(&report));
        report = fly_toml::check_with(&next, options);
        text = Some(next);
    }
    let text = text?;
    if was_accepted && !report.accepted() {
        return None;
    }
    titles.sort();
    titles.dedup();
    Some(Fixed { text, titles })
}

fn applied(report: &Report) -> impl Iterator<Item = String> {
    let fixes = report.diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
    fixes
        .filter(|fix| fix.applicability == Applicability::MachineApplicable)
        .map(|fix| fix.title.clone())
}
