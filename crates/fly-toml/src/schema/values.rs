//! Scalars that have more than one spelling: durations, sizes, loose integers, words.

use serde_json::json;

use super::cx::Cx;
use super::read::Read;
use crate::syntax::{BareUnit, Kind, Table, Value, to_json};

/// A duration. In fly.toml a text in Go's form (`1m30s`), or a bare number whose unit depends on the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Its length.
    pub nanos: i64,
    /// The unit that a bare number took; `None` when it was written with units.
    pub bare: Option<BareUnit>,
}

impl Time {
    /// The length in seconds.
    #[expect(clippy::cast_precision_loss, reason = "compared with limits of seconds")]
    pub fn seconds(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    /// In Go's form, as machine configs hold it.
    pub fn text(self) -> String {
        super::go::duration(self.nanos)
    }
}

impl Read for Time {
    const EXPECTED: &'static str = "a duration";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        match &value.kind {
            Kind::Duration(nanos, unit) => Some(Self { nanos: *nanos, bare: Some(*unit) }),
            Kind::String(text) => {
                let nanos = super::go::parse_duration(text);
                if nanos.is_none() {
                    cx.wrong_value(
                        value,
                        format!("`{}` is not a duration", cx.name("")),
                        "write numbers with units, like 15s or 1m30s (units ns, us, ms, s, m, h)",
                    );
                }
                nanos.map(|nanos| Self { nanos, bare: None })
            }
            Kind::Integer(number) => {
                Some(Self { nanos: *number, bare: Some(BareUnit::Nanoseconds) })
            }
            #[expect(clippy::cast_possible_truncation, reason = "truncated as flyctl does")]
            Kind::Float(number) if number.is_finite() => {
                Some(Self { nanos: *number as i64, bare: Some(BareUnit::Nanoseconds) })
            }
            _ => {
                cx.wrong_kind(value, "a duration such as \"15s\"");
                None
            }
        }
    }

    fn schema() -> serde_json::Value {
        json!({
            "oneOf": [
                { "type": "string", "pattern": "^([+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+$|^[+-]?0$|^$" },
                { "type": "number" }
            ],
            "examples": ["15s"]
        })
    }

    fn canonical(&self) -> serde_json::Value {
        self.text().into()
    }
}

/// Declares a text whose unit and number forms a patch turns into text before it is read.
macro_rules! text_or_number {
    ($(#[doc = $doc:literal])+ $name:ident, $amount:ident) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub String);

        impl Read for $name {
            const EXPECTED: &'static str = "a string";

            fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
                String::read(value, cx).map(Self)
            }

            fn schema() -> serde_json::Value {
                json!({ "type": ["string", "integer"] })
            }

            fn canonical(&self) -> serde_json::Value {
                match self.$amount() {
                    Some(amount) => format!("{amount} {}", stringify!($amount)).into(),
                    None => self.0.as_str().into(),
                }
            }
        }
    };
}

text_or_number! {
    /// An amount of memory: digits alone are MiB, suffixes count by 1024.
    Memory, mb
}

text_or_number! {
    /// The size of a volume: digits alone are GB, suffixes count by 1000.
    VolumeSize, gb
}

impl Memory {
    /// Whole MiB; `None` when it is not a size.
    pub fn mb(&self) -> Option<i64> {
        super::go::size(&self.0, 1024, 1 << 20)
    }
}

impl VolumeSize {
    /// Whole GB; `None` when it is not a size.
    pub fn gb(&self) -> Option<i64> {
        super::go::size(&self.0, 1000, 1_000_000_000)
    }
}

/// An integer that may be quoted; a patch removes the quotes before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LooseInt(pub i64);

impl Read for LooseInt {
    const EXPECTED: &'static str = "an integer";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        i64::read(value, cx).map(Self)
    }

    fn schema() -> serde_json::Value {
        json!({ "oneOf": [{ "type": "integer" }, { "type": "string", "pattern": "^[+-]?[0-9]+$" }] })
    }

    fn canonical(&self) -> serde_json::Value {
        self.0.into()
    }
}

/// What happens to Machines that nobody talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autostop {
    /// They go on running.
    Off,
    /// They are stopped.
    Stop,
    /// They are suspended.
    Suspend,
}

impl Autostop {
    /// The word in fly.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Stop => "stop",
            Self::Suspend => "suspend",
        }
    }
}

impl Read for Autostop {
    const EXPECTED: &'static str = "\"off\", \"stop\", \"suspend\" or a boolean";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        match &value.kind {
            Kind::Boolean(true) => Some(Self::Stop),
            Kind::Boolean(false) => Some(Self::Off),
            Kind::String(word) => match word.as_str() {
                "off" => Some(Self::Off),
                "stop" => Some(Self::Stop),
                "suspend" => Some(Self::Suspend),
                _ => {
                    cx.wrong_value(
                        value,
                        format!("`{}` cannot be \"{word}\"", cx.name("")),
                        "write \"off\", \"stop\" or \"suspend\"",
                    );
                    None
                }
            },
            _ => {
                cx.wrong_kind(value, Self::EXPECTED);
                None
            }
        }
    }

    fn schema() -> serde_json::Value {
        json!({ "enum": ["off", "stop", "suspend", true, false] })
    }

    fn canonical(&self) -> serde_json::Value {
        self.as_str().into()
    }
}

/// Whether the root file system outlives a stop. Deprecated in favour of the Machine's `rootfs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistRootfs {
    /// Nothing is sent.
    Unset,
    /// Never.
    Never,
    /// Across restarts.
    Restart,
    /// Always.
    Always,
}

impl PersistRootfs {
    /// The word in a machine config; empty for [`Self::Unset`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::Never => "never",
            Self::Restart => "restart",
            Self::Always => "always",
        }
    }
}

impl Read for PersistRootfs {
    const EXPECTED: &'static str = "\"never\", \"restart\" or \"always\"";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let number = match value.kind {
            Kind::Integer(number) => Some(number),
            _ => None,
        };
        match (value.as_str(), number) {
            (Some("" | "none"), _) | (_, Some(0)) => Some(Self::Unset),
            (Some("never"), _) | (_, Some(1)) => Some(Self::Never),
            (Some("restart"), _) | (_, Some(2)) => Some(Self::Restart),
            (Some("always"), _) | (_, Some(3)) => Some(Self::Always),
            (None, None) => {
                cx.wrong_kind(value, Self::EXPECTED);
                None
            }
            _ => {
                let message = format!("`{}` has a value that does not exist", cx.name(""));
                cx.wrong_value(value, message, "write \"never\", \"restart\" or \"always\"");
                None
            }
        }
    }

    fn schema() -> serde_json::Value {
        json!({ "enum": ["never", "restart", "always", "none", "", 0, 1, 2, 3] })
    }

    fn canonical(&self) -> serde_json::Value {
        self.as_str().into()
    }
}

/// A table whose keys nobody checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Free(pub Table);

impl Read for Free {
    const EXPECTED: &'static str = "a table";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let table = value.as_table().cloned().map(Self);
        if table.is_none() {
            cx.wrong_kind(value, Self::EXPECTED);
        }
        table
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "object" })
    }

    fn canonical(&self) -> serde_json::Value {
        self.0
            .entries()
            .iter()
            .map(|entry| (entry.key.name.clone(), to_json(&entry.value)))
            .collect()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        super::union(first, second, |_, _, new| new.clone())
    }
}
