//! Volumes.

use super::{Guest, WireTime, body};
use crate::state::{HostStatus, VolumeState};
use crate::{AppName, MachineId, RegionCode, VolumeId};

body! {
    /// A volume. Names are not unique.
    Volume {
        id: VolumeId;
        name: String,
        state: VolumeState,
        size_gb: i64,
        region: RegionCode,
        /// Hardware group.
        zone: String,
        encrypted: bool,
        attached_machine_id: MachineId,
        attached_alloc_id: String,
        created_at: WireTime,
        updated_at: WireTime,
        /// Blocks in all; 0 until first mounted and while detached.
        blocks: i64,
        block_size: i64,
        blocks_free: i64,
        blocks_avail: i64,
        bytes_used: i64,
        bytes_total: i64,
        fstype: String,
        /// Days.
        snapshot_retention: i64,
        auto_backup_enabled: bool,
        host_status: HostStatus,
        /// `local` or `cache`.
        #[serde(rename = "type")]
        volume_type: String,
        host_dedication_key: String,
        host_dedication_id: String,
        host_features: Vec<String>,
        required_host_features: Vec<String>,
        /// Only in organization-wide lists.
        app_name: AppName,
    }
}

impl Volume {
    /// Used and total bytes, from the byte counters or the block counters; `None` when neither says anything.
    pub fn usage_bytes(&self) -> Option<(i64, i64)> {
        let total = self.bytes_total.copied().filter(|total| *total > 0);
        if let (Some(used), Some(total)) = (self.bytes_used.copied(), total) {
            return Some((used, total));
        }
        let blocks = self.blocks.copied().filter(|blocks| *blocks > 0)?;
        let (free, size) = (self.blocks_free.copied()?, self.block_size.copied()?);
        Some((blocks.checked_sub(free)?.checked_mul(size)?, blocks.checked_mul(size)?))
    }
}

body! {
    /// Body of volume create.
    CreateVolume {
        name: String,
        region: RegionCode,
        size_gb: i64,
        encrypted: bool,
        fstype: String,
        require_unique_zone: bool,
        unique_zone_app_wide: bool,
        snapshot_id: String,
        source_volume_id: VolumeId,
        snapshot_retention: i64,
        auto_backup_enabled: bool,
        compute: Guest,
        compute_image: String,
    }
}

body! {
    /// Body of volume update: the only two things that can change.
    UpdateVolume {
        snapshot_retention: i64,
        auto_backup_enabled: bool,
    }
}

body! {
    /// Body of volume extend. Volumes only grow.
    ExtendVolume {
        size_gb: i64,
    }
}

body! {
    /// Answer of volume extend.
    ExtendedVolume {
        volume: Volume,
        needs_restart: bool,
    }
}
