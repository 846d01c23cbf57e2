//! Faults by step, phase and moment: data, so that a test, a scenario file or a flag of a test build can name them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::{Id, Plan, Undo};

/// A phase of a step, forward or backward, or of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Looking, before anything is written.
    Observe,
    /// The record before the act.
    Intent,
    /// The act.
    Act,
    /// Waiting for the effect.
    Wait,
    /// Checking the postcondition.
    Verify,
    /// The record after the act.
    Outcome,
    /// The record before the undo.
    UndoIntent,
    /// The undo.
    UndoAct,
    /// The record after the undo.
    UndoOutcome,
    /// Opening a session.
    Open,
    /// Closing a session.
    Close,
}

impl Phase {
    const NAMES: [(Self, &'static str); 11] = [
        (Self::Observe, "observe"),
        (Self::Intent, "intent"),
        (Self::Act, "act"),
        (Self::Wait, "wait"),
        (Self::Verify, "verify"),
        (Self::Outcome, "outcome"),
        (Self::UndoIntent, "undo_intent"),
        (Self::UndoAct, "undo_act"),
        (Self::UndoOutcome, "undo_outcome"),
        (Self::Open, "open"),
        (Self::Close, "close"),
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            Self::NAMES.iter().find(|(phase, _)| phase == self).map_or("", |(_, name)| name),
        )
    }
}

/// Where in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Nothing of it has happened.
    Before,
    /// A record is half written; a call is cut off after its first await.
    During,
    /// All of it has happened and nobody noticed.
    After,
}

impl Moment {
    const NAMES: [(Self, &'static str); 3] =
        [(Self::Before, "before"), (Self::During, "during"), (Self::After, "after")];
}

/// A place where a fault can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// Step or session.
    pub id: Id,
    /// Its phase.
    pub phase: Phase,
    /// The moment.
    pub moment: Moment,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = Moment::NAMES
            .iter()
            .find(|(moment, _)| moment == &self.moment)
            .map_or("", |(_, name)| name);
        write!(f, "{}:{}:{moment}", self.id, self.phase)
    }
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The phase fails with an error.
    Fail,
    /// The executor returns at once and does nothing more, as if it had been killed.
    Crash,
    /// The process kills itself with SIGKILL.
    Kill,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub point: Point,
    /// What.
    pub effect: Effect,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Fail => "fail",
            Effect::Crash => "crash",
            Effect::Kill => "kill",
        };
        write!(f, "{}:{effect}", self.point)
    }
}

/// `STEP:PHASE:MOMENT:EFFECT`, such as `copy:act:during:kill`.
impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [id, phase, moment, effect] = parts[..] else {
            return Err(format!("fault `{text}` is not STEP:PHASE:MOMENT:EFFECT"));
        };
        let phase = Phase::NAMES.iter().find(|(_, name)| *name == phase);
        let moment = Moment::NAMES.iter().find(|(_, name)| *name == moment);
        let effect = match effect {
            "fail" => Some(Effect::Fail),
            "crash" => Some(Effect::Crash),
            "kill" => Some(Effect::Kill),
            _ => None,
        };
        match (phase, moment, effect) {
            (Some((phase, _)), Some((moment, _)), Some(effect)) => {
                Ok(Self { point: Point { id: id.into(), phase: *phase, moment: *moment }, effect })
            }
            _ => Err(format!("fault `{text}` names an unknown phase, moment or effect")),
        }
    }
}

/// The faults of a run; usually none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Each fires whenever its point is passed.
    pub faults: Vec<Fault>,
    /// How often a call that is cut off had to wait before that, less one: 0 cuts it at its first await.
    #[serde(default)]
    pub later: u32,
}

impl Faults {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly one.
    pub fn one(point: Point, effect: Effect) -> Self {
        Self { faults: vec![Fault { point, effect }], later: 0 }
    }

    pub(crate) fn at(&self, id: &Id, phase: Phase, moment: Moment) -> Option<Effect> {
        self.faults
            .iter()
            .find(|fault| {
                fault.point.phase == phase && fault.point.moment == moment && &fault.point.id == id
            })
            .map(|fault| fault.effect)
    }
}

/// Every point of a plan on the way forward: for each step before, during and after its intent, act and outcome, and for each
/// session before, during and after opening and closing.
pub fn forward_points(plan: &Plan) -> Vec<Point> {
    let steps =
        plan.steps().flat_map(|step| expand(&step.id, [Phase::Intent, Phase::Act, Phase::Outcome]));
    let sessions =
        plan.sessions.iter().flat_map(|session| expand(&session.id, [Phase::Open, Phase::Close]));
    steps.chain(sessions).collect()
}

/// Every point of a plan on the way back, for the steps that have an undo.
pub fn undo_points(plan: &Plan) -> Vec<Point> {
    plan.steps()
        .filter(|step| matches!(step.undo, Undo::Action { .. }))
        .flat_map(|step| expand(&step.id, [Phase::UndoIntent, Phase::UndoAct, Phase::UndoOutcome]))
        .collect()
}

fn expand<const N: usize>(id: &Id, phases: [Phase; N]) -> Vec<Point> {
    let moments = Moment::NAMES.map(|(moment, _)| moment);
    let point = |phase, moment| Point { id: id.clone(), phase, moment };
    phases.iter().flat_map(|phase| moments.map(|moment| point(*phase, moment))).collect()
}
