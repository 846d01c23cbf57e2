//! Errors of steps, which are data because they are read back after a crash, and refusals, which mean that nothing was done.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::facts::Drift;
use crate::lock::Holder;
use crate::plan::{Id, Target};
use crate::store::RunId;

/// What sort of failure a step reports; it decides how the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It did not work.
    Failed,
    /// Nothing is wrong with the target, but going on has to wait: an answer is missing, a soak is not over, a token expired.
    Paused,
    /// Somebody else holds what the step needs.
    Held,
    /// Somebody changed the target in the middle.
    Stale,
    /// A state was found in which going on would do harm (two primaries, data that differs).
    Unsafe,
    /// Stopped by the operator.
    Cancelled,
}

/// Why a step did not get through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// What sort.
    pub failure: Failure,
    /// What happened to which thing; a lower-case fragment.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl StepError {
    /// With any failure.
    pub fn new(failure: Failure, message: impl Into<String>) -> Self {
        Self { failure, message: message.into(), hint: None }
    }

    /// It did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Failure::Failed, message)
    }

    /// Has to wait; the hint says for what.
    pub fn paused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Failure::Paused, message).hint(hint)
    }

    /// Somebody else holds it.
    pub fn held(message: impl Into<String>) -> Self {
        Self::new(Failure::Held, message)
    }

    /// Somebody changed the target.
    pub fn stale(message: impl Into<String>) -> Self {
        Self::new(Failure::Stale, message)
    }

    /// Going on would do harm.
    pub fn unsafe_state(message: impl Into<String>) -> Self {
        Self::new(Failure::Unsafe, message)
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StepError {}

/// Why a command did nothing at all to the target.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The plan file is not what a plan tool wrote.
    #[error("plan refused: {0}")]
    Plan(String),
    /// A plan file of a newer format.
    #[error("plan format {found} is newer than {known}, which this version reads")]
    NewerPlan {
        /// In the file.
        found: u64,
        /// The newest that is read here.
        known: u64,
    },
    /// The plan is for something else.
    #[error("plan is for {target}: {why}")]
    OtherTarget {
        /// What the plan is for.
        target: Box<Target>,
        /// Why that is not what the command was given.
        why: String,
    },
    /// No approval for this plan.
    #[error("not approved: {0}")]
    NotApproved(String),
    /// The target changed since the plan was made.
    #[error("plan is stale: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Stale(Vec<Drift>),
    /// Another process holds the target.
    #[error("{target} is held by {holder}")]
    Held {
        /// The target.
        target: String,
        /// Who.
        holder: Box<Holder>,
    },
    /// A run of the same target is not finished.
    #[error("run {run} of {target} is not finished")]
    Unfinished {
        /// Which.
        run: RunId,
        /// Of what.
        target: String,
    },
    /// The run is over, or past the point where this is possible.
    #[error("run {run}: {why}")]
    NotPossible {
        /// Which.
        run: RunId,
        /// Why, and the way forward.
        why: String,
    },
    /// The plan names a kind that this program does not have.
    #[error("this program knows no {what} kind `{kind}`, which `{user}` of the plan needs")]
    UnknownKind {
        /// `step`, `session` or `guard`.
        what: &'static str,
        /// The name.
        kind: String,
        /// Step or session that names it.
        user: Id,
    },
    /// The journal is damaged, or not this plan's.
    #[error("journal of run {run}: {why}")]
    Journal {
        /// Which run.
        run: RunId,
        /// What is wrong.
        why: String,
    },
    /// The target could not be looked at.
    #[error("cannot look at the target: {0}")]
    Observe(StepError),
    /// The lease on the target could not be had.
    #[error("no lease on the target: {0}")]
    Lease(StepError),
    /// Files of the run could not be read or written.
    #[error("state of runs: {0}")]
    Store(String),
    /// The process was told to die by a fault of a test. Nothing after that point was done.
    #[error("crashed by an injected fault at {0}")]
    Crashed(String),
}

impl Refusal {
    /// Whether somebody else is at the target.
    pub fn is_held(&self) -> bool {
        match self {
            Self::Held { .. } => true,
            Self::Lease(error) | Self::Observe(error) => error.failure == Failure::Held,
            _ => false,
        }
    }

    /// What to do next, as one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::Plan(_) => "make a new plan; plan files are not edited by hand".to_owned(),
            Self::NewerPlan { .. } => "use the version of the tool that made the plan, or plan again".to_owned(),
            Self::OtherTarget { .. } => "name that target, or make a plan for this one".to_owned(),
            Self::NotApproved(_) => "read the plan, then approve exactly that plan".to_owned(),
            Self::Stale(_) => "look at what changed, then make a new plan".to_owned(),
            Self::Held { .. } => "wait until it is done, or stop it there".to_owned(),
            Self::Unfinished { run, .. } => format!("resume or undo run {run} first"),
            Self::NotPossible { .. } => "see the status of the run".to_owned(),
            Self::UnknownKind { .. } => "use the tool that made the plan".to_owned(),
            Self::Journal { .. } => {
                "do not edit it; restore it from a mirror or finish by hand with the plan's commands".to_owned()
            }
            Self::Observe(error) | Self::Lease(error) => error.hint.clone().unwrap_or_else(|| "try again".to_owned()),
            Self::Store(_) => "check the directory, its permissions and free space".to_owned(),
            Self::Crashed(_) => "resume the run".to_owned(),
        }
    }
}
