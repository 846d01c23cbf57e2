//! Differences and changes as text.

use std::fmt::Write as _;

use fly_toml::diff::Difference;
use serde_json::Value;

/// One line each: `+` new, `-` gone, `~` changed. Variables and other free texts may hold secrets and are shown by name
/// only where their name or value looks like one.
pub(crate) fn differences(differences: &[Difference]) -> String {
    let mut text = String::new();
    for difference in differences {
        let path = &difference.path;
        // Writing to a string cannot fail.
        let _ = match (&difference.before, &difference.after) {
            (Some(before), Some(after)) => {
                writeln!(text, "~ {path}: {} -> {}", value(path, before), value(path, after))
            }
            (Some(before), None) => writeln!(text, "- {path}: {}", value(path, before)),
            (None, Some(after)) => writeln!(text, "+ {path}: {}", value(path, after)),
            (None, None) => Ok(()),
        };
    }
    text
}

fn value(path: &str, value: &Value) -> String {
    match value.as_str() {
        Some(text) if fly_toml::lint::looks_secret(path, text) => "(hidden)".to_owned(),
        _ => value.to_string(),
    }
}
