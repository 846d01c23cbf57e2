//! A volume and its snapshots as the platform keeps them, and their answer form.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{rfc3339, rfc3339_millis};

#[derive(Debug, Clone)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) size_gb: i64,
    pub(crate) used_bytes: i64,
    pub(crate) region: String,
    pub(crate) zone: String,
    pub(crate) encrypted: bool,
    pub(crate) attached: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) snapshot_retention: i64,
    pub(crate) auto_backup: bool,
    pub(crate) host_status: String,
    pub(crate) fstype: String,
    /// Newest first.
    pub(crate) snapshots: Vec<Snapshot>,
    /// States to come, with their times.
    pub(crate) pending: Vec<(Timestamp, String)>,
    /// Its host has no room for a Machine.
    pub(crate) host_full: bool,
    /// What a Machine that mounts it sees: path below the mount → content.
    pub(crate) files: Files,
    /// What has reached the disk: forks and snapshots copy this.
    pub(crate) synced: Files,
    pub(crate) writer: Option<Writer>,
}

/// Path below the mount → content.
pub(crate) type Files = BTreeMap<String, String>;

/// An app that adds a line to a file while its Machine runs.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) file: String,
    pub(crate) every: SignedDuration,
    pub(crate) next: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) size: i64,
    pub(crate) volume_size: i64,
    pub(crate) status: String,
    pub(crate) retention_days: i64,
    pub(crate) files: Files,
}

const BLOCK: i64 = 4096;

impl Volume {
    pub(crate) fn json(&self) -> Value {
        // Counters are zero until the volume is mounted.
        let total = if self.attached.is_some() { self.size_gb << 30 } else { 0 };
        let used = self.used_bytes.min(total);
        let (blocks, free) = (total / BLOCK, (total - used) / BLOCK);
        json!({
            "id": self.id, "name": self.name, "type": "local", "state": self.state,
            "size_gb": self.size_gb, "region": self.region, "zone": self.zone,
            "encrypted": self.encrypted, "attached_machine_id": self.attached,
            "attached_alloc_id": Value::Null, "created_at": rfc3339_millis(self.created_at),
            "blocks": blocks, "block_size": if total == 0 { 0 } else { BLOCK },
            "blocks_free": free, "blocks_avail": free, "bytes_used": used, "bytes_total": total,
            "fstype": self.fstype, "snapshot_retention": self.snapshot_retention,
            "auto_backup_enabled": self.auto_backup, "host_status": self.host_status,
            "host_dedication_key": "",
        })
    }
}

/// How long a snapshot waits, and when it is done.
const SNAPSHOT_RUNS: SignedDuration = SignedDuration::from_millis(500);
const SNAPSHOT_DONE: SignedDuration = SignedDuration::from_secs(2);

impl Volume {
    /// Whether it can be mounted, or will be.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(
            self.state.as_str(),
            "scheduling_destroy"
                | "fork_cleanup"
                | "waiting_for_detach"
                | "pending_destroy"
                | "destroying"
                | "destroyed"
        )
    }

    /// What the app wrote up to `now`; `running` says whether its Machine runs.
    pub(crate) fn settle_writer(&mut self, now: Timestamp, running: bool, lazy: bool) {
        while let Some(writer) = self.writer.as_mut().filter(|writer| writer.next <= now) {
            if running {
                let text = self.files.entry(writer.file.clone()).or_default();
                let line = text.lines().count() + 1;
                *text += &["entry ", &line.to_string(), "\n"].concat();
            }
            match writer.next.checked_add(writer.every.max(SignedDuration::from_millis(1))) {
                Ok(next) => writer.next = next,
                Err(_) => break,
            }
        }
        if !lazy || !running {
            self.synced.clone_from(&self.files);
        }
    }

    pub(crate) fn settle_snapshots(&mut self, now: Timestamp) {
        for snapshot in self.snapshots.iter_mut().filter(|s| s.status != "created") {
            let age = now.duration_since(snapshot.at);
            let status = match age {
                age if age >= SNAPSHOT_DONE => "created",
                age if age >= SNAPSHOT_RUNS => "running",
                _ => continue,
            };
            status.clone_into(&mut snapshot.status);
        }
    }
}

impl Snapshot {
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id, "size": self.size, "volume_size": self.volume_size,
            "digest": format!("{:016x}", super::ids::mix(self.size.cast_unsigned())),
            "created_at": rfc3339(self.at), "status": self.status,
            "retention_days": self.retention_days,
        })
    }
}
