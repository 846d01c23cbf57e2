//! What a journal adds up to. One `match` refuses every transition that no sound run makes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::Digest;
use crate::error::StepError;
use crate::event::{Event, Mode};
use crate::facts::Drift;
use crate::journal::Record;
use crate::lock::Holder;
use crate::outputs::{self, Outputs};
use crate::plan::{Id, OnLoss, Plan, Target};
use crate::store::RunId;

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing yet, or taken back and to be done again.
    Pending,
    /// It may have acted; nobody knows yet.
    Started,
    /// Its postcondition was seen.
    Done,
    /// It did not get through; it may have acted.
    Failed,
    /// It is being taken back; nobody knows how far.
    Undoing,
    /// Its effect was seen to be gone.
    Undone,
    /// It could not be taken back.
    UndoFailed,
}

/// One step of a run.
#[derive(Debug, Clone)]
pub struct StepState {
    /// Where it stands.
    pub status: Status,
    /// Whether it may have an effect of this run.
    pub began: bool,
    /// Whether it ever had.
    pub ever_began: bool,
    /// What its undo needs, from the first act since it was last taken back.
    pub before: Outputs,
    /// When that act was about to begin.
    pub began_at: Option<Timestamp>,
    /// What it left, once done.
    pub outputs: Outputs,
    /// How often it was about to act.
    pub attempts: u32,
    /// It relied on something that is gone: it must be taken back before it is done again.
    pub rebuild: bool,
    /// The last error.
    pub error: Option<StepError>,
    /// First and last record about it.
    pub times: Option<(Timestamp, Timestamp)>,
}

/// A session of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionState {
    /// Somebody was opening it, or has it open, or died with it open.
    Open {
        /// Empty while it is being opened.
        public: Outputs,
    },
    /// It was lost.
    Lost,
    /// It was given back.
    Closed,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// A process is at it, or died.
    Open,
    /// Stopped at a safe point.
    Stopped,
    /// All steps are done.
    Done,
    /// All steps are taken back.
    Undone,
}

/// A run as its journal tells it.
#[derive(Debug, Clone)]
pub struct RunState {
    /// Its name.
    pub run: RunId,
    /// The plan's digest.
    pub digest: Digest,
    /// What it changes.
    pub target: Target,
    /// Where it stands.
    pub status: RunStatus,
    /// What the last process set out to do.
    pub mode: Mode,
    /// The process that last took it up.
    pub holder: Holder,
    /// Benign drift that was passed, over all processes.
    pub drift: Vec<Drift>,
    /// When it began.
    pub began: Timestamp,
    /// Time of the last record.
    pub last: Timestamp,
    /// Why it stopped, if it did.
    pub stopped: Option<StepError>,
    /// Its sessions, those that were ever opened.
    pub sessions: BTreeMap<Id, SessionState>,
    /// Steps whose guard may be armed.
    pub guards: BTreeSet<Id>,
    steps: BTreeMap<Id, StepState>,
}

impl RunState {
    /// Adds a journal up.
    ///
    /// # Errors
    /// Says which record cannot be.
    pub fn fold(plan: &Plan, records: &[Record]) -> Result<Self, String> {
        let Some((first, rest)) = records.split_first() else {
            return Err("it is empty: nothing was done yet, apply the plan again".to_owned());
        };
        let mut state = Self::begin(plan, first)?;
        for record in rest {
            state.apply(record).map_err(|why| format!("record {}: {why}", record.number))?;
        }
        Ok(state)
    }

    /// The state after the first record.
    pub(crate) fn begin(plan: &Plan, first: &Record) -> Result<Self, String> {
        let Event::Begin { run, digest, target, drift, holder, .. } = &first.event else {
            return Err("it does not start with the beginning of a run".to_owned());
        };
        let fresh = |at| StepState {
            status: Status::Pending,
            began: false,
            ever_began: false,
            before: Outputs::none(),
            began_at: at,
            outputs: Outputs::none(),
            attempts: 0,
            rebuild: false,
            error: None,
            times: None,
        };
        Ok(Self {
            run: run.clone(),
            digest: digest.clone(),
            target: target.clone(),
            status: RunStatus::Open,
            mode: Mode::Apply,
            holder: holder.clone(),
            drift: drift.clone(),
            began: first.at,
            last: first.at,
            stopped: None,
            sessions: BTreeMap::new(),
            guards: BTreeSet::new(),
            steps: plan.steps().map(|step| (step.id.clone(), fresh(None))).collect(),
        })
    }

    /// A step. Ids of the plan are always there.
    pub fn step(&self, id: &Id) -> Option<&StepState> {
        self.steps.get(id)
    }

    /// Whether a step's postcondition was seen and still counts.
    pub fn is_done(&self, id: &Id) -> bool {
        self.step(id).is_some_and(|step| step.status == Status::Done)
    }

    /// Whether something was made for a step, or found, that may have to be made anew and is not yet known to be.
    pub(crate) fn is_touched(&self, id: &Id) -> bool {
        self.step(id)
            .is_some_and(|step| step.status == Status::Done || (step.began && !step.rebuild))
    }

    /// Whether the point of no return was passed for certain.
    pub fn is_committed(&self, plan: &Plan) -> bool {
        plan.point_of_no_return.as_ref().is_some_and(|point| self.is_done(&point.step))
    }

    /// A value with its output references replaced; the first that has no value is the error.
    pub(crate) fn resolve(&self, value: &Value) -> Result<Value, String> {
        outputs::resolve(value, &|reference| {
            let (step, name) = outputs::split(reference)?;
            self.step(&step)?.outputs.get(name).cloned()
        })
    }

    /// Whether a record about a step would be refused, before it is written.
    pub(crate) fn check(&self, record: &Record) -> Result<(), String> {
        match record.event.step().and_then(|id| self.steps.get(id)) {
            Some(step) => step.clone().apply(record),
            None => Ok(()),
        }
    }

    /// Takes one more record in.
    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), String> {
        if matches!(self.status, RunStatus::Done | RunStatus::Undone) {
            let housekeeping = matches!(
                record.event,
                Event::Continue { mode: Mode::Cleanup, .. }
                    | Event::SessionIntent { .. }
                    | Event::SessionOpen { .. }
                    | Event::SessionClosed { .. }
                    | Event::SessionLost { .. }
                    | Event::GuardDisarmed { .. }
            );
            let goes_back = matches!(record.event, Event::Continue { mode: Mode::Undo, .. });
            let allowed = housekeeping || (self.status == RunStatus::Done && goes_back);
            if !allowed {
                return Err("the run was over".to_owned());
            }
        }
        self.last = record.at;
        match &record.event {
            Event::Begin { .. } => return Err("the run begins a second time".to_owned()),
            Event::Continue { mode, drift, holder, .. } => {
                self.mode = *mode;
                if *mode != Mode::Cleanup {
                    self.status = RunStatus::Open;
                    self.stopped = None;
                }
                self.holder = holder.clone();
                self.drift.extend(drift.iter().cloned());
            }
            Event::Stopped { error } => {
                self.status = RunStatus::Stopped;
                self.stopped = Some(error.clone());
            }
            Event::Finished { undone } => self.finish(*undone)?,
            Event::Invalidated { steps, on_loss, .. } => {
                for id in steps {
                    let step = self
                        .steps
                        .get_mut(id)
                        .ok_or_else(|| format!("`{id}` is no step of the plan"))?;
                    if step.status != Status::Done && !step.began {
                        return Err(format!("step `{id}` was not begun"));
                    }
                    step.status = Status::Pending;
                    // Its outputs stay known until it is taken back: its undo, and that of later steps, may need them.
                    step.rebuild = step.began && *on_loss == OnLoss::Rebuild;
                }
            }
            Event::SessionIntent { session } => {
                let open = SessionState::Open { public: Outputs::none() };
                // A session that is open stays known by its public part until the new one is.
                self.sessions
                    .entry(session.clone())
                    .and_modify(|state| {
                        if !matches!(state, SessionState::Open { .. }) {
                            *state = open.clone();
                        }
                    })
                    .or_insert(open.clone());
            }
            Event::SessionOpen { session, public } => {
                if !matches!(self.sessions.get(session), Some(SessionState::Open { .. })) {
                    return Err(format!("nobody was opening session `{session}`"));
                }
                self.sessions
                    .insert(session.clone(), SessionState::Open { public: public.clone() });
            }
            Event::SessionLost { session, .. } => {
                self.sessions.insert(session.clone(), SessionState::Lost);
            }
            Event::SessionClosed { session } => {
                self.sessions.insert(session.clone(), SessionState::Closed);
            }
            Event::GuardArmed { step } => {
                self.guards.insert(step.clone());
            }
            Event::GuardDisarmed { step } => {
                self.guards.remove(step);
            }
            event => {
                let step = event.step().ok_or("unknown event")?;
                let state = self
                    .steps
                    .get_mut(step)
                    .ok_or_else(|| format!("`{step}` is no step of the plan"))?;
                state.apply(record).map_err(|why| format!("step `{step}` {why}"))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, undone: bool) -> Result<(), String> {
        for (id, step) in &self.steps {
            let fits = if undone { !step.began } else { step.status == Status::Done };
            if !fits {
                return Err(format!("the run was over while step `{id}` was {:?}", step.status));
            }
        }
        self.status = if undone { RunStatus::Undone } else { RunStatus::Done };
        self.stopped = None;
        Ok(())
    }
}

impl StepState {
    fn apply(&mut self, record: &Record) -> Result<(), String> {
        use Status::{Done, Failed, Pending, Started, UndoFailed, Undoing, Undone};
        self.times = Some((self.times.map_or(record.at, |times| times.0), record.at));
        match (&record.event, self.status) {
            (
                Event::Intent { before, .. },
                Pending | Started | Failed | Undone | Undoing | UndoFailed,
            ) => {
                if self.rebuild {
                    return Err("acts before it was taken back".to_owned());
                }
                if !self.began {
                    self.before = before.clone();
                    self.began_at = Some(record.at);
                }
                self.began = true;
                self.ever_began = true;
                self.attempts += 1;
                self.status = Started;
            }
            (
                Event::Done { acted, outputs, .. },
                Pending | Started | Failed | Undone | Undoing | UndoFailed,
            ) => {
                if *acted != self.began {
                    return Err("is done and disagrees on whether it acted".to_owned());
                }
                self.outputs = outputs.clone();
                self.error = None;
                self.status = Done;
            }
            (
                Event::Failed { error, .. },
                Pending | Started | Failed | Undone | Undoing | UndoFailed,
            ) => {
                self.error = Some(error.clone());
                self.status = Failed;
            }
            (Event::UndoIntent { .. }, _) if self.began => self.status = Undoing,
            (Event::Undone { .. }, Undoing) => {
                self.began = false;
                self.before = Outputs::none();
                self.began_at = None;
                self.outputs = Outputs::none();
                self.rebuild = false;
                self.error = None;
                self.status = Undone;
            }
            (Event::UndoFailed { error, .. }, Undoing) => {
                self.error = Some(error.clone());
                self.status = UndoFailed;
            }
            (event, status) => return Err(format!("was {status:?} and cannot take {event:?}")),
        }
        Ok(())
    }
}
