//! The rules by id. What each looks for is in `scan`; this table is what documentation and reports are made from.

/// Version of the rule set: grows whenever a rule finds more or less than before.
pub const RULES_VERSION: &str = "1";

/// Id of a rule, as in [`RULES`].
pub type RuleId = &'static str;

/// Why something was taken for a secret, from the surest to the least sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Layer {
    /// Because of the key it stood behind.
    L1,
    /// Because of its own form.
    L2,
    /// Because of the form around it.
    L3,
    /// Because the value was known.
    L4,
    /// Because it looks random and stands near a telling word.
    L5,
    /// Because it names a person or a place.
    L6,
}

/// One rule.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Rule {
    /// Stable id.
    pub id: RuleId,
    /// What it finds, in a word or two.
    pub kind: &'static str,
    /// Layer.
    pub layer: Layer,
}

/// All rules.
pub const RULES: &[Rule] = &[
    Rule { id: "fly-macaroon", kind: "Fly.io macaroon", layer: Layer::L2 },
    Rule { id: "known-value", kind: "value known to be secret", layer: Layer::L4 },
];
