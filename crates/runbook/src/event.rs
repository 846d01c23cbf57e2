//! What a journal says happened.

use serde::{Deserialize, Serialize};

use crate::approval::ApprovedBy;
use crate::canonical::Digest;
use crate::error::StepError;
use crate::facts::Drift;
use crate::inject::Phase;
use crate::lock::Holder;
use crate::outputs::Outputs;
use crate::plan::{Id, OnLoss, Target};
use crate::store::RunId;

/// Why a step is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoReason {
    /// The operator asked.
    Asked,
    /// It must not be left half-done and the run stops.
    Hold,
    /// What it relied on is gone, so it is made again.
    Rebuild,
}

/// What a process set out to do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Forward, for the first time.
    Apply,
    /// Forward, again.
    Resume,
    /// Backward.
    Undo,
    /// Only put away what a run left.
    Cleanup,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First record of every journal.
    Begin {
        /// Format of the journal.
        version: u64,
        /// The run.
        run: RunId,
        /// The plan.
        digest: Digest,
        /// What it changes.
        target: Target,
        /// How it was approved.
        approval: ApprovedBy,
        /// Benign drift that was seen and passed.
        drift: Vec<Drift>,
        /// Which process.
        holder: Holder,
    },
    /// A later process took the run up.
    Continue {
        /// To do what.
        mode: Mode,
        /// How that was approved.
        approval: ApprovedBy,
        /// Benign drift that was seen and passed.
        drift: Vec<Drift>,
        /// Which process.
        holder: Holder,
    },
    /// A step is about to act.
    Intent {
        /// Which.
        step: Id,
        /// What its undo needs.
        before: Outputs,
    },
    /// A step's postcondition was seen.
    Done {
        /// Which.
        step: Id,
        /// Whether it may have been this run that made it so: only that is undone.
        acted: bool,
        /// What it left.
        outputs: Outputs,
    },
    /// A step did not get through.
    Failed {
        /// Which.
        step: Id,
        /// In which phase.
        phase: Phase,
        /// Why.
        error: StepError,
    },
    /// A step is about to be taken back.
    UndoIntent {
        /// Which.
        step: Id,
        /// Why.
        reason: UndoReason,
    },
    /// A step's effect was seen to be gone.
    Undone {
        /// Which.
        step: Id,
    },
    /// A step could not be taken back.
    UndoFailed {
        /// Which.
        step: Id,
        /// Why.
        error: StepError,
    },
    /// Finished steps that count as not done any more.
    Invalidated {
        /// Which.
        steps: Vec<Id>,
        /// What becomes of them.
        on_loss: OnLoss,
        /// Why.
        because: String,
    },
    /// A session is about to be opened.
    SessionIntent {
        /// Which.
        session: Id,
    },
    /// A session is open.
    SessionOpen {
        /// Which.
        session: Id,
        /// What a later process needs to know it again.
        public: Outputs,
    },
    /// A session could not be kept.
    SessionLost {
        /// Which.
        session: Id,
        /// Why.
        error: StepError,
    },
    /// A session was given back.
    SessionClosed {
        /// Which.
        session: Id,
    },
    /// The dead-man guard of a step is about to be armed.
    GuardArmed {
        /// Which step.
        step: Id,
    },
    /// The dead-man guard of a step was taken away.
    GuardDisarmed {
        /// Which step.
        step: Id,
    },
    /// The process stopped at a safe point.
    Stopped {
        /// Why.
        error: StepError,
    },
    /// The run is over.
    Finished {
        /// Backward rather than forward.
        undone: bool,
    },
}

impl Event {
    /// The step whose standing it changes.
    pub fn step(&self) -> Option<&Id> {
        match self {
            Self::Intent { step, .. }
            | Self::Done { step, .. }
            | Self::Failed { step, .. }
            | Self::UndoIntent { step, .. }
            | Self::Undone { step }
            | Self::UndoFailed { step, .. } => Some(step),
            _ => None,
        }
    }
}
