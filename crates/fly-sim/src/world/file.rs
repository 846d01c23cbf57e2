//! The shape of a world file. Unknown keys are refused, so that a typing error cannot make a world healthy by accident.
//!
//! Must not know: how the world behaves once it runs (`state`), or HTTP.

use std::collections::BTreeMap;

use fly_types::{AppName, OrgSlug, RegionCode, VolumeId};
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::machine::{BehaviorFile, MachineFile};
use super::moment::{Moment, de_duration};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorldFile {
    /// One line on what this world is. Served nowhere.
    #[serde(default)]
    pub(crate) about: String,
    #[expect(dead_code, reason = "followed before this table is read")]
    /// The embedded world that this one differs from; its twin, unless `[expect]` names another.
    pub(crate) extends: Option<String>,
    /// The moment at which a virtual clock starts.
    pub(crate) now: Option<Moment>,
    #[serde(default)]
    pub(crate) expect: Option<Expect>,
    #[serde(default)]
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) viewer: Option<String>,
    #[serde(default)]
    pub(crate) orgs: Vec<OrgFile>,
    #[serde(default)]
    pub(crate) tokens: Vec<TokenFile>,
    #[serde(default)]
    pub(crate) apps: Vec<AppFile>,
    #[serde(default)]
    pub(crate) incidents: Vec<IncidentFile>,
    #[serde(default)]
    pub(crate) status: StatusFile,
    #[serde(default)]
    pub(crate) faults: Vec<super::fault::FaultFile>,
    #[serde(default)]
    pub(crate) behaviors: Vec<BehaviorFile>,
    #[serde(default)]
    pub(crate) regions: Vec<super::place::RegionFile>,
    #[serde(default)]
    pub(crate) dns: Vec<super::evidence::DnsFile>,
    #[serde(default)]
    pub(crate) handed_in: Vec<super::evidence::HandedIn>,
}

/// What a good tool says about a world. Never served, only read by tests and by people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// What is wrong, in a sentence. Empty in a healthy world.
    #[serde(default)]
    pub wrong: String,
    /// Id of the finding that comes first; none in a healthy world.
    pub finding: Option<String>,
    /// Further findings that are right.
    #[serde(default)]
    pub also: Vec<String>,
    /// Findings that must not rank above `finding`.
    #[serde(default)]
    pub never: Vec<String>,
    /// The healthy twin: the world that differs only by the fault.
    pub twin: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Seed of all generated ids.
    pub(crate) seed: u64,
    /// Whether the documented rate limits apply.
    pub(crate) rate_limits: bool,
    /// Records per page of logs. The platform's first page has 100.
    pub(crate) log_page: usize,
    #[serde(deserialize_with = "de_duration")]
    pub(crate) create_delay: SignedDuration,
    #[serde(deserialize_with = "de_duration")]
    pub(crate) start_delay: SignedDuration,
    #[serde(deserialize_with = "de_duration")]
    pub(crate) stop_delay: SignedDuration,
    /// Writes of a running Machine reach forks and snapshots only after `sync` or a stop.
    pub(crate) lazy_sync: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            rate_limits: true,
            log_page: 100,
            create_delay: SignedDuration::from_millis(800),
            start_delay: SignedDuration::from_millis(500),
            stop_delay: SignedDuration::from_millis(300),
            lazy_sync: false,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrgFile {
    #[serde(deserialize_with = "strict")]
    pub(crate) slug: OrgSlug,
    pub(crate) name: Option<String>,
    /// `PERSONAL` or `SHARED`.
    #[serde(default = "shared", rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) members: Vec<MemberFile>,
    /// No payment method: one Machine per app.
    #[serde(default)]
    pub(crate) trial: bool,
    /// Memory of all Machines in one region; absent: no limit.
    pub(crate) memory_quota_mb: Option<i64>,
    /// Extensions.
    #[serde(default)]
    pub(crate) add_ons: Vec<AddOnFile>,
    /// Managed Postgres clusters.
    #[serde(default)]
    pub(crate) postgres: Vec<ClusterFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddOnFile {
    pub(crate) name: String,
    /// `upstash_redis`, `tigris` and so on.
    pub(crate) provider: String,
    pub(crate) region: Option<String>,
    #[serde(default)]
    pub(crate) read_regions: Vec<String>,
    pub(crate) app: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterFile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) region: String,
    /// Names of the attached apps.
    #[serde(default)]
    pub(crate) apps: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberFile {
    pub(crate) name: String,
    pub(crate) email: String,
    #[serde(default = "member")]
    pub(crate) role: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenFile {
    pub(crate) value: String,
    /// Slug of the organization that the token belongs to.
    pub(crate) org: Spanned<String>,
    /// Apps it is limited to; empty: all of the organization.
    #[serde(default)]
    pub(crate) apps: Vec<String>,
    /// `all`, `read`, `expired`.
    #[serde(default)]
    pub(crate) access: Access,
    pub(crate) user: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    #[default]
    All,
    Read,
    Expired,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppFile {
    #[serde(deserialize_with = "strict")]
    pub(crate) name: AppName,
    #[serde(default)]
    pub(crate) org: Option<Spanned<String>>,
    #[serde(default = "deployed")]
    pub(crate) status: String,
    #[serde(default = "default_network")]
    pub(crate) network: String,
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) machines: Vec<MachineFile>,
    #[serde(default)]
    pub(crate) volumes: Vec<VolumeFile>,
    #[serde(default)]
    pub(crate) releases: Vec<ReleaseFile>,
    #[serde(default)]
    pub(crate) ips: Vec<IpFile>,
    #[serde(default)]
    pub(crate) certificates: Vec<CertificateFile>,
    #[serde(default)]
    pub(crate) secrets: Vec<SecretFile>,
    #[serde(default)]
    pub(crate) host_issues: Vec<HostIssueFile>,
    #[serde(default)]
    pub(crate) logs: Vec<LogFile>,
    #[serde(default)]
    pub(crate) log_streams: Vec<LogStreamFile>,
    #[serde(default)]
    pub(crate) metrics: Vec<super::evidence::MetricFile>,
    #[serde(default)]
    pub(crate) edge: Vec<super::evidence::EdgeFile>,
    /// Its Machines replicate a database among each other, as LiteFS does.
    pub(crate) litefs: Option<super::place::LiteFsFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VolumeFile {
    #[serde(default, deserialize_with = "strict_some")]
    pub(crate) id: Option<VolumeId>,
    pub(crate) name: String,
    pub(crate) region: Spanned<Region>,
    #[serde(default = "created")]
    pub(crate) state: String,
    #[serde(default = "one")]
    pub(crate) size_gb: i64,
    #[serde(default)]
    pub(crate) used_bytes: i64,
    #[serde(default = "zone")]
    pub(crate) zone: String,
    #[serde(default = "yes")]
    pub(crate) encrypted: bool,
    /// Id or name of the Machine that mounts it.
    pub(crate) attached: Option<Spanned<String>>,
    #[serde(default = "five")]
    pub(crate) snapshot_retention: i64,
    #[serde(default = "yes")]
    pub(crate) auto_backup: bool,
    #[serde(default = "ok")]
    pub(crate) host_status: String,
    pub(crate) created: Option<Moment>,
    #[serde(default)]
    pub(crate) snapshots: Vec<SnapshotFile>,
    /// What is on it: path below the mount → content. Forks and restored snapshots carry it.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// What its Machine writes on it while it runs.
    pub(crate) writer: Option<super::place::WriterFile>,
    /// Its host has no room for a Machine.
    #[serde(default)]
    pub(crate) host_full: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotFile {
    pub(crate) id: Option<String>,
    pub(crate) at: Moment,
    #[serde(default)]
    pub(crate) size: i64,
    #[serde(default = "created")]
    pub(crate) status: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseFile {
    pub(crate) version: u64,
    #[serde(default = "complete")]
    pub(crate) status: String,
    pub(crate) at: Moment,
    pub(crate) image: Option<String>,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) reason: String,
    pub(crate) user: Option<String>,
    #[serde(default = "yes")]
    pub(crate) stable: bool,
    #[serde(default)]
    pub(crate) in_progress: bool,
    #[serde(default = "rolling")]
    pub(crate) strategy: String,
    /// The app configuration of the release, as flyctl stores it.
    pub(crate) definition: Option<toml::Table>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IpFile {
    pub(crate) address: String,
    /// `v4`, `v6`, `shared_v4`, `private_v6`, `egress_v4`, `egress_v6`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default = "global")]
    pub(crate) region: String,
    pub(crate) at: Option<Moment>,
    /// Id or name of the Machine that a legacy egress address belongs to.
    pub(crate) machine: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateFile {
    pub(crate) hostname: String,
    #[serde(default = "active")]
    pub(crate) status: String,
    #[serde(default = "yes")]
    pub(crate) configured: bool,
    pub(crate) at: Option<Moment>,
    pub(crate) expires: Option<Moment>,
    #[serde(default)]
    pub(crate) errors: Vec<CertificateErrorFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateErrorFile {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) remediation: Option<String>,
    pub(crate) at: Moment,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretFile {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) value: String,
    pub(crate) at: Option<Moment>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostIssueFile {
    pub(crate) id: String,
    pub(crate) message: String,
    pub(crate) at: Moment,
    pub(crate) resolved: Option<Moment>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogFile {
    pub(crate) at: Moment,
    pub(crate) message: String,
    #[serde(default = "info")]
    pub(crate) level: String,
    /// Id or name of a Machine.
    pub(crate) machine: Option<Spanned<String>>,
    /// `app`, `runner`, `proxy`.
    #[serde(default = "app")]
    pub(crate) provider: String,
    pub(crate) error_code: Option<i64>,
    pub(crate) status_code: Option<i64>,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogStreamFile {
    pub(crate) count: u64,
    #[serde(default = "one_u64")]
    pub(crate) seed: u64,
    pub(crate) from: Moment,
    pub(crate) to: Moment,
    /// Bytes of each message; the default is that of ordinary request logs.
    #[serde(default = "line_bytes")]
    pub(crate) bytes: usize,
    #[serde(default = "info")]
    pub(crate) level: String,
    /// Ids or names of the Machines that write; empty: all of the app.
    #[serde(default)]
    pub(crate) machines: Vec<Spanned<String>>,
    /// Lines to choose from; `{n}` is the record's number. Empty: made-up request lines.
    #[serde(default)]
    pub(crate) lines: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentFile {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default = "investigating")]
    pub(crate) status: String,
    #[serde(default = "minor")]
    pub(crate) impact: String,
    pub(crate) started: Moment,
    pub(crate) updated: Option<Moment>,
    pub(crate) resolved: Option<Moment>,
    #[serde(default)]
    pub(crate) components: Vec<String>,
    #[serde(default)]
    pub(crate) updates: Vec<UpdateFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateFile {
    pub(crate) at: Moment,
    pub(crate) status: String,
    pub(crate) body: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StatusFile {
    /// `none`, `minor`, `major`, `critical`; by default derived from the incidents.
    pub(crate) indicator: Option<String>,
    pub(crate) description: Option<String>,
    /// Component name → status, beside the usual ones.
    pub(crate) components: BTreeMap<String, String>,
}

/// A region that exists now or existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(pub(crate) RegionCode);

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code: RegionCode = strict(deserializer)?;
        if fly_types::region::find(code.as_str()).is_none() {
            return Err(de::Error::custom(format!("there is no region '{code}'")));
        }
        Ok(Self(code))
    }
}

pub(super) fn strict<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

pub(super) fn strict_some<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    strict(deserializer).map(Some)
}

macro_rules! defaults {
    ($($name:ident: $type:ty = $value:expr;)*) => { $(pub(super) fn $name() -> $type { $value.into() })* };
}
pub(super) use defaults;

defaults! {
    shared: String = "SHARED";
    member: String = "MEMBER";
    deployed: String = "deployed";
    default_network: String = "default";
    yes: bool = true;
    ok: String = "ok";
    created: String = "created";
    one: i64 = 1_i64;
    one_u64: u64 = 1_u64;
    five: i64 = 5_i64;
    zone: String = "b2e2";
    complete: String = "complete";
    rolling: String = "rolling";
    global: String = "global";
    active: String = "active";
    info: String = "info";
    app: String = "app";
    investigating: String = "investigating";
    minor: String = "minor";
}

fn line_bytes() -> usize {
    120
}
