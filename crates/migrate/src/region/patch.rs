//! Changes of fly.toml as patches. Nothing is written: the user commits them.

use std::fmt::Write as _;

use fly_types::RegionCode;

/// A unified diff that moves `primary_region`; none if the file names another region, or none.
pub fn primary_region(
    text: Option<&str>,
    source: &RegionCode,
    target: &RegionCode,
) -> Option<String> {
    let text = text?;
    let lines: Vec<&str> = text.lines().collect();
    let is_it = |line: &&str| {
        line.trim_start()
            .strip_prefix("primary_region")
            .is_some_and(|rest| rest.trim_start().starts_with('='))
            && line.contains(source.as_str())
    };
    let at = lines.iter().position(is_it)?;
    let (first, last) = (at.saturating_sub(3), (at + 4).min(lines.len()));
    let count = last - first;
    let mut patch =
        format!("--- a/fly.toml\n+++ b/fly.toml\n@@ -{0},{count} +{0},{count} @@\n", first + 1);
    for (number, line) in lines.iter().enumerate().take(last).skip(first) {
        if number == at {
            let _ =
                write!(patch, "-{line}\n+{}\n", line.replacen(source.as_str(), target.as_str(), 1));
        } else {
            let _ = writeln!(patch, " {line}");
        }
    }
    Some(patch)
}
