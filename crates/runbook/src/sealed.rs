//! Plan files: a checked plan with its digest. A file that was edited, cut or written by a newer tool is refused.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::canonical::Digest;
use crate::error::Refusal;
use crate::plan::Plan;
use crate::validate;

/// Format of plan files that is written here, and the newest that is read.
pub const PLAN_VERSION: u64 = 1;
const FORMAT: &str = "runbook-plan";

/// A plan that keeps the rules, with the digest that approvals and journals name. It cannot be changed any more.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedPlan {
    plan: Plan,
    value: Value,
    digest: Digest,
}

impl SealedPlan {
    /// Checks a plan and seals it.
    ///
    /// # Errors
    /// [`Refusal::Plan`] naming every broken rule.
    pub fn seal(plan: Plan) -> Result<Self, Refusal> {
        let problems = validate::check(&plan);
        if !problems.is_empty() {
            return Err(Refusal::Plan(problems.join("; ")));
        }
        let value =
            serde_json::to_value(&plan).map_err(|error| Refusal::Plan(error.to_string()))?;
        let digest = Digest::of(&value);
        Ok(Self { plan, value, digest })
    }

    /// Reads a plan file. The digest is checked over everything that is in it, also over fields that are not known here.
    ///
    /// # Errors
    /// [`Refusal::Plan`] for an edited, cut or foreign file, [`Refusal::NewerPlan`] for a newer format.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let file: Value = serde_json::from_str(text).map_err(|error| {
            let what =
                if error.is_eof() { "the file is cut short" } else { "the file is not JSON" };
            Refusal::Plan(format!("{what} ({error})"))
        })?;
        if file["format"] != FORMAT {
            return Err(Refusal::Plan("this is no plan file".to_owned()));
        }
        match file["version"].as_u64() {
            Some(PLAN_VERSION) => {}
            Some(found) if found > PLAN_VERSION => {
                return Err(Refusal::NewerPlan { found, known: PLAN_VERSION });
            }
            _ => return Err(Refusal::Plan(format!("unknown format version {}", file["version"]))),
        }
        let value = file["plan"].clone();
        let digest = Digest::of(&value);
        if file["digest"] != digest.as_str() {
            return Err(Refusal::Plan(
                "the content does not match its digest: the file was edited or damaged".to_owned(),
            ));
        }
        let plan = Plan::deserialize(&value).map_err(|error| Refusal::Plan(error.to_string()))?;
        let problems = validate::check(&plan);
        if !problems.is_empty() {
            return Err(Refusal::Plan(problems.join("; ")));
        }
        Ok(Self { plan, value, digest })
    }

    /// The text of a plan file, ending in a newline.
    pub fn to_text(&self) -> String {
        let file = json!({
            "format": FORMAT, "version": PLAN_VERSION, "digest": self.digest.as_str(), "plan": self.value,
        });
        format!("{file:#}\n")
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Its digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}
