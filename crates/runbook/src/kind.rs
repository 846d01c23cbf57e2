//! What a program brings to its plans: kinds of steps, dead-man guards, and the eyes for drift.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::approval::Permit;
use crate::context::StepContext;
use crate::error::{Refusal, StepError};
use crate::facts::Facts;
use crate::outputs::Outputs;
use crate::plan::{Id, Plan};
use crate::session::SessionKind;

/// What a step sees of its own effect before it acts.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// Nothing of it is there. `before` is what an undo needs to restore; it is journalled before the act.
    Pending {
        /// State that the act replaces; empty if the undo needs none.
        before: Outputs,
    },
    /// Part of it is there, and the act is needed again. For the point of no return this counts as passed.
    Partial,
    /// The act has happened, its effect is on the way: only wait.
    Underway,
    /// There, complete.
    Done,
}

impl Observed {
    /// Nothing of it is there, and an undo needs nothing.
    pub fn pending() -> Self {
        Self::Pending { before: Outputs::none() }
    }
}

/// One kind of step. Every method can be repeated at any time, after a crash at any point of any other.
///
/// A step shares nothing with other steps but outputs. Its parameters have their output references already replaced.
#[async_trait]
pub trait StepKind: Send + Sync {
    /// Looks whether the effect is there. Never writes. After an undo it must say `Pending` again.
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError>;

    /// Makes the effect. Called only after `observe` said `Pending` or `Partial`; may be cut off at any await and then repeated.
    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError>;

    /// Waits until the effect is complete. Only reads; dropped without notice when the run is cancelled.
    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let _ = cx;
        Ok(())
    }

    /// Checks the postcondition and says what later steps may use. Never writes.
    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError>;

    /// Takes the effect back, whole or part, and waits until it is gone. Nothing there is success. Called only for steps whose
    /// plan says [`crate::plan::Undo::Action`] and which began to act; `cx.before()` is what `observe` gave before the first act.
    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let _ = permit;
        Err(StepError::failed(format!("step kind `{}` has no undo", cx.step.kind)))
    }
}

/// One kind of dead-man guard. It lives where the effect is, not here, and undoes it by itself when it was not armed anew in time.
#[async_trait]
pub trait GuardKind: Send + Sync {
    /// Arms it, or arms it anew, for another `ttl_seconds` of its spec.
    async fn arm(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError>;

    /// Takes it away without effect. Nothing there is success.
    async fn disarm(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError>;
}

/// Which facts are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The whole inventory, as the plan has it.
    All,
    /// These, for a step's preconditions.
    Named(&'a [String]),
}

/// The program's eyes on the target.
#[async_trait]
pub trait Observer: Send + Sync {
    /// Whether this program, with the token and the arguments it was given, is talking to what the plan is for. The reason if not.
    fn accepts(&self, plan: &Plan) -> Result<(), String>;

    /// Reads facts, with the same names, values and classes as when the plan was made. Never writes.
    async fn facts(&self, plan: &Plan, wanted: Wanted<'_>) -> Result<Facts, StepError>;
}

/// All kinds of a program, and its observer.
#[derive(Clone)]
pub struct Registry {
    pub(crate) observer: Arc<dyn Observer>,
    steps: BTreeMap<&'static str, Arc<dyn StepKind>>,
    sessions: BTreeMap<&'static str, Arc<dyn SessionKind>>,
    guards: BTreeMap<&'static str, Arc<dyn GuardKind>>,
}

impl Registry {
    /// With no kinds yet.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            observer,
            steps: BTreeMap::new(),
            sessions: BTreeMap::new(),
            guards: BTreeMap::new(),
        }
    }

    /// Adds a kind of step.
    #[must_use]
    pub fn step(mut self, name: &'static str, kind: impl StepKind + 'static) -> Self {
        self.steps.insert(name, Arc::new(kind));
        self
    }

    /// Adds a kind of session.
    #[must_use]
    pub fn session(mut self, name: &'static str, kind: impl SessionKind + 'static) -> Self {
        self.sessions.insert(name, Arc::new(kind));
        self
    }

    /// Adds a kind of guard.
    #[must_use]
    pub fn guard(mut self, name: &'static str, kind: impl GuardKind + 'static) -> Self {
        self.guards.insert(name, Arc::new(kind));
        self
    }

    /// The same with every kind of step inside another, for tests.
    #[must_use]
    pub fn wrap(mut self, wrap: impl Fn(Arc<dyn StepKind>) -> Arc<dyn StepKind>) -> Self {
        for kind in self.steps.values_mut() {
            *kind = wrap(Arc::clone(kind));
        }
        self
    }

    /// Every kind that the plan names, or the first that is missing.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), Refusal> {
        let missing = |what, kind: &str, user: &Id| Refusal::UnknownKind {
            what,
            kind: kind.to_owned(),
            user: user.clone(),
        };
        for step in plan.steps() {
            self.step_kind(&step.kind).ok_or_else(|| missing("step", &step.kind, &step.id))?;
            if let Some(guard) = step.hold.as_ref().and_then(|hold| hold.guard.as_ref()) {
                self.guard_kind(&guard.kind)
                    .ok_or_else(|| missing("guard", &guard.kind, &step.id))?;
            }
        }
        for session in &plan.sessions {
            self.session_kind(&session.kind)
                .ok_or_else(|| missing("session", &session.kind, &session.id))?;
        }
        Ok(())
    }

    pub(crate) fn step_kind(&self, name: &str) -> Option<&Arc<dyn StepKind>> {
        self.steps.get(name)
    }

    pub(crate) fn session_kind(&self, name: &str) -> Option<&Arc<dyn SessionKind>> {
        self.sessions.get(name)
    }

    pub(crate) fn guard_kind(&self, name: &str) -> Option<&Arc<dyn GuardKind>> {
        self.guards.get(name)
    }
}
