//! Collectors: one file each, typed, each saying beforehand what it needs, asks and writes.
//!
//! A collector never returns an error: what went wrong is an [`Outcome`], and the boundary in `crate::boundary` turns
//! panics, deadlines and signals into outcomes too. To add one: a file here with its [`Spec`], a line in [`all`], a world
//! or fault in `crates/fly-sim/worlds/`.

mod app;
mod certs;
mod clock;
mod each;
mod events;
mod flyctl;
mod host;
mod hostissues;
mod incidents;
mod ips;
mod lease;
mod logs;
mod machines;
mod probe;
mod ps;
mod regions;
mod releases;
mod secrets;
mod snapshots;
mod status;
mod token;
mod volumes;

use std::time::Duration;

use async_trait::async_trait;

use crate::job::Job;
use crate::manifest::{Reason, Status};
use crate::surroundings::Surroundings;

/// What must be there before a collector can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// An access token.
    Token,
    /// A network that may be left: not `FLY_OPS_LOOPBACK_ONLY`, not a simulator.
    Internet,
}

/// Where a collector's work happens, and so how many of its kind run at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Calls of Fly.io's APIs: 16 in flight per host.
    Api,
    /// Requests to the app itself: 6 in flight per host.
    Probe,
    /// flyctl: one process at a time, because its agent is one per user.
    Flyctl,
    /// This machine.
    Local,
}

/// One kind of call, for `--plan`.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Call {
    /// Method and address with placeholders, or a command line.
    pub what: &'static str,
    /// How often: `1`, or `1 per …`.
    pub times: &'static str,
    /// What the token must allow.
    pub permission: &'static str,
}

/// What a collector is, known before it runs.
#[derive(Debug)]
pub struct Spec {
    /// Stable id.
    pub id: &'static str,
    /// What it collects, in a phrase.
    pub title: &'static str,
    /// Grows when its files change shape.
    pub version: u32,
    /// Collectors whose data it reads.
    pub requires: &'static [&'static str],
    /// What else must be there.
    pub needs: &'static [Need],
    /// Its calls.
    pub calls: &'static [Call],
    /// Its files, with placeholders.
    pub files: &'static [&'static str],
    /// About how many bytes it brings.
    pub bytes: u64,
    /// Time it may take.
    pub limit: Duration,
    /// Where its work happens.
    pub pool: Pool,
    /// How much its data is worth when the archive is too large: the lowest is cut first.
    pub value: u8,
}

/// How a collector ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub status: Status,
    /// Why, unless `ok`.
    pub reason: Option<Reason>,
}

impl Outcome {
    /// Everything is there.
    pub const OK: Self = Self { status: Status::Ok, reason: None };

    /// Any other end.
    pub fn new(status: Status, reason: Reason) -> Self {
        Self { status, reason: Some(reason) }
    }
}

/// One source of data.
#[async_trait]
pub trait Collector: Send + Sync {
    /// What it is.
    fn spec(&self) -> &'static Spec;

    /// Collects. `Err` is only a shorter way to end early.
    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome>;
}

/// The registry, in the order of the manifest. A collector stands behind those that it requires.
pub fn all() -> Vec<&'static dyn Collector> {
    vec![
        &app::App,
        &releases::Releases,
        &ips::Ips,
        &hostissues::HostIssues,
        &machines::Machines,
        &events::Events,
        &ps::Ps,
        &lease::Lease,
        &volumes::Volumes,
        &snapshots::Snapshots,
        &certs::Certs,
        &secrets::Secrets,
        &logs::Logs,
        &incidents::Incidents,
        &status::StatusPage,
        &regions::Regions,
        &token::Token,
        &host::Host,
        &flyctl::Flyctl,
        &probe::Probe,
        &clock::Clock,
    ]
}

/// Most Machines, volumes or certificates that are asked for one by one.
const MOST_EACH: usize = 100;

/// Where the log lines are.
pub(crate) use logs::FILE as LOG_FILE;

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_in_order_and_names_are_unique() {
        let mut seen = Vec::new();
        for collector in all() {
            let spec = collector.spec();
            assert!(!seen.contains(&spec.id), "{} twice", spec.id);
            for required in spec.requires {
                assert!(seen.contains(required), "{} stands before {required}", spec.id);
            }
            assert!(!spec.files.is_empty(), "{} writes nothing", spec.id);
            seen.push(spec.id);
        }
    }
}
