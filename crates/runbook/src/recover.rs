//! Taking a run up again: what a dead or stopped process left is looked at, and what it made on lost ground is made anew.

use std::collections::BTreeSet;

use crate::error::StepError;
use crate::event::{Event, UndoReason};
use crate::holds::Commitment;
use crate::kind::Observed;
use crate::log::Halt;
use crate::outputs;
use crate::plan::{Id, OnLoss, SessionSpec, Step};
use crate::run::{Cut, Run};
use crate::state::{SessionState, Status};

impl Run<'_> {
    /// Before the first step forward of a resumed run.
    pub(crate) async fn recover(&self) -> Result<(), Halt> {
        self.disarm_over().await?;
        for spec in &self.plan.sessions {
            self.recover_session(spec).await?;
        }
        let committed = match self.commitment().await {
            Commitment::No => false,
            Commitment::Yes => true,
            Commitment::Unknown(error) => return Err(error.into()),
        };
        if !committed {
            for step in self.plan.steps() {
                self.recover_hold(step).await?;
            }
            self.spread().await?;
        }
        for step in self.plan.steps().rev() {
            let rebuild = {
                let log = self.log.lock().await;
                log.state.step(&step.id).is_some_and(|now| now.rebuild)
            };
            if rebuild {
                self.stop.check()?;
                self.undo_step(step, UndoReason::Rebuild, Cut::Grace).await?;
            }
        }
        Ok(())
    }

    /// A session that ended before all of its steps were done takes those with it that were begun.
    async fn recover_session(&self, spec: &SessionSpec) -> Result<(), Halt> {
        let (steps, open) = {
            let log = self.log.lock().await;
            let naming: Vec<&Step> =
                self.plan.steps().filter(|step| step.sessions.contains(&spec.id)).collect();
            if naming.iter().all(|step| log.state.is_done(&step.id)) {
                return Ok(());
            }
            let touched = naming.iter().filter(|step| log.state.is_touched(&step.id));
            let steps: Vec<Id> = touched.map(|step| step.id.clone()).collect();
            (steps, matches!(log.state.sessions.get(&spec.id), Some(SessionState::Open { .. })))
        };
        if steps.is_empty() || (open && self.open_session(&spec.id, Cut::Grace).await?) {
            return Ok(());
        }
        let because = format!("session `{}` ended before all of its steps were done", spec.id);
        self.record(Event::Invalidated { steps, on_loss: spec.on_loss, because }, None).await
    }

    /// A hold that is not on any more takes the steps with it that relied on it.
    async fn recover_hold(&self, step: &Step) -> Result<(), Halt> {
        let Some(hold) = &step.hold else { return Ok(()) };
        let (until_done, status) = {
            let log = self.log.lock().await;
            (
                log.state.is_done(&hold.until),
                log.state.step(&step.id).map_or(Status::Pending, |now| now.status),
            )
        };
        if until_done {
            return Ok(());
        }
        let still_on =
            status == Status::Done && matches!(self.observe_again(step).await?, Observed::Done);
        if still_on {
            return Ok(());
        }
        let steps: Vec<Id> = {
            let log = self.log.lock().await;
            let under = |other: &&Step| other.under.contains(&step.id) || other.id == step.id;
            let relying =
                self.plan.steps().filter(under).filter(|other| log.state.is_touched(&other.id));
            relying.map(|other| other.id.clone()).collect()
        };
        if steps.is_empty() {
            return Ok(());
        }
        let because = format!(
            "what step `{}` held was let go before step `{}` was done",
            step.id, hold.until
        );
        self.record(Event::Invalidated { steps, on_loss: OnLoss::Rebuild, because }, None).await
    }

    /// What was made from the outputs of something that is made anew, is made anew.
    async fn spread(&self) -> Result<(), Halt> {
        let steps: Vec<Id> = {
            let log = self.log.lock().await;
            let mut anew: BTreeSet<Id> = BTreeSet::new();
            let mut spread = Vec::new();
            for step in self.plan.steps() {
                let stale = log.state.step(&step.id).is_some_and(|now| now.rebuild);
                let uses = outputs::references(&step.params)
                    .iter()
                    .filter_map(|reference| outputs::split(reference))
                    .any(|(source, _)| anew.contains(&source));
                if stale || uses {
                    anew.insert(step.id.clone());
                    if !stale && log.state.is_touched(&step.id) {
                        spread.push(step.id.clone());
                    }
                }
            }
            spread
        };
        if steps.is_empty() {
            return Ok(());
        }
        let because = "what they were made from is made anew".to_owned();
        self.record(Event::Invalidated { steps, on_loss: OnLoss::Rebuild, because }, None).await
    }

    /// For an undo: whether it is still possible.
    pub(crate) async fn may_undo(&self) -> Result<(), String> {
        let forward =
            self.plan.point_of_no_return.as_ref().map_or("", |point| point.way_forward.as_str());
        match self.commitment().await {
            Commitment::No => Ok(()),
            Commitment::Yes => {
                Err(format!("the point of no return is passed, there is no undo; {forward}"))
            }
            Commitment::Unknown(StepError { message, .. }) => Err(format!(
                "nobody can say whether the point of no return was passed ({message}); look, then undo again or resume"
            )),
        }
    }
}
