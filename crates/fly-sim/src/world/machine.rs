//! Machines in a world file.
//!
//! Must not know: how a Machine behaves once the world runs (`state`).

use std::collections::BTreeMap;

use fly_types::MachineId;
use jiff::SignedDuration;
use serde::Deserialize;
use toml::Spanned;

use super::file::{Region, defaults, ok, strict_some, yes};
use super::moment::{Moment, de_duration};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MachineFile {
    #[serde(default, deserialize_with = "strict_some")]
    pub(crate) id: Option<MachineId>,
    pub(crate) name: Option<String>,
    pub(crate) region: Spanned<Region>,
    #[serde(default = "started")]
    pub(crate) state: String,
    #[serde(default = "default_image")]
    pub(crate) image: String,
    pub(crate) process_group: Option<String>,
    /// Left out of the metadata when false: such a Machine is invisible to `fly deploy` and `fly status`.
    #[serde(default = "yes")]
    pub(crate) launch: bool,
    pub(crate) release: Option<u64>,
    #[serde(default = "cpus")]
    pub(crate) cpus: u64,
    #[serde(default = "memory")]
    pub(crate) memory_mb: u64,
    #[serde(default = "cpu_kind")]
    pub(crate) cpu_kind: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default = "ok")]
    pub(crate) host_status: String,
    pub(crate) private_ip: Option<String>,
    #[serde(default)]
    pub(crate) cordoned: bool,
    /// Its host has no room: starting and updating are refused.
    #[serde(default)]
    pub(crate) host_full: bool,
    pub(crate) created: Option<Moment>,
    pub(crate) updated: Option<Moment>,
    /// Merged over the configuration made of the fields above.
    #[serde(default)]
    pub(crate) config: toml::Table,
    /// Oldest first, as a story is told; served newest first.
    pub(crate) events: Option<Vec<EventFile>>,
    #[serde(default)]
    pub(crate) checks: Vec<CheckFile>,
    #[serde(default)]
    pub(crate) processes: Vec<ProcessFile>,
    pub(crate) lease: Option<LeaseFile>,
    /// Earlier versions, oldest first.
    #[serde(default)]
    pub(crate) versions: Vec<VersionFile>,
    /// What commands print; anything else is not found.
    #[serde(default)]
    pub(crate) execs: Vec<ExecFile>,
}

/// A version that was replaced.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionFile {
    pub(crate) at: Moment,
    pub(crate) config: toml::Table,
}

/// What a command run inside a Machine answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecFile {
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) exit_code: i64,
    #[serde(default)]
    pub(crate) stdout: String,
    #[serde(default)]
    pub(crate) stderr: String,
}

/// What Machines do whose image contains a text, or that belong to a process group.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BehaviorFile {
    /// Part of the image reference; empty fits all.
    #[serde(default)]
    pub(crate) image: String,
    /// Process group, such as `fly_app_release_command`; absent: any.
    pub(crate) process_group: Option<String>,
    /// The process ends with this code.
    pub(crate) exit_code: Option<i64>,
    #[serde(default)]
    pub(crate) oom_killed: bool,
    /// How long it runs before that.
    #[serde(default = "one_second", deserialize_with = "de_duration")]
    pub(crate) after: SignedDuration,
    /// All checks fail with this output.
    pub(crate) failing_check: Option<String>,
    /// The image cannot be pulled: a new Machine fails, an updated one goes back to its old version.
    #[serde(default)]
    pub(crate) unpullable: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventFile {
    pub(crate) at: Moment,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    #[serde(default = "flyd")]
    pub(crate) source: String,
    /// Makes this an exit event.
    pub(crate) exit: Option<ExitFile>,
    /// Any other request object, as is.
    pub(crate) request: Option<toml::Table>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExitFile {
    pub(crate) code: i64,
    #[serde(default)]
    pub(crate) guest_code: Option<i64>,
    pub(crate) guest_signal: Option<i64>,
    pub(crate) signal: Option<i64>,
    #[serde(default)]
    pub(crate) oom_killed: bool,
    #[serde(default)]
    pub(crate) requested_stop: bool,
    #[serde(default)]
    pub(crate) restarting: bool,
    #[serde(default)]
    pub(crate) restart_count: i64,
    #[serde(default)]
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) guest_error: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckFile {
    pub(crate) name: String,
    #[serde(default = "passing")]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) output: String,
    pub(crate) at: Option<Moment>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessFile {
    pub(crate) pid: i64,
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) rss: i64,
    #[serde(default)]
    pub(crate) cpu: i64,
    /// `tcp 0.0.0.0:8080`.
    #[serde(default)]
    pub(crate) listen: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeaseFile {
    pub(crate) nonce: String,
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) expires: Moment,
}

defaults! {
    started: String = "started";
    default_image: String = "registry.fly.io/demo:deployment-01J8ZC0M5T0R9C2X7Y3Q4V6W8A";
    cpus: u64 = 1_u64;
    memory: u64 = 256_u64;
    cpu_kind: String = "shared";
    flyd: String = "flyd";
    passing: String = "passing";
}

fn one_second() -> SignedDuration {
    SignedDuration::from_secs(1)
}
