//! What a step is given: its parameters, what earlier steps left, and the session handles. Nothing else reaches it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cancel::Cancel;
use crate::error::StepError;
use crate::facts::covers;
use crate::outputs::Outputs;
use crate::plan::{Id, Plan, Step};
use crate::progress::Progress;
use crate::session::Session;
use crate::store::RunId;

/// Wall clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The world of one step.
pub struct StepContext<'a> {
    /// The run, stable over resumes: a marker for what is created.
    pub run: &'a RunId,
    /// The plan.
    pub plan: &'a Plan,
    /// The step.
    pub step: &'a Step,
    /// Its parameters, references replaced.
    pub params: Value,
    pub(crate) before: Outputs,
    pub(crate) began_at: Option<Timestamp>,
    pub(crate) outputs: Outputs,
    /// Patterns of the facts that begun steps of this run change.
    pub(crate) expected: Vec<String>,
    pub(crate) sessions: BTreeMap<Id, Arc<dyn Session>>,
    pub(crate) answers: &'a BTreeMap<String, String>,
    pub(crate) clock: &'a Clock,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) stop: Cancel,
}

impl StepContext<'_> {
    /// The parameters as a type.
    ///
    /// # Errors
    /// Names the step and the field.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        T::deserialize(&self.params).map_err(|error| {
            StepError::failed(format!("parameters of step `{}`: {error}", self.step.id))
                .hint("the plan was made by another version of this tool: plan again")
        })
    }

    /// What `observe` gave before the first act (empty before that).
    pub fn before(&self) -> &Outputs {
        &self.before
    }

    /// When the first act of this step was about to begin, if it was: what was made for it is not older (clocks permitting).
    pub fn began_at(&self) -> Option<Timestamp> {
        self.began_at
    }

    /// What this step left when it was last done; empty before that, and after it was taken back.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Whether this run itself changes a fact: a step that began, now or before it was taken back, says so. A step that looks for changes
    /// of others leaves it out, since it may be repeated after later steps were done.
    pub fn is_ours(&self, fact: &str) -> bool {
        self.expected.iter().any(|pattern| covers(pattern, fact))
    }

    /// An open session as the type that its kind makes.
    ///
    /// # Errors
    /// If the step does not name it, or it is of another type.
    pub fn session<T: Session>(&self, id: &Id) -> Result<&T, StepError> {
        let session: Option<&dyn Any> = self.sessions.get(id).map(|session| &**session as &dyn Any);
        session.and_then(|session| session.downcast_ref()).ok_or_else(|| {
            StepError::failed(format!(
                "step `{}` has no session `{id}` of the type it expects",
                self.step.id
            ))
        })
    }

    /// What the operator answered to a question, if anything.
    pub fn answer(&self, question: &str) -> Option<&str> {
        self.answers.get(question).map(String::as_str)
    }

    /// Tells the operator what is being waited for.
    pub fn note(&self, text: &str) {
        self.progress.note(&self.step.id, text);
    }

    /// Wall clock.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Whether the run is asked to stop: a long act can end at a safe point.
    pub fn stop(&self) -> &Cancel {
        &self.stop
    }
}

impl Step {
    /// Parameters of its dead-man guard, for the guard's kind.
    pub fn guard_params(&self) -> &Value {
        self.hold
            .as_ref()
            .and_then(|hold| hold.guard.as_ref())
            .map_or(&Value::Null, |guard| &guard.params)
    }
}
