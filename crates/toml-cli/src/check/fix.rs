//! Applying machine-applicable fixes until there are none left, without making anything worse.

use std::fs;
use std::path::Path;

use fly_toml::{Applicability, Diagnostic, Options, Report};
use ops_cli::{CliError, write_atomic};

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

/// Replaces the file, unless somebody else changed it since it was read.
pub(crate) fn write(path: &Path, shown: &str, before: &[u8], text: &str) -> Result<(), CliError> {
    let now = fs::read(path)
        .map_err(|error| CliError::nothing_done(format!("cannot read {shown}")).caused_by(error))?;
    if now != before {
        return Err(CliError::nothing_done(format!("{shown} changed while it was being fixed"))
            .hint("nothing was written; run the command again"));
    }
    write_atomic(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fly.toml");
        fs::write(&path, "b = 1\n").unwrap();
        assert!(write(&path, "fly.toml", b"a = 1\n", "c = 1\n").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"b = 1\n");
        write(&path, "fly.toml", b"b = 1\n", "c = 1\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"c = 1\n");
    }
}
