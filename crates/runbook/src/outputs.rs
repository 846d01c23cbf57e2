//! What steps leave behind for later steps, for the journal and for the report: public values only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::Id;

/// A value that may be written to a journal, mirrored and printed. There is no way from a secret holder to it but through
/// [`Public::json`], whose call stands out in review; what is written is checked once more by a [`crate::secrets::SecretGuard`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Public(Value);

impl Public {
    /// Any JSON that the caller knows to be public.
    pub fn json(value: Value) -> Self {
        Self(value)
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

macro_rules! public_from {
    ($($plain:ty),*) => {
        $(impl From<$plain> for Public {
            fn from(plain: $plain) -> Self {
                Self(Value::from(plain))
            }
        })*
    };
}
public_from!(&str, String, bool, u64, i64, u32, f64, Vec<String>);

impl From<Timestamp> for Public {
    fn from(at: Timestamp) -> Self {
        Self(Value::from(at.to_string()))
    }
}

/// Named public values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outputs(BTreeMap<String, Public>);

impl Outputs {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Public>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// One by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(Public::value)
    }

    /// A text by name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.value()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const KEY: &str = "$output";

/// `{"$output": "STEP/NAME"}`: stands for that output when the step runs.
pub fn reference(step: &Id, name: &str) -> Value {
    serde_json::json!({ KEY: format!("{step}/{name}") })
}

/// All references in a value.
pub(crate) fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let (1, Some(Value::String(name))) = (map.len(), map.get(KEY)) {
                found.insert(name.clone());
                return;
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Step and name of a reference.
pub(crate) fn split(reference: &str) -> Option<(Id, &str)> {
    reference.split_once('/').map(|(step, name)| (Id::new(step), name))
}

/// The value with every reference replaced; the first that has no value is the error.
pub(crate) fn resolve(value: &Value, get: &dyn Fn(&str) -> Option<Value>) -> Result<Value, String> {
    Ok(match value {
        Value::Object(map) => {
            if let (1, Some(Value::String(name))) = (map.len(), map.get(KEY)) {
                return get(name).ok_or_else(|| name.clone());
            }
            let mut copy = serde_json::Map::new();
            for (key, value) in map {
                copy.insert(key.clone(), resolve(value, get)?);
            }
            Value::Object(copy)
        }
        Value::Array(items) => items
            .iter()
            .map(|value| resolve(value, get))
            .collect::<Result<_, _>>()
            .map(Value::Array)?,
        scalar => scalar.clone(),
    })
}
