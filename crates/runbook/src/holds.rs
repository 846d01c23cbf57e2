//! Steps that must not be left half-done, and their dead-man guards.

use crate::cancel::Cancel;
use crate::error::StepError;
use crate::event::{Event, UndoReason};
use crate::kind::Observed;
use crate::log::Halt;
use crate::plan::Step;
use crate::run::{Cut, Run};
use crate::sessions::unless;
use crate::state::Status;

/// Whether the point of no return is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Commitment {
    No,
    Yes,
    /// Its step began and nobody can say.
    Unknown(StepError),
}

impl Run<'_> {
    /// Looks, where the journal leaves it open.
    pub(crate) async fn commitment(&self) -> Commitment {
        let Some(step) =
            self.plan.point_of_no_return.as_ref().and_then(|point| self.plan.step(&point.step))
        else {
            return Commitment::No;
        };
        let now = {
            let log = self.log.lock().await;
            log.state.step(&step.id).map(|now| (now.status, now.began))
        };
        match now {
            Some((Status::Done, _)) => Commitment::Yes,
            Some((_, true)) => match self.observe_again(step).await {
                Ok(Observed::Pending { .. }) => Commitment::No,
                Ok(_) => Commitment::Yes,
                Err(error) => Commitment::Unknown(error),
            },
            _ => Commitment::No,
        }
    }

    /// Looks at a step's effect, whatever the run is doing.
    pub(crate) async fn observe_again(&self, step: &Step) -> Result<Observed, StepError> {
        match self.open_sessions(step, Cut::Never).await {
            Ok(()) => {}
            Err(Halt::Step(error)) => return Err(error),
            Err(Halt::Crash(place)) => {
                return Err(StepError::failed(format!("crashed at {place}")));
            }
        }
        let cx = self.context(step).await?;
        match self.registry.step_kind(&step.kind) {
            Some(kind) => kind.observe(&cx).await,
            None => Err(StepError::failed(format!("no step kind `{}`", step.kind))),
        }
    }

    /// Takes back every hold that is on and not over. Called when the run stops; returns what could not be taken back.
    pub(crate) async fn lift_holds(&self) -> Result<Option<StepError>, Halt> {
        let holds = self.open_holds().await;
        if holds.is_empty() {
            return Ok(None);
        }
        match self.commitment().await {
            Commitment::No => {}
            // What was held stays: taking a fence away after the commitment would let the old side be written.
            Commitment::Yes => {
                self.disarm_all().await?;
                return Ok(None);
            }
            Commitment::Unknown(error) => {
                return Ok(Some(StepError::unsafe_state(format!(
                    "`{}` stays as it is, because nobody can say whether the point of no return was passed: {error}",
                    holds[0].id
                ))));
            }
        }
        for step in holds {
            match self.undo_step(step, UndoReason::Hold, Cut::Never).await {
                Ok(()) => {}
                Err(Halt::Crash(place)) => return Err(Halt::Crash(place)),
                Err(Halt::Step(error)) => {
                    return Ok(Some(StepError::unsafe_state(format!(
                        "step `{}` must not be left as it is and could not be taken back: {error}",
                        step.id
                    ))));
                }
            }
        }
        Ok(None)
    }

    /// Holds that are on, or may be, last first.
    pub(crate) async fn open_holds(&self) -> Vec<&Step> {
        let log = self.log.lock().await;
        let open = |step: &&Step| {
            step.hold.as_ref().is_some_and(|hold| {
                log.state.step(&step.id).is_some_and(|now| now.began)
                    && !log.state.is_done(&hold.until)
            })
        };
        self.plan.steps().rev().filter(open).collect()
    }

    /// Arms the guard of a step, if it has one.
    pub(crate) async fn arm_guard(&self, step: &Step) -> Result<(), Halt> {
        let Some(guard) = step.hold.as_ref().and_then(|hold| hold.guard.as_ref()) else {
            return Ok(());
        };
        let Some(kind) = self.registry.guard_kind(&guard.kind) else {
            return Err(StepError::failed(format!("no guard kind `{}`", guard.kind)).into());
        };
        self.record(Event::GuardArmed { step: step.id.clone() }, None).await?;
        let cx = self.context(step).await?;
        Ok(self.cut(Cut::Grace, kind.arm(&cx, &self.permit)).await?)
    }

    /// Takes the guards away whose hold is over: its last step is done, it was taken back, or the point of no return is passed.
    pub(crate) async fn disarm_over(&self) -> Result<(), Halt> {
        for step in self.armed().await {
            let over = {
                let log = self.log.lock().await;
                let began = log.state.step(&step.id).is_some_and(|now| now.began);
                let ended = step.hold.as_ref().is_some_and(|hold| log.state.is_done(&hold.until));
                !began || ended || log.state.is_committed(self.plan)
            };
            if over {
                self.disarm_guard(step).await?;
            }
        }
        Ok(())
    }

    /// Takes all guards away; for the end of a run.
    pub(crate) async fn disarm_all(&self) -> Result<(), Halt> {
        for step in self.armed().await {
            self.disarm_guard(step).await?;
        }
        Ok(())
    }

    async fn disarm_guard(&self, step: &Step) -> Result<(), Halt> {
        let guard = step.hold.as_ref().and_then(|hold| hold.guard.as_ref());
        let Some(kind) = guard.and_then(|guard| self.registry.guard_kind(&guard.kind)) else {
            return Ok(());
        };
        self.open_sessions(step, Cut::Never).await?;
        let cx = self.context(step).await?;
        kind.disarm(&cx, &self.permit).await.map_err(|error| StepError {
            message: format!(
                "the dead-man guard of step `{}` was not taken away: {error}",
                step.id
            ),
            ..error
        })?;
        self.record(Event::GuardDisarmed { step: step.id.clone() }, None).await
    }

    async fn armed(&self) -> Vec<&Step> {
        let log = self.log.lock().await;
        self.plan.steps().filter(|step| log.state.guards.contains(&step.id)).collect()
    }

    /// Arms every guard that is on anew. One that cannot be armed means that the hold will end by itself: the run stops.
    pub(crate) async fn rearm_guards(&self, done: &Cancel) -> Result<(), Halt> {
        for step in self.armed().await {
            let guard = step.hold.as_ref().and_then(|hold| hold.guard.as_ref());
            let Some(kind) = guard.and_then(|guard| self.registry.guard_kind(&guard.kind)) else {
                continue;
            };
            let cx = self.context(step).await?;
            if let Some(Err(error)) = unless(done, kind.arm(&cx, &self.permit)).await {
                let message =
                    format!("the dead-man guard of step `{}` could not be kept: {error}", step.id);
                self.stop.lose(StepError { message, ..error });
            }
        }
        Ok(())
    }
}
