//! Sessions: things that live only while somebody holds them, such as a lease, a proxy or an exported snapshot.
//!
//! The executor opens one before the first step that names it, refreshes it at a third of its life, and closes it after the last,
//! or when the run stops. What it must remember across a crash is its public part; everything else dies with the process.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::approval::Permit;
use crate::error::StepError;
use crate::outputs::Outputs;
use crate::plan::{Plan, SessionSpec};
use crate::store::RunId;

/// What a session kind is given.
pub struct SessionContext<'a> {
    /// The run; good for describing a lease so that a resumed run knows its own.
    pub run: &'a RunId,
    /// The plan.
    pub plan: &'a Plan,
    /// The session's place in the plan.
    pub spec: &'a SessionSpec,
    /// Its parameters, references replaced.
    pub params: Value,
    /// Wall clock.
    pub now: Timestamp,
}

/// An open session.
pub struct Opened {
    /// The handle.
    pub session: Arc<dyn Session>,
    /// It is the earlier one: what steps made under it is still good.
    pub continues: bool,
}

/// One kind of session.
#[async_trait]
pub trait SessionKind: Send + Sync {
    /// Opens it. `earlier` is the public part of one that this run had open when it died (empty if it died while opening):
    /// take it over if that is possible, or wait it out, or make sure that it is gone, and say in `continues` which it was.
    async fn open(
        &self,
        cx: &SessionContext<'_>,
        earlier: Option<&Outputs>,
        permit: &Permit,
    ) -> Result<Opened, StepError>;
}

/// A live session. Steps reach it by [`crate::context::StepContext::session`] as the type it is.
#[async_trait]
pub trait Session: Any + Send + Sync {
    /// What a later process needs to know it again. No secrets: a nonce that gives power stays in memory.
    fn public(&self) -> Outputs;

    /// Keeps it alive for another life time. An error means that it is lost.
    async fn refresh(&self) -> Result<(), StepError>;

    /// Gives it back. Not there any more is success.
    async fn close(&self) -> Result<(), StepError>;
}
