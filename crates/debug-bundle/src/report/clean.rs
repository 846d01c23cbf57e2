//! Redaction of JSON that the tool makes itself: texts are redacted, words that programs switch on are left alone. An
//! environment variable may hold the value `critical`; the severity of a finding must survive that.

use redact::Redactor;
use serde_json::Value;

/// Keys whose values come from closed sets, or are hashes, times and identifiers made here.
const STRUCTURAL: [&str; 29] = [
    "$schema",
    "arch",
    "code",
    "confidence",
    "enables",
    "file_id",
    "findings_lost",
    "id",
    "judged",
    "key_id",
    "kind",
    "lost_findings",
    "media_type",
    "method",
    "name",
    "os",
    "path",
    "ph",
    "pool",
    "requires",
    "rule",
    "rules_version",
    "schema",
    "severity",
    "sha256",
    "status",
    "tags",
    "target",
    "ts",
];

/// The value as indented JSON, its texts redacted.
pub fn json(redactor: &Redactor, mut value: Value) -> Vec<u8> {
    walk(redactor, &mut value, false);
    let mut text = serde_json::to_vec_pretty(&value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// The same on one line.
pub(super) fn line(redactor: &Redactor, mut value: Value) -> Vec<u8> {
    walk(redactor, &mut value, false);
    let mut text = serde_json::to_vec(&value).unwrap_or_default();
    text.push(b'\n');
    text
}

fn walk(redactor: &Redactor, value: &mut Value, structural: bool) {
    match value {
        Value::String(text) if !(structural && is_word(text)) => {
            let clean = redactor.redact_str(text);
            if clean != *text {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(redactor, item, structural)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                walk(redactor, value, STRUCTURAL.contains(&key.as_str()));
            }
        }
        _ => {}
    }
}

/// What a closed set, hash, path or time looks like; anything else is a text whatever its key.
fn is_word(text: &str) -> bool {
    text.len() <= 200
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:+ %".contains(&byte))
}
