//! `fly-migrate volume`: add, check, fork, restore and shrink volumes.
//!
//! One module per job or kind of step: `check` judges, `job` says what can be done, `plan` decides which steps a job has, `cleanup`
//! makes the plan for what a shrink kept, `make`, `snapshot`, `probe` and `copy`
//! are kinds of steps, `helper` are the Machines that look inside. It must not know: moves of whole apps.

mod add;
mod args;
pub mod check;
pub mod cleanup;
pub mod cli;
mod copies;
mod copy;
mod helper;
mod job;
mod judge;
pub(crate) mod make;
mod parts;
pub mod plan;
mod probe;
pub mod script;
mod shrink;
mod snapshot;

use std::sync::Arc;

use runbook::kind::Registry;

use crate::platform::Platform;

/// Adds the kinds of steps that plans of volumes name.
pub(crate) fn kinds(registry: Registry, platform: &Arc<Platform>) -> Registry {
    let own = || Arc::clone(platform);
    registry
        .step(make::MAKE, make::Make(own()))
        .step(make::DROP, make::Drop(own()))
        .step(snapshot::SNAPSHOT, snapshot::Take(own()))
        .step(probe::PROBE, probe::Probe(own()))
        .step(probe::MOUNTED, probe::Ask { platform: own(), sync: false })
        .step(probe::SYNC, probe::Ask { platform: own(), sync: true })
        .step(copy::COPY, copy::Copy(own()))
}
