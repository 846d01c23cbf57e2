//! How a command on a run ended, as data for reports and exit codes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::Digest;
use crate::error::{Failure, StepError};
use crate::event::Mode;
use crate::facts::Drift;
use crate::outputs::Outputs;
use crate::plan::{Id, Plan, Risk, Target};
use crate::state::{RunState, Status};
use crate::store::RunId;

/// How it ended. Each has one exit code in the table of the tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All steps are done (0).
    Done,
    /// Stopped at a safe point: resume or undo (6).
    Stopped {
        /// Why.
        error: StepError,
    },
    /// The point of no return is passed and something after it failed: resume (7).
    FollowUpFailed {
        /// What.
        error: StepError,
    },
    /// Somebody else holds what a step needs; nothing is half-done (8).
    Held {
        /// Who.
        error: StepError,
    },
    /// A state was found, or left, in which a person has to look before anything else (9).
    Unsafe {
        /// What.
        error: StepError,
    },
    /// All steps are taken back (10).
    Undone,
    /// Steps after this one are taken back, the rest stays (6).
    UndoneTo {
        /// The last that stays.
        step: Id,
    },
}

impl Outcome {
    /// The error, if it did not go well.
    pub fn error(&self) -> Option<&StepError> {
        match self {
            Self::Stopped { error }
            | Self::FollowUpFailed { error }
            | Self::Held { error }
            | Self::Unsafe { error } => Some(error),
            Self::Done | Self::Undone | Self::UndoneTo { .. } => None,
        }
    }

    pub(crate) fn stopped(error: StepError, committed: bool) -> Self {
        match error.failure {
            Failure::Unsafe => Self::Unsafe { error },
            _ if committed => Self::FollowUpFailed { error },
            Failure::Held => Self::Held { error },
            _ => Self::Stopped { error },
        }
    }
}

/// One step in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Which.
    pub id: Id,
    /// What, for people.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// Whether this run may have changed something for it.
    pub acted: bool,
    /// Its risk.
    pub risk: Risk,
    /// How often it was about to act.
    pub attempts: u32,
    /// First and last record about it.
    pub first: Option<Timestamp>,
    /// Last record about it.
    pub last: Option<Timestamp>,
    /// What it left.
    pub outputs: Outputs,
    /// Its last error.
    pub error: Option<StepError>,
}

/// The final report of a command on a run; rendered by [`crate::render`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which run.
    pub run: RunId,
    /// Of which plan.
    pub digest: Digest,
    /// Which runbook.
    pub runbook: String,
    /// What it changes.
    pub target: Target,
    /// What the command was.
    pub mode: Mode,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Whether the point of no return is passed.
    pub committed: bool,
    /// When the run began.
    pub began: Timestamp,
    /// Time of the last record.
    pub ended: Timestamp,
    /// All steps in order.
    pub steps: Vec<StepReport>,
    /// Benign drift that was passed.
    pub drift: Vec<Drift>,
    /// What went wrong without stopping the run.
    pub warnings: Vec<String>,
    /// What to do next, one sentence each.
    pub next: Vec<String>,
}

impl Report {
    /// From what the journal says.
    pub fn new(plan: &Plan, state: &RunState, outcome: Outcome, warnings: Vec<String>) -> Self {
        let committed = state.is_committed(plan);
        Self {
            run: state.run.clone(),
            digest: state.digest.clone(),
            runbook: plan.runbook.clone(),
            target: plan.target.clone(),
            mode: state.mode,
            next: next(plan, &outcome, committed),
            outcome,
            committed,
            began: state.began,
            ended: state.last,
            steps: steps(plan, state),
            drift: state.drift.clone(),
            warnings,
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// Where the steps of a run stand.
pub(crate) fn steps(plan: &Plan, state: &RunState) -> Vec<StepReport> {
    let report = |step: &crate::plan::Step| {
        let now = state.step(&step.id)?;
        Some(StepReport {
            id: step.id.clone(),
            title: step.title.clone(),
            status: now.status,
            acted: now.began,
            risk: step.risk,
            attempts: now.attempts,
            first: now.times.map(|times| times.0),
            last: now.times.map(|times| times.1),
            outputs: now.outputs.clone(),
            error: now.error.clone(),
        })
    };
    plan.steps().filter_map(report).collect()
}

fn next(plan: &Plan, outcome: &Outcome, committed: bool) -> Vec<String> {
    let mut next: Vec<String> =
        outcome.error().and_then(|error| error.hint.clone()).into_iter().collect();
    match outcome {
        Outcome::Done | Outcome::Undone => {}
        Outcome::UndoneTo { .. } => next.push("resume, or undo the rest".to_owned()),
        _ if committed => {
            if let Some(point) = &plan.point_of_no_return {
                next.push(format!("resume; there is no undo any more: {}", point.way_forward));
            }
        }
        Outcome::Unsafe { .. } => {
            next.push("look at the target before you resume or undo".to_owned());
        }
        _ => next.push("resume to go on, or undo to go back".to_owned()),
    }
    next
}
