//! What can be done with volumes, what a plan for it is made from, and why there may be none.

use fly_types::{MachineId, RegionCode, VolumeId};
use jiff::Timestamp;
use runbook::error::Refusal;

use crate::inventory::Inventory;
use crate::regions::{RegionError, Regions};

/// Image of helper Machines: it needs `sh`, `df`, `find`, `sha256sum`, `tar` and `nc`.
pub const HELPER_IMAGE: &str = "alpine:3.20";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// A new, empty volume.
    Add {
        /// Name.
        name: String,
        /// Region; not needed with `machine`.
        region: Option<RegionCode>,
        /// Size.
        size_gb: i64,
        /// A Machine like the one that will use it.
        machine: Option<MachineId>,
    },
    /// A copy of a volume as it is now.
    Fork {
        /// Which.
        volume: VolumeId,
        /// Where to; the same region if absent.
        region: Option<RegionCode>,
        /// Name of the copy; the same if absent.
        name: Option<String>,
        /// Size of the copy; the same if absent.
        size_gb: Option<i64>,
        /// Write out what the Machine has not written yet.
        sync: bool,
    },
    /// A snapshot as a new volume.
    Restore {
        /// The volume that it was taken of.
        volume: VolumeId,
        /// Which; the newest if absent.
        snapshot: Option<String>,
        /// Where to; the same region if absent.
        region: Option<RegionCode>,
        /// Name; the same if absent.
        name: Option<String>,
        /// Size; the same if absent.
        size_gb: Option<i64>,
        /// The oldest snapshot that is good enough.
        max_age_hours: Option<i64>,
    },
    /// A smaller volume with the same files.
    Shrink {
        /// Which.
        volume: VolumeId,
        /// The new size.
        size_gb: i64,
    },
}

/// A snapshot that could be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Id.
    pub id: String,
    /// Whether it is finished.
    pub finished: bool,
    /// When it was taken.
    pub at: Option<Timestamp>,
    /// Size of the volume that it was taken of, in GB.
    pub size_gb: Option<i64>,
}

/// What a plan is made from.
pub struct Request<'a> {
    /// The job.
    pub job: Job,
    /// The app.
    pub inventory: &'a Inventory,
    /// Regions that exist.
    pub regions: &'a Regions,
    /// Snapshots of the volume to restore.
    pub snapshots: &'a [SnapshotInfo],
    /// When.
    pub now: Timestamp,
    /// Image of helper Machines.
    pub image: String,
}

/// Why there is no plan. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The request cannot be meant.
    #[error("{what}")]
    Input {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The state of the app does not allow it.
    #[error("{what}")]
    State {
        /// What is in the way.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// The plan broke a rule of the engine: a mistake of this tool.
    #[error("the plan is not sound")]
    Unsound(#[source] Refusal),
}

impl JobError {
    pub(super) fn input(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { what: what.into(), hint: hint.into() }
    }

    pub(super) fn state(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::State { what: what.into(), hint: hint.into() }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Input { hint, .. } | Self::State { hint, .. } => hint.clone(),
            Self::Region(error) => error.hint(),
            Self::Unsound(_) => "this is a mistake of fly-migrate; please report it".to_owned(),
        }
    }
}
