//! Changes of fly.toml as patches. Nothing is written: the user commits them.

use std::fmt::Write as _;

use fly_types::RegionCode;

/// A unified diff that moves `primary_region`, and `PRIMARY_REGION` where `[env]` has it, too: with only one of them changed nothing
/// moves (docs PR 1245). None if the file names another region, or none.
pub fn primary_region(
    text: Option<&str>,
    source: &RegionCode,
    target: &RegionCode,
) -> Option<String> {
    let lines: Vec<&str> = text?.lines().collect();
    let changed: Vec<usize> =
        (0..lines.len()).filter(|number| names(lines[*number], source)).collect();
    let first = changed.first()?.saturating_sub(CONTEXT);
    let last = (changed.last()? + 1 + CONTEXT).min(lines.len());
    let count = last - first;
    let mut patch =
        format!("--- a/fly.toml\n+++ b/fly.toml\n@@ -{0},{count} +{0},{count} @@\n", first + 1);
    for (number, line) in lines.iter().enumerate().take(last).skip(first) {
        if changed.contains(&number) {
            let new = line.replacen(source.as_str(), target.as_str(), 1);
            let _ = write!(patch, "-{line}\n+{new}\n");
        } else {
            let _ = writeln!(patch, " {line}");
        }
    }
    Some(patch)
}

/// Lines around a change.
const CONTEXT: usize = 3;

/// Whether a line sets the primary region to this one.
fn names(line: &str, source: &RegionCode) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    let value = value.trim_start();
    matches!(key.trim(), "primary_region" | "PRIMARY_REGION" | "\"PRIMARY_REGION\"")
        && ['"', '\''].iter().any(|quote| value.starts_with(&format!("{quote}{source}{quote}")))
}
