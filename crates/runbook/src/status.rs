//! Looking at runs without touching them: which there are, where they stand, and whether what they did still holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::context::StepContext;
use crate::error::{Refusal, StepError};
use crate::event::Mode;
use crate::executor::{Loaded, LocalExecutor};
use crate::lock::Holder;
use crate::outcome::{self, StepReport};
use crate::plan::{Id, Step, Target};
use crate::state::{RunStatus, Status};
use crate::store::RunId;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Which.
    pub run: RunId,
    /// Of which runbook.
    pub runbook: String,
    /// What it changes.
    pub target: Target,
    /// Where it stands. `open` means that a process is at it, or died.
    pub status: RunStatus,
    /// What the last process set out to do.
    pub mode: Mode,
    /// The last process.
    pub holder: Holder,
    /// When it began.
    pub began: Timestamp,
    /// Time of its last record.
    pub last: Timestamp,
    /// Whether the point of no return is passed for certain.
    pub committed: bool,
    /// Why it stopped.
    pub stopped: Option<StepError>,
    /// All steps.
    pub steps: Vec<StepReport>,
}

impl RunSummary {
    /// From what is stored.
    pub fn of(loaded: &Loaded) -> Self {
        let (plan, state) = (loaded.plan.plan(), &loaded.state);
        Self {
            run: state.run.clone(),
            runbook: plan.runbook.clone(),
            target: plan.target.clone(),
            status: state.status,
            mode: state.mode,
            holder: state.holder.clone(),
            began: state.began,
            last: state.last,
            committed: state.is_committed(plan),
            stopped: state.stopped.clone(),
            steps: outcome::steps(plan, state),
        }
    }

    /// Whether it still needs a resume or an undo.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.status, RunStatus::Open | RunStatus::Stopped)
    }

    /// How many steps are done, of how many.
    pub fn progress(&self) -> (usize, usize) {
        (self.steps.iter().filter(|step| step.status == Status::Done).count(), self.steps.len())
    }
}

/// Whether a step's postcondition still holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// Which step.
    pub step: Id,
    /// What should be true.
    pub postcondition: String,
    /// Why it is not, or could not be looked at; nothing if it holds.
    pub problem: Option<StepError>,
}

impl LocalExecutor {
    /// All runs. One that cannot be read is listed with the reason.
    ///
    /// # Errors
    /// [`Refusal::Store`] if the store cannot be listed.
    pub async fn runs(&self) -> Result<Vec<(RunId, Result<RunSummary, Refusal>)>, Refusal> {
        let mut runs = Vec::new();
        for run in self.tools.store.runs().await.map_err(Refusal::Store)? {
            let summary = self.load(&run).await.map(|loaded| RunSummary::of(&loaded));
            runs.push((run, summary));
        }
        Ok(runs)
    }

    /// Checks again what the finished steps of a run promised, as far as it is meant to last. Only reads; sessions are not opened.
    ///
    /// # Errors
    /// As for reading a run.
    pub async fn verify(&self, run: &RunId) -> Result<Vec<Verified>, Refusal> {
        let loaded = self.load(run).await?;
        let mut verified = Vec::new();
        for step in
            loaded.plan.plan().steps().filter(|step| step.lasting && loaded.state.is_done(&step.id))
        {
            verified.push(Verified {
                step: step.id.clone(),
                postcondition: step.postcondition.clone(),
                problem: self.check_again(&loaded, step).await.err(),
            });
        }
        Ok(verified)
    }

    async fn check_again(&self, loaded: &Loaded, step: &Step) -> Result<(), StepError> {
        let state = &loaded.state;
        let kind = self.registry.step_kind(&step.kind);
        let kind = kind.ok_or_else(|| {
            StepError::failed(format!("this program knows no step kind `{}`", step.kind))
        })?;
        let params = state.resolve(&step.params);
        let params = params
            .map_err(|missing| StepError::failed(format!("output `{missing}` is missing")))?;
        let now = state.step(&step.id);
        let answers = BTreeMap::new();
        let cx = StepContext {
            run: &state.run,
            plan: loaded.plan.plan(),
            step,
            params,
            before: now.map(|now| now.before.clone()).unwrap_or_default(),
            began_at: now.and_then(|now| now.began_at),
            outputs: now.map(|now| now.outputs.clone()).unwrap_or_default(),
            expected: loaded
                .plan
                .plan()
                .steps()
                .filter(|step| state.step(&step.id).is_some_and(|now| now.ever_began))
                .flat_map(|step| step.changes.iter().cloned())
                .collect(),
            sessions: BTreeMap::new(),
            answers: &answers,
            clock: &self.tools.clock,
            progress: &*self.tools.progress,
            stop: Cancel::new(),
        };
        kind.verify(&cx).await.map(|_| ())
    }
}
