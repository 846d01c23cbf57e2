//! The only way to the right to change something: an approval made for one plan.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::error::Refusal;
use crate::plan::Risk;
use crate::sealed::SealedPlan;

/// How a plan was approved; written to the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ApprovedBy {
    /// A flag of the command.
    Flag,
    /// An answer at a prompt.
    Prompt,
    /// A file that somebody made beforehand.
    File {
        /// Who made it.
        approver: String,
        /// When.
        at: Timestamp,
    },
    /// The approval under which the run began.
    Run,
}

/// Somebody said yes to exactly one plan.
#[derive(Debug)]
pub struct Approval {
    digest: Digest,
    by: ApprovedBy,
}

/// An approval as a file beside the plan, for pipelines in which one person approves and a machine applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalFile {
    /// Digest of the plan.
    pub digest: Digest,
    /// Who approved.
    pub approver: String,
    /// When.
    pub at: Timestamp,
    /// Not valid from then on.
    pub expires: Timestamp,
    /// The confirmation phrase, where the plan asks for one.
    #[serde(default)]
    pub typed: Option<String>,
}

/// What must be typed to approve a plan: nothing but yes, or the name of its target if data can be lost or there is a point of no return.
pub fn phrase(plan: &SealedPlan) -> Option<&str> {
    let plan = plan.plan();
    (plan.risk() == Risk::DataLoss || plan.point_of_no_return.is_some())
        .then_some(plan.target.name.as_str())
}

impl Approval {
    /// From flags: `yes`, and the phrase where one is needed.
    ///
    /// # Errors
    /// [`Refusal::NotApproved`] saying what is missing.
    pub fn from_flag(plan: &SealedPlan, yes: bool, typed: Option<&str>) -> Result<Self, Refusal> {
        if !yes && typed.is_none() {
            return Err(Refusal::NotApproved("nobody said yes".to_owned()));
        }
        Self::checked(plan, typed, ApprovedBy::Flag)
    }

    /// From the answer at a prompt: the phrase, or `yes` where there is none.
    ///
    /// # Errors
    /// [`Refusal::NotApproved`] for any other answer.
    pub fn from_prompt(plan: &SealedPlan, answer: &str) -> Result<Self, Refusal> {
        let answer = answer.trim();
        if phrase(plan).is_none()
            && !answer.eq_ignore_ascii_case("yes")
            && !answer.eq_ignore_ascii_case("y")
        {
            return Err(Refusal::NotApproved("the answer was not yes".to_owned()));
        }
        Self::checked(plan, Some(answer), ApprovedBy::Prompt)
    }

    /// From a file made for this plan.
    ///
    /// # Errors
    /// [`Refusal::NotApproved`] if it is for another plan, too old, or lacks the phrase.
    pub fn from_file(
        plan: &SealedPlan,
        file: &ApprovalFile,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if &file.digest != plan.digest() {
            return Err(Refusal::NotApproved(format!(
                "the approval of {} is for plan {}, this is {}",
                file.approver,
                file.digest.short(),
                plan.digest().short()
            )));
        }
        if now >= file.expires {
            return Err(Refusal::NotApproved(format!(
                "the approval of {} ended at {}",
                file.approver, file.expires
            )));
        }
        let by = ApprovedBy::File { approver: file.approver.clone(), at: file.at };
        Self::checked(plan, file.typed.as_deref(), by)
    }

    /// For going on with, or undoing, a run that began under an approval: the journal holds it.
    ///
    /// # Errors
    /// [`Refusal::NotApproved`] if the journal is for another plan.
    pub fn of_run(plan: &SealedPlan, state: &crate::state::RunState) -> Result<Self, Refusal> {
        if &state.digest != plan.digest() {
            return Err(Refusal::NotApproved("the run began with another plan".to_owned()));
        }
        Ok(Self { digest: state.digest.clone(), by: ApprovedBy::Run })
    }

    fn checked(plan: &SealedPlan, typed: Option<&str>, by: ApprovedBy) -> Result<Self, Refusal> {
        if let Some(phrase) = phrase(plan)
            && typed != Some(phrase)
        {
            return Err(Refusal::NotApproved(format!(
                "this plan can lose data or passes a point of no return: its target's name, `{phrase}`, must be typed"
            )));
        }
        Ok(Self { digest: plan.digest().clone(), by })
    }

    /// How it came about.
    pub fn by(&self) -> &ApprovedBy {
        &self.by
    }

    pub(crate) fn permit(&self, plan: &SealedPlan) -> Result<Permit, Refusal> {
        if &self.digest == plan.digest() {
            Ok(Permit(()))
        } else {
            Err(Refusal::NotApproved("the approval is for another plan".to_owned()))
        }
    }
}

/// The right to change the target. Only an executor with an [`Approval`] of the plan makes one, and lends it to acts and undos;
/// a function that writes can ask for it, and then cannot be called from a code path that only reads.
#[derive(Debug)]
pub struct Permit(());
