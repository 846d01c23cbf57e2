//! The last line before the journal: what looks like a secret is not written.
//!
//! Which texts are secret is not known here; a binary passes a guard made of its redaction rules and the values it knows.

use serde_json::Value;

/// Finds secrets in text.
pub trait SecretGuard: Send + Sync {
    /// The text with every secret replaced; the same text if there is none.
    fn scrub(&self, text: &str) -> String;
}

/// Finds nothing: for tests and for callers without secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl SecretGuard for NoSecrets {
    fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// The path of the first text in a value that the guard would change.
pub(crate) fn leak(guard: &dyn SecretGuard, value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => (guard.scrub(text) != *text).then(|| path.to_owned()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, value)| leak(guard, value, &format!("{path}[{index}]"))),
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            if guard.scrub(key) == *key { leak(guard, value, &path) } else { Some(path) }
        }),
        _ => None,
    }
}
