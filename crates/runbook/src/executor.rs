//! Carrying plans out. One trait, so that a durable-execution engine can be another executor; the one here is this process and a store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::approval::Approval;
use crate::cancel::Cancel;
use crate::context::Clock;
use crate::drive::Work;
use crate::error::{Refusal, StepError};
use crate::event::{Event, Mode};
use crate::facts::{Drift, DriftClass, covers};
use crate::inject::Faults;
use crate::journal::{self, JOURNAL_VERSION, Record};
use crate::kind::{Registry, Wanted};
use crate::lease::Leases;
use crate::lock::{Holder, Lock, LockError};
use crate::log::{Halt, Log, Tools};
use crate::mirror::Mirror;
use crate::outcome::{Outcome, Report};
use crate::plan::{Id, Target};
use crate::progress::{Progress, Silent};
use crate::run::{Run, Stop};
use crate::sealed::SealedPlan;
use crate::secrets::{self, NoSecrets, SecretGuard};
use crate::sessions::Slots;
use crate::state::{RunState, RunStatus};
use crate::store::{RunId, Store};

/// Carries plans out.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Begins a run of a plan, after looking whether the target is still as the plan saw it.
    ///
    /// # Errors
    /// A [`Refusal`]: nothing was changed.
    async fn apply(&self, plan: &SealedPlan, approval: &Approval) -> Result<Report, Refusal>;

    /// Goes on with a run that stopped or died.
    ///
    /// # Errors
    /// A [`Refusal`]: nothing was changed by this call.
    async fn resume(&self, run: &RunId, approval: &Approval) -> Result<Report, Refusal>;

    /// Takes a run back: everything, or everything after one step.
    ///
    /// # Errors
    /// A [`Refusal`]: nothing was changed by this call. After the point of no return always.
    async fn undo(
        &self,
        run: &RunId,
        to: Option<&Id>,
        approval: &Approval,
    ) -> Result<Report, Refusal>;
}

/// How long a call that writes may go on after the operator asked to stop.
const GRACE: Duration = Duration::from_millis(1500);

/// This process and a store.
pub struct LocalExecutor {
    pub(crate) registry: Registry,
    pub(crate) tools: Tools,
    leases: Option<Arc<dyn Leases>>,
    cancel: Cancel,
    answers: BTreeMap<String, String>,
    grace: Duration,
}

/// A run as it is stored.
#[derive(Debug)]
pub struct Loaded {
    /// Its plan.
    pub plan: SealedPlan,
    /// What its journal adds up to.
    pub state: RunState,
    read: journal::Read,
}

impl Loaded {
    /// All records of its journal.
    pub fn records(&self) -> &[Record] {
        &self.read.records
    }
}

impl LocalExecutor {
    /// With the kinds of a program, a place for its runs, and a wall clock.
    pub fn new(registry: Registry, store: Arc<dyn Store>, clock: Clock) -> Self {
        let tools = Tools {
            store,
            mirrors: Vec::new(),
            secrets: Arc::new(NoSecrets),
            progress: Arc::new(Silent),
            faults: Faults::none(),
            clock,
        };
        Self {
            registry,
            tools,
            leases: None,
            cancel: Cancel::new(),
            answers: BTreeMap::new(),
            grace: GRACE,
        }
    }

    /// Keeps a copy of journals there, too.
    #[must_use]
    pub fn mirror(mut self, mirror: Arc<dyn Mirror>) -> Self {
        self.tools.mirrors.push(mirror);
        self
    }

    /// Holds a lease beyond this host.
    #[must_use]
    pub fn leases(mut self, leases: Arc<dyn Leases>) -> Self {
        self.leases = Some(leases);
        self
    }

    /// Refuses to write what this finds.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn SecretGuard>) -> Self {
        self.tools.secrets = secrets;
        self
    }

    /// Shows progress there.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.tools.progress = progress;
        self
    }

    /// Stops at a safe point, within 2 s, once this is cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Answers of the operator to questions of steps.
    #[must_use]
    pub fn answers(mut self, answers: BTreeMap<String, String>) -> Self {
        self.answers = answers;
        self
    }

    /// Injects faults.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.tools.faults = faults;
        self
    }

    /// Reads a run.
    ///
    /// # Errors
    /// [`Refusal::Journal`] if it is damaged or another plan's, [`Refusal::Store`] if there is no such run.
    pub async fn load(&self, run: &RunId) -> Result<Loaded, Refusal> {
        load(&*self.tools.store, run).await
    }

    /// Puts away what a run left: sessions of a dead process, and guards if the run is over. Steps are not touched.
    ///
    /// # Errors
    /// A [`Refusal`] as for [`Executor::resume`].
    pub async fn cleanup(&self, run: &RunId, approval: &Approval) -> Result<Report, Refusal> {
        let (loaded, lock) = self.take_up(run).await?;
        let over = matches!(loaded.state.status, RunStatus::Done | RunStatus::Undone);
        let plan = loaded.plan.clone();
        let process = self.process(&plan, loaded, approval, Mode::Cleanup, Vec::new()).await?;
        let result = async {
            process.close_all().await?;
            if over {
                process.disarm_all().await?;
            }
            process.close_all().await
        };
        match result.await {
            Err(Halt::Crash(place)) => return Err(Refusal::Crashed(place)),
            Err(Halt::Step(error)) => process.warn(error.message).await,
            Ok(()) => {}
        }
        let outcome = {
            let log = process.log.lock().await;
            let left = || StepError::paused("the run is not over", "resume or undo it");
            match log.state.status {
                RunStatus::Done => Outcome::Done,
                RunStatus::Undone => Outcome::Undone,
                _ => Outcome::Stopped { error: log.state.stopped.clone().unwrap_or_else(left) },
            }
        };
        drop(lock);
        Ok(report(&plan, process, outcome).await)
    }

    /// Forgets a run that is over, with its journal.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] if it is not over.
    pub async fn forget(&self, run: &RunId) -> Result<(), Refusal> {
        let (loaded, _lock) = self.take_up(run).await?;
        if !matches!(loaded.state.status, RunStatus::Done | RunStatus::Undone) {
            return Err(Refusal::NotPossible {
                run: run.clone(),
                why: "it is not over; resume or undo it".to_owned(),
            });
        }
        self.tools.store.remove(run).await.map_err(Refusal::Store)
    }

    async fn lock(&self, target: &Target) -> Result<(Holder, Box<dyn Lock>), Refusal> {
        let holder = Holder::here((self.tools.clock)());
        match self.tools.store.lock(target, &holder).await {
            Ok(lock) => Ok((holder, lock)),
            Err(LockError::Held(by)) => {
                Err(Refusal::Held { target: target.to_string(), holder: by })
            }
            Err(LockError::Failed(why)) => Err(Refusal::Store(why)),
        }
    }

    /// Locks the target of a run, then reads the run: nobody writes to it any more.
    async fn take_up(&self, run: &RunId) -> Result<(Loaded, Box<dyn Lock>), Refusal> {
        let plan = plan_of(&*self.tools.store, run).await?;
        let (_, lock) = self.lock(&plan.plan().target).await?;
        Ok((self.load(run).await?, lock))
    }

    fn accepts(&self, plan: &SealedPlan) -> Result<(), Refusal> {
        self.registry.check(plan.plan())?;
        let other =
            |why| Refusal::OtherTarget { target: Box::new(plan.plan().target.clone()), why };
        self.registry.observer.accepts(plan.plan()).map_err(other)
    }

    /// What changed that no step of the run is to blame for. The stale part is an error of the caller's choice.
    async fn drift(
        &self,
        plan: &SealedPlan,
        state: Option<&RunState>,
    ) -> Result<Vec<Drift>, StepError> {
        let now = self.registry.observer.facts(plan.plan(), Wanted::All).await?;
        let ours = |drift: &Drift| {
            state.is_some_and(|state| {
                plan.plan().steps().any(|step| {
                    state.step(&step.id).is_some_and(|now| now.ever_began)
                        && step.changes.iter().any(|pattern| covers(pattern, &drift.fact))
                })
            })
        };
        Ok(plan.plan().facts.drift(&now).into_iter().filter(|drift| !ours(drift)).collect())
    }

    /// Another run of the same target that is not over. The journal of a dead beginning is none.
    async fn refuse_unfinished(&self, plan: &SealedPlan, own: &RunId) -> Result<(), Refusal> {
        let store = &*self.tools.store;
        for run in store.runs().await.map_err(Refusal::Store)? {
            let Ok(other) = plan_of(store, &run).await else { continue };
            if other.plan().target != plan.plan().target {
                continue;
            }
            let bytes = store.journal(&run).await.map_err(Refusal::Store)?;
            let damaged = |why| Refusal::Journal { run: run.clone(), why };
            let read = journal::read(&bytes).map_err(damaged)?;
            if read.records.is_empty() {
                continue;
            }
            let state = replay(&other, &run, read)?.state;
            match state.status {
                RunStatus::Done | RunStatus::Undone if &run == own => {
                    let why = format!("this plan is over ({:?}); make a new plan", state.status);
                    return Err(Refusal::NotPossible { run, why });
                }
                RunStatus::Done | RunStatus::Undone => {}
                _ => {
                    return Err(Refusal::Unfinished {
                        run,
                        target: plan.plan().target.to_string(),
                    });
                }
            }
        }
        Ok(())
    }

    /// A process at an existing run.
    async fn process<'a>(
        &'a self,
        plan: &'a SealedPlan,
        loaded: Loaded,
        approval: &Approval,
        mode: Mode,
        drift: Vec<Drift>,
    ) -> Result<Run<'a>, Refusal> {
        let run = loaded.state.run.clone();
        let mut log = Log::go_on(self.tools.clone(), plan, &run, loaded.read, loaded.state).await?;
        let holder = Holder::here((self.tools.clock)());
        let lease = self.lease(plan, &run, &holder).await?;
        let event = Event::Continue { mode, approval: approval.by().clone(), drift, holder };
        log.record(event, None).await.map_err(refused)?;
        self.assemble(plan, run, log, approval, lease)
    }

    fn assemble<'a>(
        &'a self,
        plan: &'a SealedPlan,
        run: RunId,
        log: Log,
        approval: &Approval,
        lease: Option<Box<dyn crate::lease::RunLease>>,
    ) -> Result<Run<'a>, Refusal> {
        Ok(Run {
            plan: plan.plan(),
            id: run,
            registry: &self.registry,
            permit: approval.permit(plan)?,
            log: Mutex::new(log),
            slots: Slots::new(plan.plan()),
            lease,
            answers: &self.answers,
            clock: &self.tools.clock,
            faults: &self.tools.faults,
            grace: self.grace,
            progress: &*self.tools.progress,
            stop: Stop::new(self.cancel.clone()),
        })
    }

    async fn lease(
        &self,
        plan: &SealedPlan,
        run: &RunId,
        holder: &Holder,
    ) -> Result<Option<Box<dyn crate::lease::RunLease>>, Refusal> {
        let Some(leases) = &self.leases else { return Ok(None) };
        leases.acquire(&plan.plan().target, run, holder).await.map(Some).map_err(Refusal::Lease)
    }
}

#[async_trait]
impl Executor for LocalExecutor {
    async fn apply(&self, plan: &SealedPlan, approval: &Approval) -> Result<Report, Refusal> {
        approval.permit(plan)?;
        self.accepts(plan)?;
        if let Some(path) = secrets::leak(&*self.tools.secrets, plan.value(), "plan") {
            return Err(Refusal::Plan(format!(
                "{path} looks like a secret, which must not be stored"
            )));
        }
        let run = RunId::of(plan.plan(), plan.digest());
        let (holder, lock) = self.lock(&plan.plan().target).await?;
        self.refuse_unfinished(plan, &run).await?;
        let drift = self.drift(plan, None).await.map_err(Refusal::Observe)?;
        let (stale, benign): (Vec<_>, Vec<_>) =
            drift.into_iter().partition(|drift| drift.class == DriftClass::Stale);
        if !stale.is_empty() {
            return Err(Refusal::Stale(stale));
        }
        let lease = self.lease(plan, &run, &holder).await?;
        let store = &self.tools.store;
        store.create(&run, &plan.to_text()).await.map_err(Refusal::Store)?;
        // What a beginning that died left of its first record.
        store.truncate(&run, 0).await.map_err(Refusal::Store)?;
        let begin = Event::Begin {
            version: JOURNAL_VERSION,
            run: run.clone(),
            digest: plan.digest().clone(),
            target: plan.plan().target.clone(),
            approval: approval.by().clone(),
            drift: benign,
            holder,
        };
        let log = Log::begin(self.tools.clone(), plan, begin).await.map_err(refused)?;
        let process = self.assemble(plan, run, log, approval, lease)?;
        let outcome =
            process.work(&Work::Forward { resumed: false }).await.map_err(Refusal::Crashed)?;
        let report = report(plan, process, outcome).await;
        drop(lock);
        Ok(report)
    }

    async fn resume(&self, run: &RunId, approval: &Approval) -> Result<Report, Refusal> {
        let (loaded, lock) = self.take_up(run).await?;
        let plan = loaded.plan.clone();
        approval.permit(&plan)?;
        self.accepts(&plan)?;
        if matches!(loaded.state.status, RunStatus::Done | RunStatus::Undone) {
            let why = format!("it is over ({:?}); there is nothing to resume", loaded.state.status);
            return Err(Refusal::NotPossible { run: run.clone(), why });
        }
        let drift = self.drift(&plan, Some(&loaded.state)).await;
        let (stale, benign) = match drift {
            Ok(drift) => {
                let (stale, benign): (Vec<_>, Vec<_>) =
                    drift.into_iter().partition(|drift| drift.class == DriftClass::Stale);
                let words: Vec<String> = stale.iter().map(ToString::to_string).collect();
                let error = StepError::stale(format!(
                    "the target was changed by somebody else: {}",
                    words.join("; ")
                ))
                .hint("look at what changed; resume goes on once it is as it was, undo goes back");
                ((!stale.is_empty()).then_some(error), benign)
            }
            Err(error) => (Some(error), Vec::new()),
        };
        let process = self.process(&plan, loaded, approval, Mode::Resume, benign).await?;
        // Not before the run is taken up: what must not be left half-done is lifted even then.
        if let Some(stale) = stale {
            process.stop.lose(stale);
        }
        let outcome =
            process.work(&Work::Forward { resumed: true }).await.map_err(Refusal::Crashed)?;
        let report = report(&plan, process, outcome).await;
        drop(lock);
        Ok(report)
    }

    async fn undo(
        &self,
        run: &RunId,
        to: Option<&Id>,
        approval: &Approval,
    ) -> Result<Report, Refusal> {
        let (loaded, lock) = self.take_up(run).await?;
        let plan = loaded.plan.clone();
        approval.permit(&plan)?;
        self.accepts(&plan)?;
        let not_possible = |why: String| Refusal::NotPossible { run: run.clone(), why };
        if let Some(to) = to.filter(|to| plan.plan().step(to).is_none()) {
            return Err(not_possible(format!("the plan has no step `{to}`")));
        }
        if loaded.state.status == RunStatus::Undone {
            return Err(not_possible("it is undone already".to_owned()));
        }
        if let Some(point) = &plan.plan().point_of_no_return
            && loaded.state.is_committed(plan.plan())
        {
            return Err(not_possible(format!(
                "the point of no return is passed, there is no undo; {}",
                point.way_forward
            )));
        }
        let process = self.process(&plan, loaded, approval, Mode::Undo, Vec::new()).await?;
        if let Err(why) = process.may_undo().await {
            process.put_away(&why).await.map_err(Refusal::Crashed)?;
            return Err(not_possible(why));
        }
        let outcome =
            process.work(&Work::Back { to: to.cloned() }).await.map_err(Refusal::Crashed)?;
        let report = report(&plan, process, outcome).await;
        drop(lock);
        Ok(report)
    }
}

async fn report(plan: &SealedPlan, process: Run<'_>, outcome: Outcome) -> Report {
    if let Some(lease) = &process.lease
        && let Err(error) = lease.release().await
    {
        process.warn(format!("the lease on the target was not given back: {error}")).await;
    }
    let log = process.log.into_inner();
    Report::new(plan.plan(), &log.state, outcome, log.warnings)
}

fn refused(halt: Halt) -> Refusal {
    match halt {
        Halt::Crash(place) => Refusal::Crashed(place),
        Halt::Step(error) => Refusal::Store(error.message),
    }
}

pub(crate) async fn plan_of(store: &dyn Store, run: &RunId) -> Result<SealedPlan, Refusal> {
    SealedPlan::parse(&store.plan(run).await.map_err(Refusal::Store)?)
}

/// Reads a run from where it is kept, without a program that could carry it out: for listings.
///
/// # Errors
/// [`Refusal::Journal`] if it is damaged or another plan's, [`Refusal::Store`] if there is no such run.
pub async fn load(store: &dyn Store, run: &RunId) -> Result<Loaded, Refusal> {
    let plan = plan_of(store, run).await?;
    let bytes = store.journal(run).await.map_err(Refusal::Store)?;
    let damaged = |why| Refusal::Journal { run: run.clone(), why };
    let read = journal::read(&bytes).map_err(damaged)?;
    replay(&plan, run, read)
}

/// What a journal adds up to, if it is the one of this run.
fn replay(plan: &SealedPlan, run: &RunId, read: journal::Read) -> Result<Loaded, Refusal> {
    let damaged = |why| Refusal::Journal { run: run.clone(), why };
    if let Some(Event::Begin { digest, .. }) = read.records.first().map(|first| &first.event)
        && digest != plan.digest()
    {
        return Err(damaged(format!(
            "it is of plan {}, not of this one ({})",
            digest.short(),
            plan.digest().short()
        )));
    }
    let state = RunState::fold(plan.plan(), &read.records).map_err(damaged)?;
    if &state.run != run {
        return Err(damaged(format!("it is of run {}", state.run)));
    }
    Ok(Loaded { plan: plan.clone(), state, read })
}
