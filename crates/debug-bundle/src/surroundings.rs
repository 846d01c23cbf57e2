//! What every collector sees: the app, the clients, the window, and what other collectors found.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fly_api::{Client, Clock, Token};
use fly_types::AppName;
use fly_types::wire::{AppNode, CertificateList, Machine, Volume};
use jiff::Timestamp;
use net::Transport;
use ops_cli::Cancel;
use secrecy::SecretString;

use crate::traffic::Traffic;

/// From when to when logs are wanted; both ends are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Oldest instant.
    pub since: Timestamp,
    /// Newest instant.
    pub until: Timestamp,
}

/// How flyctl is run.
pub struct FlyctlAccess {
    /// Runs programs in the caller's environment.
    pub runner: exec::Runner,
    /// The token, which it gets by environment.
    pub token: Option<SecretString>,
    /// Whether it may talk to hosts that are not on this machine, as its doctor does.
    pub may_leave: bool,
}

/// Everything a collector may use.
pub struct Surroundings {
    /// The app.
    pub app: AppName,
    /// The APIs.
    pub client: Client,
    /// Requests to other hosts, under the limit for probes.
    pub probes: Arc<dyn Transport>,
    /// The token and where it came from.
    pub token: Option<(Token, String)>,
    /// Whether requests may leave this machine for hosts that no setting names.
    pub internet: bool,
    /// Logs wanted.
    pub span: Span,
    /// Largest log in bytes.
    pub log_cap: u64,
    /// The wall clock.
    pub clock: Clock,
    /// When collecting ends.
    pub deadline: tokio::time::Instant,
    /// Signals.
    pub cancel: Cancel,
    /// Requests seen on the wire.
    pub traffic: Traffic,
    /// flyctl.
    pub flyctl: FlyctlAccess,
    /// Facts about this machine that only `ops-cli` can know.
    pub local: Local,
    /// What collectors found and others need.
    pub found: Found,
}

/// Facts about this machine.
#[derive(Debug, Clone, Default)]
pub struct Local {
    /// Names of the variables that are set, never values.
    pub variables: Vec<String>,
    /// Every resolved setting: name, value, source.
    pub settings: Vec<(String, String, String)>,
    /// Directories whose free space matters.
    pub directories: Vec<PathBuf>,
}

/// Results that others need, set at most once.
#[derive(Default)]
pub struct Found {
    /// The app as GraphQL shows it.
    pub app: OnceLock<AppNode>,
    /// The Machines.
    pub machines: OnceLock<Vec<Machine>>,
    /// The volumes.
    pub volumes: OnceLock<Vec<Volume>>,
    /// The certificates.
    pub certificates: OnceLock<CertificateList>,
    /// The clock's offset.
    pub clock: OnceLock<crate::manifest::ClockRecord>,
}

impl Surroundings {
    /// Time until collecting ends.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(tokio::time::Instant::now())
    }
}

/// Milliseconds of a duration.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
