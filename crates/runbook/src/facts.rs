//! The inventory of a plan as named values, and what changed since.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::{self, Digest};

/// What a change of a fact means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftClass {
    /// The plan is still right: reported, not stopped.
    Benign,
    /// The plan was made for something else: make a new one.
    Stale,
}

/// A value with what its change would mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// As it was seen.
    pub value: Value,
    /// What a change means.
    pub on_change: DriftClass,
}

/// Named facts, such as `machine/148e21/region`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Fact>);

impl Facts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact whose change makes the plan stale.
    pub fn stale_if_changed(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), Fact { value: value.into(), on_change: DriftClass::Stale });
    }

    /// Adds a fact whose change is only reported.
    pub fn benign(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), Fact { value: value.into(), on_change: DriftClass::Benign });
    }

    /// The value of a fact.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|fact| &fact.value)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, fact)| (name.as_str(), fact))
    }

    /// The fingerprint of the inventory: a digest over names and values.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.0.iter().map(|(name, fact)| (name.clone(), fact.value.clone())).collect())
    }

    /// What changed from here to `now`. A fact that is on one side only has changed too.
    pub fn drift(&self, now: &Self) -> Vec<Drift> {
        let mut drift = Vec::new();
        for (name, before) in &self.0 {
            let after = now.0.get(name);
            if after.is_none_or(|after| after.value != before.value) {
                drift.push(Drift {
                    fact: name.clone(),
                    before: Some(before.value.clone()),
                    now: after.map(|after| after.value.clone()),
                    class: before.on_change,
                });
            }
        }
        for (name, after) in now.0.iter().filter(|(name, _)| !self.0.contains_key(*name)) {
            drift.push(Drift {
                fact: name.clone(),
                before: None,
                now: Some(after.value.clone()),
                class: after.on_change,
            });
        }
        drift
    }
}

/// One fact that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Which.
    pub fact: String,
    /// In the plan; absent if it is new.
    pub before: Option<Value>,
    /// Now; absent if it is gone.
    pub now: Option<Value>,
    /// What that means.
    pub class: DriftClass,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |value: &Option<Value>| value.as_ref().map_or("absent".to_owned(), canonical::text);
        write!(f, "{} was {} and is {}", self.fact, show(&self.before), show(&self.now))
    }
}

/// Whether a name is covered by a pattern of [`crate::plan::Step::changes`].
pub(crate) fn covers(pattern: &str, fact: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => fact.starts_with(prefix),
        None => pattern == fact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_names_what_changed_appeared_and_vanished() {
        let (mut plan, mut now) = (Facts::new(), Facts::new());
        plan.stale_if_changed("a", 1);
        plan.benign("b", 1);
        plan.stale_if_changed("gone", true);
        plan.stale_if_changed("same", "x");
        now.stale_if_changed("a", 2);
        now.benign("b", 2);
        now.stale_if_changed("same", "x");
        now.stale_if_changed("new", "n");
        let drift = plan.drift(&now);
        let lines: Vec<String> = drift.iter().map(|one| format!("{:?} {one}", one.class)).collect();
        assert_eq!(
            lines,
            [
                "Stale a was 1 and is 2",
                "Benign b was 1 and is 2",
                "Stale gone was true and is absent",
                "Stale new was absent and is \"n\"",
            ]
        );
        assert_ne!(plan.fingerprint(), now.fingerprint());
    }

    #[test]
    fn patterns_cover_names_and_prefixes() {
        assert!(covers("machine/1/*", "machine/1/state") && covers("a", "a"));
        assert!(!covers("machine/1/*", "machine/10/state") && !covers("a", "ab"));
    }
}
