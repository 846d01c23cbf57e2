//! The writing side of a journal: checks for secrets, injects faults, appends, mirrors, and keeps the state in step.

use std::sync::Arc;

use crate::context::Clock;
use crate::error::{Refusal, StepError};
use crate::event::Event;
use crate::inject::{Effect, Faults, Moment, Phase};
use crate::journal::{self, Chain, Record};
use crate::mirror::{Mirror, MirrorPolicy};
use crate::outputs::Outputs;
use crate::plan::Id;
use crate::progress::Progress;
use crate::sealed::SealedPlan;
use crate::secrets::{self, SecretGuard};
use crate::state::RunState;
use crate::store::{RunId, Store};

/// Why work ends early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// As if the process had died here: nothing more may be written or called.
    Crash(String),
    /// A step, a session or the journal failed.
    Step(StepError),
}

impl From<StepError> for Halt {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

/// What a log needs from its executor.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) mirrors: Vec<Arc<dyn Mirror>>,
    pub(crate) secrets: Arc<dyn SecretGuard>,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) faults: Faults,
    pub(crate) clock: Clock,
}

pub(crate) struct Log {
    tools: Tools,
    plan: SealedPlan,
    run: RunId,
    chain: Chain,
    next: u64,
    /// Mirrors that missed a record; they catch up when the run is next taken up.
    behind: Vec<bool>,
    pub(crate) warnings: Vec<String>,
    pub(crate) state: RunState,
}

impl Log {
    /// Starts a journal. Nothing of the run exists before the first record.
    pub(crate) async fn begin(tools: Tools, plan: &SealedPlan, event: Event) -> Result<Self, Halt> {
        let run = RunId::of(plan.plan(), plan.digest());
        let record = Record { number: 0, at: (tools.clock)(), event };
        let state = RunState::begin(plan.plan(), &record).map_err(StepError::failed)?;
        let behind = vec![false; tools.mirrors.len()];
        let mut log = Self {
            tools,
            plan: plan.clone(),
            run,
            chain: Chain::default(),
            next: 0,
            behind,
            warnings: Vec::new(),
            state,
        };
        log.write(&record, None).await?;
        Ok(log)
    }

    /// Goes on with a journal: cuts the torn tail off and brings mirrors up to date.
    pub(crate) async fn go_on(
        tools: Tools,
        plan: &SealedPlan,
        run: &RunId,
        read: journal::Read,
        state: RunState,
    ) -> Result<Self, Refusal> {
        if read.torn {
            tools.store.truncate(run, read.sound).await.map_err(Refusal::Store)?;
        }
        let behind = vec![false; tools.mirrors.len()];
        let next = read.records.len() as u64;
        let mut log = Self {
            tools,
            plan: plan.clone(),
            run: run.clone(),
            chain: read.chain,
            next,
            behind,
            warnings: Vec::new(),
            state,
        };
        for index in 0..log.tools.mirrors.len() {
            let mirror = Arc::clone(&log.tools.mirrors[index]);
            if let Err(why) = catch_up(&*mirror, run, &read.lines).await {
                log.mirror_failed(index, &why).map_err(Refusal::Observe)?;
            }
        }
        Ok(log)
    }

    /// Writes a record. `at` is the point for injected faults.
    pub(crate) async fn record(
        &mut self,
        event: Event,
        at: Option<(&Id, Phase)>,
    ) -> Result<(), Halt> {
        let mut event = event;
        scrub(&*self.tools.secrets, &mut event);
        if let Some((id, name)) = leak(&*self.tools.secrets, &event) {
            return Err(StepError::failed(format!(
                "output `{name}` of `{id}` looks like a secret and was not written to the journal"
            ))
            .hint("this is a bug of the step's kind: outputs are public")
            .into());
        }
        let record = Record { number: self.next, at: (self.tools.clock)(), event };
        let refused = |why| StepError::failed(format!("the journal refused a record: {why}"));
        self.state.check(&record).map_err(refused)?;
        self.write(&record, at).await
    }

    async fn write(&mut self, record: &Record, at: Option<(&Id, Phase)>) -> Result<(), Halt> {
        self.fault(at, Moment::Before)?;
        let (line, chain) = self.chain.line(record).map_err(StepError::failed)?;
        let store = Arc::clone(&self.tools.store);
        if let Some((id, phase)) = at
            && let Some(effect) = self.tools.faults.at(id, phase, Moment::During)
        {
            if effect != Effect::Fail {
                let half = &line.as_bytes()[..line.len() / 2];
                store.append(&self.run, half).await.map_err(StepError::failed)?;
            }
            trigger(effect, &format!("{id}:{phase}:during"))?;
        }
        if let Err(why) = store.append(&self.run, line.as_bytes()).await {
            return Err(StepError::failed(format!("journal: {why}"))
                .hint("make room or mend the directory, then resume")
                .into());
        }
        // From here on the record exists; dropping this future later leaves mirrors behind, which catch up.
        self.chain = chain;
        self.next += 1;
        if record.number > 0 {
            let refused = |why| StepError::failed(format!("the journal refused a record: {why}"));
            self.state.apply(record).map_err(refused)?;
        }
        self.tools.progress.record(self.plan.plan(), record);
        self.fault(at, Moment::After)?;
        self.mirror(record.number, line.trim_end()).await
    }

    async fn mirror(&mut self, number: u64, line: &str) -> Result<(), Halt> {
        for index in 0..self.tools.mirrors.len() {
            if self.behind[index] {
                continue;
            }
            let mirror = Arc::clone(&self.tools.mirrors[index]);
            if let Err(why) = mirror.append(&self.run, number, line).await {
                self.mirror_failed(index, &why)?;
            }
        }
        Ok(())
    }

    fn mirror_failed(&mut self, index: usize, why: &str) -> Result<(), StepError> {
        self.behind[index] = true;
        let mirror = &self.tools.mirrors[index];
        let text = format!("mirror {} of the journal: {why}", mirror.name());
        match mirror.policy() {
            MirrorPolicy::BestEffort => {
                self.warnings.push(text);
                Ok(())
            }
            MirrorPolicy::Required => Err(StepError::failed(text)),
        }
    }

    fn fault(&self, at: Option<(&Id, Phase)>, moment: Moment) -> Result<(), Halt> {
        let Some((id, phase)) = at else { return Ok(()) };
        match self.tools.faults.at(id, phase, moment) {
            None => Ok(()),
            Some(effect) => trigger(effect, &format!("{id}:{phase}")),
        }
    }
}

/// Lets a fault happen.
pub(crate) fn trigger(effect: Effect, place: &str) -> Result<(), Halt> {
    match effect {
        Effect::Fail => Err(StepError::failed(format!("injected fault at {place}")).into()),
        Effect::Crash => Err(Halt::Crash(place.to_owned())),
        Effect::Kill => {
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            );
            // The signal may need a moment to arrive; nothing may happen meanwhile.
            loop {
                std::thread::park();
            }
        }
    }
}

async fn catch_up(mirror: &dyn Mirror, run: &RunId, lines: &[String]) -> Result<(), String> {
    let known = mirror.count(run).await?;
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    if known > lines.len() {
        return Err(format!("has {known} records, the journal here {}", lines.len()));
    }
    for (number, line) in lines.iter().enumerate().skip(known) {
        mirror.append(run, number as u64, line).await?;
    }
    Ok(())
}

fn scrub(guard: &dyn SecretGuard, event: &mut Event) {
    if let Event::Failed { error, .. }
    | Event::UndoFailed { error, .. }
    | Event::SessionLost { error, .. }
    | Event::Stopped { error } = event
    {
        error.message = guard.scrub(&error.message);
        error.hint = error.hint.as_deref().map(|hint| guard.scrub(hint));
    }
}

fn leak(guard: &dyn SecretGuard, event: &Event) -> Option<(Id, String)> {
    let (id, outputs): (&Id, &Outputs) = match event {
        Event::Intent { step, before } => (step, before),
        Event::Done { step, outputs, .. } => (step, outputs),
        Event::SessionOpen { session, public } => (session, public),
        _ => return None,
    };
    outputs
        .iter()
        .find_map(|(name, value)| secrets::leak(guard, value, name))
        .map(|name| (id.clone(), name))
}
