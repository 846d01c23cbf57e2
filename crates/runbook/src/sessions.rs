//! Opening, refreshing and closing of sessions, and the refreshing of guards and of the run's lease.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cancel::Cancel;
use crate::error::StepError;
use crate::event::Event;
use crate::inject::Phase;
use crate::log::Halt;
use crate::plan::{Id, Plan, SessionSpec, Step};
use crate::run::{Cut, Run};
use crate::session::{Session, SessionContext};
use crate::state::SessionState;

/// A session in this process, if it is open here.
struct Slot {
    open: Mutex<Option<(Arc<dyn Session>, Instant)>>,
}

/// The sessions of a plan. Each has its own lock, so that opening one does not wait for another.
pub(crate) struct Slots(BTreeMap<Id, Slot>);

impl Slots {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self(
            plan.sessions
                .iter()
                .map(|spec| (spec.id.clone(), Slot { open: Mutex::new(None) }))
                .collect(),
        )
    }

    pub(crate) async fn open_for(&self, step: &Step) -> BTreeMap<Id, Arc<dyn Session>> {
        let mut open = BTreeMap::new();
        for id in &step.sessions {
            if let Some(slot) = self.0.get(id)
                && let Some((session, _)) = &*slot.open.lock().await
            {
                open.insert(id.clone(), Arc::clone(session));
            }
        }
        open
    }
}

impl Run<'_> {
    /// Opens what a step needs and is not open yet.
    pub(crate) async fn open_sessions(&self, step: &Step, cut: Cut) -> Result<(), Halt> {
        for id in &step.sessions {
            self.open_session(id, cut).await?;
        }
        Ok(())
    }

    /// Opens a session here. Returns whether what was made under an earlier one is still good.
    pub(crate) async fn open_session(&self, id: &Id, cut: Cut) -> Result<bool, Halt> {
        let Some((spec, slot)) =
            self.plan.sessions.iter().find(|spec| &spec.id == id).zip(self.slots.0.get(id))
        else {
            return Err(StepError::failed(format!("the plan has no session `{id}`")).into());
        };
        let mut open = slot.open.lock().await;
        if open.is_some() {
            return Ok(true);
        }
        let Some(kind) = self.registry.session_kind(&spec.kind) else {
            return Err(StepError::failed(format!("no session kind `{}`", spec.kind)).into());
        };
        let (earlier, params) = {
            let log = self.log.lock().await;
            let earlier = match log.state.sessions.get(id) {
                Some(SessionState::Open { public }) => Some(public.clone()),
                _ => None,
            };
            (earlier, log.state.resolve(&spec.params))
        };
        let params = params.map_err(|missing| {
            StepError::failed(format!(
                "session `{id}` needs output `{missing}`, which there is not"
            ))
        })?;
        self.record(Event::SessionIntent { session: id.clone() }, None).await?;
        let cx =
            SessionContext { run: &self.id, plan: self.plan, spec, params, now: (self.clock)() };
        let opened =
            self.call(id, Phase::Open, cut, kind.open(&cx, earlier.as_ref(), &self.permit)).await?;
        let public = opened.session.public();
        *open = Some((opened.session, Instant::now()));
        self.record(Event::SessionOpen { session: id.clone(), public }, None).await?;
        Ok(opened.continues)
    }

    /// Closes a session that is open here. A failure is a warning: what was not given back ends with its life time.
    pub(crate) async fn close_session(&self, id: &Id) -> Result<(), Halt> {
        let Some(slot) = self.slots.0.get(id) else { return Ok(()) };
        let mut open = slot.open.lock().await;
        let Some((session, _)) = open.take() else { return Ok(()) };
        match self.call(id, Phase::Close, Cut::Never, session.close()).await {
            Ok(()) => self.record(Event::SessionClosed { session: id.clone() }, None).await,
            Err(Halt::Crash(place)) => Err(Halt::Crash(place)),
            Err(Halt::Step(error)) => {
                self.warn(format!("session `{id}` was not closed: {error}")).await;
                self.record(Event::SessionLost { session: id.clone(), error }, None).await
            }
        }
    }

    /// Closes what no step needs any more, after one is done (forward) or taken back.
    pub(crate) async fn close_unneeded(&self, step: &Step, forward: bool) -> Result<(), Halt> {
        for id in &step.sessions {
            let needed = {
                let log = self.log.lock().await;
                self.plan.steps().filter(|step| step.sessions.contains(id)).any(|step| {
                    log.state.step(&step.id).is_some_and(|now| {
                        if forward { now.status != crate::state::Status::Done } else { now.began }
                    })
                })
            };
            if !needed {
                self.close_session(id).await?;
            }
        }
        Ok(())
    }

    /// Closes everything that is open here, and what a dead process of this run may have left open.
    pub(crate) async fn close_all(&self) -> Result<(), Halt> {
        for spec in self.plan.sessions.iter().rev() {
            let left = {
                let log = self.log.lock().await;
                matches!(log.state.sessions.get(&spec.id), Some(SessionState::Open { .. }))
            };
            if left {
                match self.open_session(&spec.id, Cut::Never).await {
                    Ok(_) => {}
                    Err(Halt::Crash(place)) => return Err(Halt::Crash(place)),
                    Err(Halt::Step(error)) => {
                        self.warn(format!(
                            "session `{}` may be left until its life ends: {error}",
                            spec.id
                        ))
                        .await;
                        continue;
                    }
                }
            }
            self.close_session(&spec.id).await?;
        }
        Ok(())
    }

    /// Keeps everything alive until `done`. What cannot be kept stops the run.
    pub(crate) async fn keep(&self, done: &Cancel) -> Result<(), Halt> {
        let Some(tick) = self.tick() else {
            done.cancelled().await;
            return Ok(());
        };
        loop {
            tokio::select! {
                () = done.cancelled() => return Ok(()),
                () = tokio::time::sleep(tick) => {}
            }
            for spec in &self.plan.sessions {
                self.refresh(spec, done).await?;
            }
            self.rearm_guards(done).await?;
            if let Some(lease) = &self.lease
                && let Some(Err(error)) = unless(done, lease.refresh()).await
            {
                self.stop.lose(StepError {
                    message: format!("the lease on the target was lost: {error}"),
                    ..error
                });
            }
        }
    }

    /// A third of the shortest life, so that two refreshes may fail to be in time before anything is lost.
    fn tick(&self) -> Option<Duration> {
        let sessions = self.plan.sessions.iter().map(|spec| Duration::from_secs(spec.ttl_seconds));
        let holds = self.plan.steps().filter_map(|step| step.hold.as_ref()?.guard.as_ref());
        let guards = holds.map(|guard| Duration::from_secs(guard.ttl_seconds));
        let lease = self.lease.as_ref().map(|lease| {
            let left = lease.expires().duration_since((self.clock)());
            Duration::try_from(left).unwrap_or(Duration::from_secs(1)).max(Duration::from_secs(1))
        });
        sessions.chain(guards).chain(lease).min().map(|shortest| shortest / 3)
    }

    async fn refresh(&self, spec: &SessionSpec, done: &Cancel) -> Result<(), Halt> {
        let Some(slot) = self.slots.0.get(&spec.id) else { return Ok(()) };
        let mut open = slot.open.lock().await;
        let Some((session, last)) = open.as_mut() else { return Ok(()) };
        // Due when waiting for the next tick could be too late.
        if last.elapsed() < Duration::from_secs(spec.ttl_seconds) / 4 {
            return Ok(());
        }
        match unless(done, session.refresh()).await {
            None => Ok(()),
            Some(Ok(())) => {
                *last = Instant::now();
                Ok(())
            }
            Some(Err(error)) => {
                *open = None;
                let error = StepError {
                    message: format!("session `{}` was lost: {}", spec.id, error.message),
                    ..error
                };
                self.stop.lose(error.clone());
                self.record(Event::SessionLost { session: spec.id.clone(), error }, None).await
            }
        }
    }
}

/// Nothing, if `done` comes first: a refresh that hangs must not hold up the end. Records are never written inside of it.
pub(crate) async fn unless<T>(done: &Cancel, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = done.cancelled() => None,
        result = work => Some(result),
    }
}
