//! One step, forward or back.

use crate::error::StepError;
use crate::event::{Event, UndoReason};
use crate::inject::{Moment, Phase};
use crate::kind::{Observed, StepKind, Wanted};
use crate::log::Halt;
use crate::outputs::Outputs;
use crate::plan::{Step, Undo};
use crate::run::{Cut, Run};
use crate::state::Status;

impl Run<'_> {
    /// Brings a step to done, from wherever it stands, and does what follows from that.
    pub(crate) async fn forward_step(&self, step: &Step) -> Result<(), Halt> {
        let mut phase = Phase::Observe;
        match self.try_forward(step, &mut phase).await {
            Ok(()) => {}
            Err(Halt::Crash(place)) => return Err(Halt::Crash(place)),
            Err(Halt::Step(error)) => {
                let failed = Event::Failed { step: step.id.clone(), phase, error: error.clone() };
                if let Err(Halt::Crash(place)) = self.record(failed, None).await {
                    return Err(Halt::Crash(place));
                }
                return Err(Halt::Step(error));
            }
        }
        self.disarm_over().await?;
        self.close_unneeded(step, true).await
    }

    async fn try_forward(&self, step: &Step, phase: &mut Phase) -> Result<(), Halt> {
        let kind = self.kind(step)?;
        let began = self.began(step).await;
        self.open_sessions(step, Cut::Grace).await?;
        if !began {
            self.preconditions(step).await?;
        }
        self.fault(&step.id, *phase, Moment::Before)?;
        let mut cx = self.context(step).await?;
        let observed = self.cut(Cut::Now, kind.observe(&cx)).await?;
        match observed {
            Observed::Done => {}
            Observed::Underway => {
                *phase = Phase::Wait;
                self.wait(step, kind, &cx).await?;
            }
            Observed::Pending { .. } | Observed::Partial => {
                *phase = Phase::Intent;
                let before = match observed {
                    Observed::Pending { before } => before,
                    _ => Outputs::none(),
                };
                let intent = Event::Intent { step: step.id.clone(), before };
                self.record(intent, Some((&step.id, Phase::Intent))).await?;
                *phase = Phase::Act;
                // Anew, because what the undo needs is known from now on, also to the guard.
                cx = self.context(step).await?;
                self.arm_guard(step).await?;
                self.call(&step.id, Phase::Act, Cut::Grace, kind.act(&cx, &self.permit)).await?;
                *phase = Phase::Wait;
                self.wait(step, kind, &cx).await?;
            }
        }
        *phase = Phase::Verify;
        self.fault(&step.id, *phase, Moment::Before)?;
        let outputs = self.cut(Cut::Now, kind.verify(&cx)).await?;
        *phase = Phase::Outcome;
        let acted = self.began(step).await;
        let done = Event::Done { step: step.id.clone(), acted, outputs };
        self.record(done, Some((&step.id, Phase::Outcome))).await
    }

    async fn wait(
        &self,
        step: &Step,
        kind: &dyn StepKind,
        cx: &crate::context::StepContext<'_>,
    ) -> Result<(), Halt> {
        self.fault(&step.id, Phase::Wait, Moment::Before)?;
        let wait = async {
            let Some(seconds) = step.deadline_seconds else { return kind.wait(cx).await };
            let limit = std::time::Duration::from_secs(seconds);
            tokio::time::timeout(limit, kind.wait(cx)).await.unwrap_or_else(|_| {
                Err(StepError::failed(format!(
                    "step `{}` did not get there within {seconds} s",
                    step.id
                )))
            })
        };
        Ok(self.cut(Cut::Now, wait).await?)
    }

    async fn preconditions(&self, step: &Step) -> Result<(), Halt> {
        if step.preconditions.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = step.preconditions.iter().map(|one| one.fact.clone()).collect();
        let facts = self
            .cut(Cut::Now, self.registry.observer.facts(self.plan, Wanted::Named(&names)))
            .await?;
        for one in &step.preconditions {
            let seen = self.log.lock().await.state.resolve(&one.seen).map_err(|missing| {
                StepError::failed(format!(
                    "step `{}` needs output `{missing}`, which there is not",
                    step.id
                ))
            })?;
            let now = facts.get(&one.fact);
            if now != Some(&seen) {
                let now = now.map_or("absent".to_owned(), ToString::to_string);
                let message = format!(
                    "before step `{}`: {} was {seen} and is {now} ({})",
                    step.id, one.fact, one.why
                );
                return Err(StepError::stale(message)
                    .hint("look at what changed; resume goes on once it is as it was")
                    .into());
            }
        }
        Ok(())
    }

    /// Takes a step back. Nothing is called for a step that has no effect of this run.
    pub(crate) async fn undo_step(
        &self,
        step: &Step,
        reason: UndoReason,
        cut: Cut,
    ) -> Result<(), Halt> {
        if !self.began(step).await {
            return Ok(());
        }
        let intent = Event::UndoIntent { step: step.id.clone(), reason };
        let at = |phase| matches!(step.undo, Undo::Action { .. }).then_some((&step.id, phase));
        self.record(intent, at(Phase::UndoIntent)).await?;
        match self.try_undo(step, cut).await {
            Ok(()) => {}
            Err(Halt::Crash(place)) => return Err(Halt::Crash(place)),
            Err(Halt::Step(error)) => {
                self.record(
                    Event::UndoFailed { step: step.id.clone(), error: error.clone() },
                    None,
                )
                .await?;
                return Err(Halt::Step(error));
            }
        }
        self.record(Event::Undone { step: step.id.clone() }, at(Phase::UndoOutcome)).await?;
        self.disarm_over().await?;
        self.close_unneeded(step, false).await
    }

    async fn try_undo(&self, step: &Step, cut: Cut) -> Result<(), Halt> {
        if step.undo == Undo::Nothing {
            return Ok(());
        }
        let kind = self.kind(step)?;
        self.open_sessions(step, cut).await?;
        let cx = self.context(step).await?;
        if matches!(step.undo, Undo::Action { .. }) {
            self.call(&step.id, Phase::UndoAct, cut, kind.undo(&cx, &self.permit)).await?;
        }
        let look = if cut == Cut::Never { cut } else { Cut::Now };
        match (self.cut(look, kind.observe(&cx)).await?, &step.undo) {
            (Observed::Pending { .. }, _) => Ok(()),
            (_, Undo::Irreversible { why }) => {
                Err(StepError::failed(format!("step `{}` cannot be undone: {why}", step.id)).into())
            }
            _ => Err(StepError::failed(format!(
                "step `{}` is still in effect after its undo",
                step.id
            ))
            .into()),
        }
    }

    pub(crate) fn kind<'s>(&'s self, step: &Step) -> Result<&'s dyn StepKind, StepError> {
        let kind = self.registry.step_kind(&step.kind).map(|kind| &**kind);
        kind.ok_or_else(|| StepError::failed(format!("no step kind `{}`", step.kind)))
    }

    pub(crate) async fn began(&self, step: &Step) -> bool {
        self.log.lock().await.state.step(&step.id).is_some_and(|now| now.began)
    }

    pub(crate) async fn status(&self, step: &Step) -> Status {
        self.log.lock().await.state.step(&step.id).map_or(Status::Pending, |now| now.status)
    }
}
