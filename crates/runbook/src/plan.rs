//! What is going to be done, as data: reviewable, printable, savable, and nothing else.
//!
//! A plan holds no closures and no handles, so that another process, a person or a durable-execution engine can carry it out.
//! Reading and writing files of it is in [`crate::sealed`], the rules it must keep in [`crate::validate`].

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::Facts;

/// Name of a step, a group or a session inside one plan: `[a-z0-9][a-z0-9._-]*`, at most 100 bytes. Checked by sealing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// Takes the text as it is; [`crate::validate::check`] judges it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_valid(&self) -> bool {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        self.0.len() <= 100
            && self.0.bytes().next().is_some_and(legal)
            && self.0.bytes().all(|byte| legal(byte) || b"._-".contains(&byte))
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a plan changes. One writer at a time per target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// What sort of thing, such as `fly-app`.
    pub kind: String,
    /// Who owns it, such as an organisation.
    pub owner: String,
    /// Its name there; what a person types to confirm a dangerous plan.
    pub name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.owner, self.name)
    }
}

/// Ordered groups of steps with all that a reviewer needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Which runbook made it, such as `region-migration`.
    pub runbook: String,
    /// Tool and version that made it.
    pub tool: String,
    /// When.
    pub created_at: Timestamp,
    /// What it changes.
    pub target: Target,
    /// One sentence for people.
    pub summary: String,
    /// What the operator asked for, as it was resolved.
    #[serde(default)]
    pub inputs: BTreeMap<String, Value>,
    /// The inventory it was made from; drift is judged against these.
    #[serde(default)]
    pub facts: Facts,
    /// Things that are opened before, refreshed during, and closed after the steps that name them.
    #[serde(default)]
    pub sessions: Vec<SessionSpec>,
    /// What is done, in this order.
    pub groups: Vec<Group>,
    /// From the act of this step on there is no undo.
    #[serde(default)]
    pub point_of_no_return: Option<NoReturn>,
    /// What the reader must know and no step says.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Plan {
    /// All steps in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.groups.iter().flat_map(|group| group.steps.iter())
    }

    /// A step by its id.
    pub fn step(&self, id: &Id) -> Option<&Step> {
        self.steps().find(|step| &step.id == id)
    }

    /// Position of a step in the order of all steps.
    pub fn position(&self, id: &Id) -> Option<usize> {
        self.steps().position(|step| &step.id == id)
    }

    /// The highest risk of any step.
    pub fn risk(&self) -> Risk {
        self.steps().map(|step| step.risk).max().unwrap_or(Risk::None)
    }
}

/// The step after which only forward is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoReturn {
    /// Its act is the commitment.
    pub step: Id,
    /// What to do instead of an undo, once it happened.
    pub way_forward: String,
}

/// Steps that run together. `at_once = 1` is one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name.
    pub id: Id,
    /// For people.
    pub title: String,
    /// How many steps run at the same time, at least 1.
    pub at_once: u32,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Group {
    /// Steps one after another.
    pub fn serial(id: impl Into<Id>, title: impl Into<String>, steps: Vec<Step>) -> Self {
        Self { id: id.into(), title: title.into(), at_once: 1, steps }
    }

    /// Steps that do not depend on each other.
    pub fn parallel(
        id: impl Into<Id>,
        title: impl Into<String>,
        at_once: u32,
        steps: Vec<Step>,
    ) -> Self {
        Self { id: id.into(), title: title.into(), at_once, steps }
    }
}

/// What can go wrong for the users of the target while the step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing.
    None,
    /// Requests may fail for a while.
    Availability,
    /// Data may be lost if a precondition is wrong, or by design.
    DataLoss,
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Undo {
    /// It only reads, or what it leaves is harmless: nothing to take back.
    Nothing,
    /// The kind's `undo` takes it back.
    Action {
        /// What that does, for people.
        what: String,
        /// The same by hand.
        #[serde(default)]
        commands: Vec<String>,
    },
    /// It cannot be taken back: only legal at or after the point of no return.
    Irreversible {
        /// Why.
        why: String,
    },
}

/// A value that must still be as it was seen, checked just before the step acts for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Precondition {
    /// Name of the fact, as the [`crate::kind::Observer`] knows it.
    pub fact: String,
    /// The value that was seen (or that earlier steps will have made).
    pub seen: Value,
    /// Why it matters, for the person who is stopped by it.
    pub why: String,
}

/// Price of a step in US dollars; the sources and their date belong to the plan's inputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Paid once.
    pub once_usd: f64,
    /// Change of the monthly bill from now on; negative saves.
    pub monthly_usd: f64,
}

/// A step that must not be left half-done: if the run stops between it and `until`, its undo runs at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// When this step is done the hold is over and what it held stays as it is.
    pub until: Id,
    /// What lifts it if this machine is lost.
    #[serde(default)]
    pub guard: Option<GuardSpec>,
}

/// A dead-man guard: armed before the act, where the effect lives; it undoes the step by itself unless it is refreshed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardSpec {
    /// A registered [`crate::kind::GuardKind`].
    pub kind: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Value,
    /// It fires this long after the last refresh. Refreshed at a third of it.
    pub ttl_seconds: u64,
}

/// Something that must be alive while steps run: a lease, a proxy, an exported snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionSpec {
    /// What steps call it.
    pub id: Id,
    /// A registered [`crate::session::SessionKind`].
    pub kind: String,
    /// Its parameters. They may hold output references.
    #[serde(default)]
    pub params: Value,
    /// Life without a refresh. Refreshed at a third of it.
    pub ttl_seconds: u64,
    /// What becomes of finished steps that name it when it is lost before the last of them is done.
    pub on_loss: OnLoss,
}

/// What resume does with finished steps whose session, or hold, was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// Look again and act only where it is needed (a lease, a proxy).
    Reobserve,
    /// What they made is worthless: undo it, then do it again (an exported snapshot).
    Rebuild,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in the plan.
    pub id: Id,
    /// A registered [`crate::kind::StepKind`].
    pub kind: String,
    /// What, for people.
    pub title: String,
    /// Why, for people.
    #[serde(default)]
    pub why: String,
    /// Parameters for the kind. `{"$output": "STEP/NAME"}` anywhere in it becomes that output of an earlier step.
    #[serde(default)]
    pub params: Value,
    /// Checked before the first act.
    #[serde(default)]
    pub preconditions: Vec<Precondition>,
    /// What is true afterwards, for people; the kind's `verify` checks it.
    pub postcondition: String,
    /// Whether the postcondition still holds when the plan is done. Later steps may end it on purpose.
    #[serde(default = "yes")]
    pub lasting: bool,
    /// How it is taken back.
    pub undo: Undo,
    /// What can go wrong.
    pub risk: Risk,
    /// How long it should take, in seconds.
    #[serde(default)]
    pub expected_seconds: u64,
    /// `wait` fails after this long, in seconds.
    #[serde(default)]
    pub deadline_seconds: Option<u64>,
    /// What it costs.
    #[serde(default)]
    pub cost: Cost,
    /// The same by hand.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Sessions that must be alive while it runs, also while it is undone.
    #[serde(default)]
    pub sessions: Vec<Id>,
    /// Steps with a [`Hold`] whose effect this step relies on. If the hold ends too early, this step is rebuilt.
    #[serde(default)]
    pub under: Vec<Id>,
    /// Facts it changes: their drift is expected once it began. `prefix*` names all facts that start so.
    #[serde(default)]
    pub changes: Vec<String>,
    /// Set on a step that must not be left half-done.
    #[serde(default)]
    pub hold: Option<Hold>,
}

fn yes() -> bool {
    true
}

impl Step {
    /// A step that only reads: no undo, no risk. Turn it into more with the methods below.
    pub fn new(id: impl Into<Id>, kind: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            title: title.into(),
            why: String::new(),
            params: Value::Null,
            preconditions: Vec::new(),
            postcondition: String::new(),
            lasting: true,
            undo: Undo::Nothing,
            risk: Risk::None,
            expected_seconds: 0,
            deadline_seconds: None,
            cost: Cost::default(),
            commands: Vec::new(),
            sessions: Vec::new(),
            under: Vec::new(),
            changes: Vec::new(),
            hold: None,
        }
    }

    /// Why it is there.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Parameters for the kind.
    #[must_use]
    pub fn params(mut self, params: Value) -> Self {
        self.params = params;
        self
    }

    /// A value that must still be as it was seen.
    #[must_use]
    pub fn requires(
        mut self,
        fact: impl Into<String>,
        seen: impl Into<Value>,
        why: impl Into<String>,
    ) -> Self {
        self.preconditions.push(Precondition {
            fact: fact.into(),
            seen: seen.into(),
            why: why.into(),
        });
        self
    }

    /// What is true afterwards.
    #[must_use]
    pub fn ensures(mut self, postcondition: impl Into<String>) -> Self {
        self.postcondition = postcondition.into();
        self
    }

    /// The postcondition is meant to be ended by a later step.
    #[must_use]
    pub fn passing(mut self) -> Self {
        self.lasting = false;
        self
    }

    /// It can be taken back: what that does, and the commands for a person.
    #[must_use]
    pub fn undo<S: Into<String>>(
        mut self,
        what: impl Into<String>,
        commands: impl IntoIterator<Item = S>,
    ) -> Self {
        self.undo = Undo::Action {
            what: what.into(),
            commands: commands.into_iter().map(Into::into).collect(),
        };
        self
    }

    /// It cannot be taken back.
    #[must_use]
    pub fn irreversible(mut self, why: impl Into<String>) -> Self {
        self.undo = Undo::Irreversible { why: why.into() };
        self
    }

    /// What can go wrong.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }

    /// How long it should take, and after how long it has failed, in seconds.
    #[must_use]
    pub fn takes(mut self, expected_seconds: u64, deadline_seconds: u64) -> Self {
        self.expected_seconds = expected_seconds;
        self.deadline_seconds = Some(deadline_seconds);
        self
    }

    /// What it costs.
    #[must_use]
    pub fn costs(mut self, once_usd: f64, monthly_usd: f64) -> Self {
        self.cost = Cost { once_usd, monthly_usd };
        self
    }

    /// One more command that a person would type instead.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// A session that must be alive.
    #[must_use]
    pub fn session(mut self, id: impl Into<Id>) -> Self {
        self.sessions.push(id.into());
        self
    }

    /// A held step whose effect this one relies on.
    #[must_use]
    pub fn under(mut self, id: impl Into<Id>) -> Self {
        self.under.push(id.into());
        self
    }

    /// A fact that it changes.
    #[must_use]
    pub fn changes(mut self, fact: impl Into<String>) -> Self {
        self.changes.push(fact.into());
        self
    }

    /// It must not be left half-done.
    #[must_use]
    pub fn hold(mut self, until: impl Into<Id>, guard: Option<GuardSpec>) -> Self {
        self.hold = Some(Hold { until: until.into(), guard });
        self
    }
}
