//! What an app consists of, observed once, with when and where it was read. Saved with the plan, so that the state before the
//! move is documented. No secret is in it: of environment variables only the names, of configurations only a digest.
//!
//! It must not know: plans, steps.

pub mod around;
pub mod digest;
pub mod facts;
mod observe;
pub mod room;

use std::collections::BTreeMap;

use fly_types::{AppName, MachineId, OrgSlug, RegionCode, VolumeId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use observe::complete;
pub use observe::{ObserveError, machine_info, observe, volume_info};

/// An app as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// Which app.
    pub app: AppName,
    /// Whose; none if the answer did not say.
    pub org: Option<OrgSlug>,
    /// When it was read.
    pub read_at: Timestamp,
    /// Where: the address of the API.
    pub source: String,
    /// Machines that exist, by id.
    pub machines: Vec<MachineInfo>,
    /// Volumes that exist and are not on their way out, by id.
    pub volumes: Vec<VolumeInfo>,
    /// Addresses.
    pub addresses: Vec<AddressInfo>,
    /// Host names with certificates.
    pub certificates: Vec<CertificateInfo>,
    /// Names of secrets with their digests.
    pub secrets: BTreeMap<String, String>,
    /// What could not be read, and why. What depends on it is not judged.
    pub unknown: Vec<String>,
}

/// A Machine as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineInfo {
    /// Id.
    pub id: MachineId,
    /// Name.
    pub name: String,
    /// State word, as the platform gives it.
    pub state: String,
    /// Region.
    pub region: RegionCode,
    /// Version (`instance_id`).
    pub version: String,
    /// Process group, if it has one.
    pub group: Option<String>,
    /// Whether `fly deploy` and `fly scale` know it (metadata `fly_platform_version=v2`).
    pub managed: bool,
    /// Image with its digest where known.
    pub image: String,
    /// `shared` or `performance`.
    pub cpu_kind: String,
    /// Number of CPUs.
    pub cpus: i64,
    /// Memory in MB.
    pub memory_mb: i64,
    /// GPUs, which no longer exist on the platform.
    pub gpu: bool,
    /// Mounts.
    pub mounts: Vec<MountInfo>,
    /// Internal ports of its services; empty for a worker.
    pub services: Vec<i64>,
    /// `off`, `stop` or `suspend`, the strongest of its services.
    pub autostop: String,
    /// Number of health checks that it should answer.
    pub checks: usize,
    /// `hourly`, `daily`, …
    pub schedule: Option<String>,
    /// Machines for which it stands by.
    pub standbys: Vec<MachineId>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Environment variables whose value names the region where the Machine is (names only).
    pub region_env: Vec<String>,
    /// Names of environment variables whose value has a 6PN address: a new Machine has another one.
    #[serde(default)]
    pub address_env: Vec<String>,
    /// Names of hosts of Fly.io and its partners that variables name. Only for planning: they are parts of values, which are not stored.
    #[serde(skip)]
    pub hosts: Vec<String>,
    /// `min_machines_running` of its services, the most of them.
    #[serde(default)]
    pub min_running: i64,
    /// Value of `PRIMARY_REGION`.
    pub primary_region: Option<String>,
    /// Out of the proxy's pool.
    pub cordoned: bool,
    /// `ok`, `unreachable`, `unknown`.
    pub host_status: String,
    /// 6PN address.
    pub private_ip: String,
    /// Seconds that a stop may take.
    pub stop_seconds: u64,
    /// Digest of the configuration without what differs from copy to copy (see [`digest::config`]).
    pub config: String,
    /// The platform knows only part of the configuration, because the host cannot be reached.
    pub incomplete: bool,
    /// Somebody's lease.
    pub lease: Option<String>,
    /// Why it looks like a node of a LiteFS cluster, if it does.
    #[serde(default)]
    pub litefs: Option<String>,
    /// When it was last started, as far as its newest events say.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountInfo {
    /// The volume.
    pub volume: VolumeId,
    /// Its name.
    pub name: String,
    /// Where.
    pub path: String,
}

/// A volume as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeInfo {
    /// Id.
    pub id: VolumeId,
    /// Name, not unique.
    pub name: String,
    /// Region.
    pub region: RegionCode,
    /// Size in GB.
    pub size_gb: i64,
    /// State word.
    pub state: String,
    /// The Machine that has it.
    pub attached: Option<MachineId>,
    /// `ok`, `unreachable`, `unknown`.
    pub host_status: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Days that snapshots are kept.
    pub retention_days: i64,
    /// Bytes used, where known.
    pub used_bytes: Option<i64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The newest finished snapshot.
    pub last_snapshot: Option<Timestamp>,
    /// Its id.
    #[serde(default)]
    pub last_snapshot_id: Option<String>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressInfo {
    /// The address.
    pub ip: String,
    /// `v4`, `v6`, `shared_v4`, `private_v6`, `egress_v4`, `egress_v6`.
    pub kind: String,
    /// `global` or a region.
    pub region: String,
    /// The Machine that a legacy egress address belongs to.
    #[serde(default)]
    pub machine: Option<MachineId>,
}

impl AddressInfo {
    /// Whether connections to the outside come from it.
    pub fn is_egress(&self) -> bool {
        self.kind.starts_with("egress")
    }
}

/// A host name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateInfo {
    /// The name.
    pub hostname: String,
    /// State of its certificate.
    pub status: String,
    /// Whether DNS points here.
    pub configured: bool,
}

impl Inventory {
    /// A Machine by its id.
    pub fn machine(&self, id: &MachineId) -> Option<&MachineInfo> {
        self.machines.iter().find(|machine| &machine.id == id)
    }

    /// Machines of a region.
    pub fn in_region<'a>(
        &'a self,
        region: &'a RegionCode,
    ) -> impl Iterator<Item = &'a MachineInfo> {
        self.machines.iter().filter(move |machine| &machine.region == region)
    }

    /// A volume by its id.
    pub fn volume(&self, id: &VolumeId) -> Option<&VolumeInfo> {
        self.volumes.iter().find(|volume| &volume.id == id)
    }
}

impl MachineInfo {
    /// Whether it runs, or is about to.
    pub fn runs(&self) -> bool {
        !matches!(self.state.as_str(), "stopped" | "suspended" | "created" | "failed")
    }

    /// Whether its host answers. What its host does not answer for can neither be stopped nor changed.
    pub fn reachable(&self) -> bool {
        self.host_status == "ok"
    }

    /// Whether the proxy may stop it by itself.
    pub fn autostops(&self) -> bool {
        self.autostop != "off"
    }

    /// `shared-cpu-1x 256 MB`.
    pub fn size(&self) -> String {
        format!("{}-cpu-{}x {} MB", self.cpu_kind, self.cpus, self.memory_mb)
    }
}
