//! Canonical JSON and digests over it.
//!
//! Two texts with the same meaning must have the same digest, whoever wrote them and in whatever order, so keys are sorted here and
//! not left to the JSON library, whose order is a compile-time feature that another crate may switch.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// SHA-256 over canonical JSON, written `sha256:` and 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Digest of a JSON value.
    pub fn of(value: &Value) -> Self {
        Self(format!("sha256:{}", sha256_hex(&[text(value).as_bytes()])))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first hex digits, for names that people read.
    pub fn short(&self) -> &str {
        let hex = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
        hex.get(..8).unwrap_or(hex)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON with sorted keys and no white space.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// Hex SHA-256 of the parts, one after the other.
pub(crate) fn sha256_hex(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    hex
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(&map[key], out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_does_not_matter_and_values_do() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"y":2,"x":1}],"a":"é\n"}"#).unwrap();
        let two: Value =
            serde_json::from_str(r#"{ "a":"\u00e9\n", "b":[1,{"x":1,"y":2}] }"#).unwrap();
        assert_eq!(text(&one), "{\"a\":\"é\\n\",\"b\":[1,{\"x\":1,\"y\":2}]}");
        assert_eq!(Digest::of(&one), Digest::of(&two));
        assert_ne!(Digest::of(&json!([1, 2])), Digest::of(&json!([2, 1])));
    }
}
