//! One process at work on one run: what its parts share.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::approval::Permit;
use crate::cancel::Cancel;
use crate::context::{Clock, StepContext};
use crate::error::{Failure, StepError};
use crate::event::Event;
use crate::inject::{Effect, Faults, Moment, Phase};
use crate::kind::Registry;
use crate::lease::RunLease;
use crate::log::{Halt, Log, trigger};
use crate::plan::{Id, Plan, Step};
use crate::sessions::Slots;
use crate::store::RunId;

pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) id: RunId,
    pub(crate) registry: &'a Registry,
    pub(crate) permit: Permit,
    pub(crate) log: Mutex<Log>,
    pub(crate) slots: Slots,
    pub(crate) lease: Option<Box<dyn RunLease>>,
    pub(crate) answers: &'a BTreeMap<String, String>,
    pub(crate) clock: &'a Clock,
    pub(crate) faults: &'a Faults,
    pub(crate) grace: Duration,
    pub(crate) progress: &'a dyn crate::progress::Progress,
    pub(crate) stop: Stop,
}

/// Why and whether work has to stop: the operator asked, or something that it relies on was lost.
pub(crate) struct Stop {
    operator: Cancel,
    lost: Cancel,
    why: StdMutex<Option<StepError>>,
    /// Fires on either; what steps are given.
    pub(crate) either: Cancel,
}

impl Stop {
    pub(crate) fn new(operator: Cancel) -> Self {
        Self { operator, lost: Cancel::new(), why: StdMutex::new(None), either: Cancel::new() }
    }

    /// Asks to stop because something was lost.
    pub(crate) fn lose(&self, why: StepError) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.lost.cancel();
        self.either.cancel();
    }

    pub(crate) fn error(&self) -> Option<StepError> {
        if let Some(why) = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Some(why);
        }
        let cancelled = || StepError::new(Failure::Cancelled, "stopped by the operator");
        self.operator.is_cancelled().then(cancelled)
    }

    pub(crate) fn check(&self) -> Result<(), StepError> {
        self.error().map_or(Ok(()), Err)
    }

    pub(crate) async fn asked(&self) {
        tokio::select! {
            () = self.operator.cancelled() => self.either.cancel(),
            () = self.lost.cancelled() => {}
        }
    }
}

/// Whether work may be cut off by a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// At once: it only reads.
    Now,
    /// After a moment's grace: it writes.
    Grace,
    /// Never: it puts away what must not be left behind.
    Never,
}

impl Run<'_> {
    pub(crate) async fn record(&self, event: Event, at: Option<(&Id, Phase)>) -> Result<(), Halt> {
        self.log.lock().await.record(event, at).await
    }

    pub(crate) async fn warn(&self, text: String) {
        self.log.lock().await.warnings.push(text);
    }

    /// Runs work unless, or until, the run has to stop.
    pub(crate) async fn cut<T>(
        &self,
        cut: Cut,
        work: impl Future<Output = Result<T, StepError>>,
    ) -> Result<T, StepError> {
        if cut == Cut::Never {
            return work.await;
        }
        tokio::pin!(work);
        tokio::select! {
            biased;
            result = &mut work => return result,
            () = self.stop.asked() => {}
        }
        let stopped =
            || self.stop.error().unwrap_or_else(|| StepError::new(Failure::Cancelled, "stopped"));
        if cut == Cut::Now {
            return Err(stopped());
        }
        tokio::time::timeout(self.grace, work).await.unwrap_or_else(|_| {
            let mut error = stopped();
            error.message.push_str("; the call was cut off, its effect is looked at on resume");
            Err(error)
        })
    }

    pub(crate) fn fault(&self, id: &Id, phase: Phase, moment: Moment) -> Result<(), Halt> {
        match self.faults.at(id, phase, moment) {
            None => Ok(()),
            Some(effect) => trigger(effect, &format!("{id}:{phase}")),
        }
    }

    /// A call that writes, with faults before, in the middle of, and after it.
    pub(crate) async fn call<T>(
        &self,
        id: &Id,
        phase: Phase,
        cut: Cut,
        work: impl Future<Output = Result<T, StepError>>,
    ) -> Result<T, Halt> {
        self.fault(id, phase, Moment::Before)?;
        let result = match self.faults.at(id, phase, Moment::During) {
            Some(effect) => return Err(self.interrupted(id, phase, effect, work).await),
            None => self.cut(cut, work).await?,
        };
        self.fault(id, phase, Moment::After)?;
        Ok(result)
    }

    /// Lets a call wait a few times, then cuts it off.
    async fn interrupted<T>(
        &self,
        id: &Id,
        phase: Phase,
        effect: Effect,
        work: impl Future<Output = Result<T, StepError>>,
    ) -> Halt {
        let mut left = self.faults.later;
        tokio::pin!(work);
        // Ready when the work is, or once it had to wait as often as was asked for.
        std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
            std::task::Poll::Ready(_) => std::task::Poll::Ready(()),
            std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(()),
            std::task::Poll::Pending => {
                left -= 1;
                std::task::Poll::Pending
            }
        })
        .await;
        match trigger(effect, &format!("{id}:{phase}:during")) {
            Err(halt) => halt,
            Ok(()) => Halt::Crash(format!("{id}:{phase}:during")),
        }
    }

    /// What a step is given. With its references replaced by the outputs that count now.
    pub(crate) async fn context<'s>(
        &'s self,
        step: &'s Step,
    ) -> Result<StepContext<'s>, StepError> {
        let (params, now, expected) = {
            let log = self.log.lock().await;
            let began = self
                .plan
                .steps()
                .filter(|step| log.state.step(&step.id).is_some_and(|now| now.ever_began));
            let expected = began.flat_map(|step| step.changes.iter().cloned()).collect();
            (log.state.resolve(&step.params), log.state.step(&step.id).cloned(), expected)
        };
        let params = params.map_err(|missing| {
            StepError::failed(format!(
                "step `{}` needs output `{missing}`, which there is not",
                step.id
            ))
        })?;
        let (before, began_at, outputs) =
            now.map(|now| (now.before, now.began_at, now.outputs)).unwrap_or_default();
        Ok(StepContext {
            run: &self.id,
            plan: self.plan,
            step,
            params,
            before,
            began_at,
            outputs,
            expected,
            sessions: self.slots.open_for(step).await,
            answers: self.answers,
            clock: self.clock,
            progress: self.progress,
            stop: self.stop.either.clone(),
        })
    }
}
