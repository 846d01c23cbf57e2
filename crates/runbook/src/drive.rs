//! All steps of a run, forward or back, in order, with bounded concurrency inside parallel groups.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::cancel::Cancel;
use crate::error::StepError;
use crate::event::{Event, UndoReason};
use crate::log::Halt;
use crate::outcome::Outcome;
use crate::plan::{Group, Id, OnLoss, Step};
use crate::run::{Cut, Run};
use crate::state::Status;

/// What a process does with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    Forward { resumed: bool },
    Back { to: Option<Id> },
}

impl Run<'_> {
    /// Does the work, keeps sessions alive meanwhile, and puts everything away. An error means a crash.
    pub(crate) async fn work(&self, work: &Work) -> Result<Outcome, String> {
        let done = Cancel::new();
        let main = async {
            let result = match work {
                Work::Forward { resumed } => self.forward(*resumed).await,
                Work::Back { to } => self.back(to.as_ref()).await,
            };
            let outcome = self.conclude(work, result).await;
            done.cancel();
            outcome
        };
        let keep = async {
            if let Err(Halt::Step(error)) = self.keep(&done).await {
                self.stop.lose(error);
            }
        };
        let (outcome, ()) = futures_util::future::join(main, keep).await;
        outcome
    }

    async fn forward(&self, resumed: bool) -> Result<(), Halt> {
        self.stop.check()?;
        if resumed {
            self.recover().await?;
        }
        for group in &self.plan.groups {
            let mut steps = Vec::new();
            for step in &group.steps {
                if self.status(step).await != Status::Done {
                    steps.push(step);
                }
            }
            self.group(group, steps, true).await?;
        }
        Ok(())
    }

    async fn back(&self, to: Option<&Id>) -> Result<(), Halt> {
        let keep = to.and_then(|to| self.plan.position(to)).map_or(0, |position| position + 1);
        let after: Vec<&Step> = self.plan.steps().skip(keep).collect();
        self.forget_found(&after).await?;
        for group in self.plan.groups.iter().rev() {
            let mut steps = Vec::new();
            for step in group.steps.iter().rev() {
                if after.iter().any(|one| one.id == step.id) && self.began(step).await {
                    steps.push(step);
                }
            }
            self.group(group, steps, false).await?;
        }
        Ok(())
    }

    /// Steps that were found done need no undo, but must be looked at again if the run goes forward once more.
    async fn forget_found(&self, after: &[&Step]) -> Result<(), Halt> {
        let steps: Vec<Id> = {
            let log = self.log.lock().await;
            let found = |step: &&&Step| {
                log.state.step(&step.id).is_some_and(|now| now.status == Status::Done && !now.began)
            };
            after.iter().filter(found).map(|step| step.id.clone()).collect()
        };
        if steps.is_empty() {
            return Ok(());
        }
        let because = "the run goes back".to_owned();
        self.record(Event::Invalidated { steps, on_loss: OnLoss::Reobserve, because }, None).await
    }

    /// After the first failure nothing new is begun; what is under way is finished.
    async fn group(&self, group: &Group, steps: Vec<&Step>, forward: bool) -> Result<(), Halt> {
        let failed = AtomicBool::new(false);
        let mut first: Option<StepError> = None;
        let at_once = usize::try_from(group.at_once.max(1)).unwrap_or(usize::MAX);
        let tasks: Vec<_> =
            steps.into_iter().map(|step| Box::pin(self.one(step, forward, &failed))).collect();
        let mut running = stream::iter(tasks).buffer_unordered(at_once);
        while let Some(result) = running.next().await {
            match result {
                Ok(()) => {}
                Err(Halt::Crash(place)) => return Err(Halt::Crash(place)),
                Err(Halt::Step(error)) => {
                    failed.store(true, Ordering::Relaxed);
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn one(&self, step: &Step, forward: bool, failed: &AtomicBool) -> Result<(), Halt> {
        if failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.stop.check()?;
        if forward {
            self.forward_step(step).await
        } else {
            self.undo_step(step, UndoReason::Asked, Cut::Grace).await
        }
    }

    async fn conclude(&self, work: &Work, result: Result<(), Halt>) -> Result<Outcome, String> {
        let result = match result {
            Ok(()) => self.finish(work).await,
            Err(halt) => Err(halt),
        };
        let error = match result {
            Ok(outcome) => return Ok(outcome),
            Err(Halt::Crash(place)) => return Err(place),
            Err(Halt::Step(error)) => error,
        };
        match self.stop_here(error).await {
            Ok(outcome) => Ok(outcome),
            Err(place) => Err(place),
        }
    }

    async fn finish(&self, work: &Work) -> Result<Outcome, Halt> {
        self.close_all().await?;
        match work {
            Work::Back { to: Some(step) } => {
                let error = StepError::paused(
                    format!("undone to step `{step}`"),
                    "resume, or undo the rest",
                );
                self.record(Event::Stopped { error }, None).await?;
                Ok(Outcome::UndoneTo { step: step.clone() })
            }
            Work::Back { to: None } => {
                self.disarm_all().await?;
                self.close_all().await?;
                self.record(Event::Finished { undone: true }, None).await?;
                Ok(Outcome::Undone)
            }
            Work::Forward { .. } => {
                self.disarm_all().await?;
                self.close_all().await?;
                self.record(Event::Finished { undone: false }, None).await?;
                Ok(Outcome::Done)
            }
        }
    }

    /// Nothing is unwound here but what must not be left half-done.
    async fn stop_here(&self, mut error: StepError) -> Result<Outcome, String> {
        match self.lift_holds().await {
            Ok(None) => {}
            Ok(Some(left)) => {
                error = StepError::unsafe_state(format!("{left}; the run had stopped because {error}"))
                    .hint("mend that by hand with the undo commands of that step in the plan, then undo or resume");
            }
            Err(Halt::Crash(place)) => return Err(place),
            Err(Halt::Step(other)) => self.warn(other.message).await,
        }
        match self.close_all().await {
            Ok(()) => {}
            Err(Halt::Crash(place)) => return Err(place),
            Err(Halt::Step(other)) => self.warn(other.message).await,
        }
        match self.record(Event::Stopped { error: error.clone() }, None).await {
            Ok(()) => {}
            Err(Halt::Crash(place)) => return Err(place),
            // The journal cannot be written: the outcome is still told, and resume looks at everything anyway.
            Err(Halt::Step(other)) => self.warn(other.message).await,
        }
        let committed = {
            let log = self.log.lock().await;
            log.state.is_committed(self.plan)
        };
        Ok(Outcome::stopped(error, committed))
    }

    /// Ends a process that found that it may not do what it was asked for.
    pub(crate) async fn put_away(&self, why: &str) -> Result<(), String> {
        self.stop_here(StepError::failed(why)).await.map(|_| ())
    }
}
