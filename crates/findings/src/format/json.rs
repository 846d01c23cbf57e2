//! The report as data, in a versioned envelope with a published schema.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clean;
use crate::report::{Report, ReportError};

/// Major version of the envelope. New optional fields do not raise it; readers ignore what they do not know.
pub const SCHEMA_VERSION: u64 = 1;

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Findings report")]
struct Envelope<R> {
    /// Major version of this format.
    version: u64,
    /// The report.
    #[serde(flatten)]
    report: R,
}

/// The report as JSON.
pub fn json(report: &Report) -> String {
    pretty(&Envelope { version: SCHEMA_VERSION, report })
}

/// The JSON Schema (2020-12) of [`json`].
pub fn json_schema() -> String {
    pretty(&schemars::schema_for!(Envelope<Report>))
}

/// JSON with line breaks, ending with a line feed. Characters that a terminal acts on and JSON allows as they are (C1
/// controls, marks that reorder text) are escaped; they can only stand within strings, where that changes nothing.
pub(crate) fn pretty<T: Serialize>(value: &T) -> String {
    // Only maps with keys that are no strings and failing `Serialize` implementations fail; the model has neither.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if clean::acts(c) && c != '\n' {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped.push('\n');
    escaped
}

impl Report {
    /// Reads what [`json`] wrote. Refuses a newer major version, ignores unknown fields.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let Version { version } = serde_json::from_str(text)?;
        if version > SCHEMA_VERSION {
            return Err(ReportError::Newer { found: version, newest: SCHEMA_VERSION });
        }
        Ok(serde_json::from_str::<Envelope<Self>>(text)?.report)
    }
}
