//! Snapshots of volumes.

use super::{WireTime, body};

body! {
    /// One snapshot.
    Snapshot {
        /// `vs_…`.
        id: String,
        /// Bytes stored.
        size: i64,
        /// Bytes of the volume at that time.
        volume_size: i64,
        digest: String,
        created_at: WireTime,
        /// waiting, running, pending, created.
        status: String,
        retention_days: i64,
    }
}
