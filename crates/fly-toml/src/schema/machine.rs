//! Sections that shape the Machines themselves: vm, mounts, files, statics, metrics, restart, experimental.

use std::collections::BTreeMap;

use super::Located;
use super::read::section;
use super::values::{Memory, PersistRootfs, VolumeSize};

section! {
    /// `[[vm]]`: CPUs and memory.
    Vm {
        /// Preset, e.g. `shared-cpu-1x`.
        size: String,
        /// Memory: a number of MB or a size such as `1gb`. Beats the preset.
        memory: Memory,
        /// Memory in MB. Beats `memory`.
        memory_mb: i64,
        /// `shared` or `performance`.
        cpu_kind: String,
        /// Number of CPUs.
        cpus: i64,
        /// Most memory that it may grow to, in MB.
        max_memory_mb: i64,
        /// Number of GPUs. Withdrawn by Fly.io.
        gpus: i64,
        /// Kind of GPU. Withdrawn by Fly.io.
        gpu_kind: String,
        /// Dedicated host.
        host_dedication_id: String,
        /// Keep the root file system. Deprecated.
        persist_rootfs: PersistRootfs,
        /// Kernel arguments.
        kernel_args: Vec<Located<String>>,
        /// Process groups that it applies to; all of them when unset.
        processes: Vec<Located<String>>,
    }
}

section! {
    /// `[[mounts]]`: a volume in a Machine.
    Mount {
        /// Name of the volume.
        source: String,
        /// Where it is mounted.
        destination: String,
        /// Size of a new volume: a number of GB or a size such as `10gb`.
        initial_size: VolumeSize,
        /// Days that snapshots are kept, 1 to 60.
        snapshot_retention: i64,
        /// Take a snapshot each day.
        scheduled_snapshots: bool,
        /// Percent of use from which the volume grows, 50 to 99.
        auto_extend_size_threshold: i64,
        /// How much it grows, 1 to 100 GB.
        auto_extend_size_increment: VolumeSize,
        /// How large it may get, 1 to 500 GB.
        auto_extend_size_limit: VolumeSize,
        /// Process groups that get it.
        processes: Vec<Located<String>>,
    }
}

section! {
    /// `[[files]]`: a file written at boot, from one of three sources.
    File {
        /// Where it is written.
        guest_path: String,
        /// A file here, relative to the working directory. Beats the other two.
        local_path: String,
        /// A secret that holds the content in base64. Beats `raw_value`.
        secret_name: String,
        /// The content as plain text; flyctl encodes it.
        raw_value: String,
        /// Has no effect: files reach every group.
        processes: Vec<Located<String>>,
    }
}

section! {
    /// `[[statics]]`: files that the proxy serves itself.
    Static {
        /// Folder in the image, or in the bucket.
        guest_path: String,
        /// Prefix of the URL.
        url_prefix: String,
        /// Tigris bucket that holds them.
        tigris_bucket: String,
        /// Served for folders; only with a bucket.
        index_document: String,
    }
}

section! {
    /// `[[metrics]]`: where Prometheus metrics are scraped.
    Metrics {
        /// Port.
        port: i64,
        /// Path.
        path: String,
        /// Scrape over HTTPS.
        https: bool,
        /// Process groups.
        processes: Vec<Located<String>>,
    }
}

section! {
    /// `[[restart]]`: what happens when a process ends.
    Restart {
        /// `always`, `on-failure` or `never`.
        policy: String,
        /// Tries with `on-failure`.
        retries: i64,
        /// Process groups; only the default group when unset.
        processes: Vec<Located<String>>,
    }
}

section! {
    /// `[experimental]`.
    Experimental {
        /// Replaces CMD of the image where no process command does.
        cmd: Vec<Located<String>>,
        /// Replaces ENTRYPOINT of the image.
        entrypoint: Vec<Located<String>>,
        /// Replaces both.
        exec: Vec<Located<String>>,
        /// No effect on Machines.
        auto_rollback: bool,
        /// Stored, no effect on Machines.
        enable_consul: bool,
        /// Stored, no effect on Machines.
        enable_etcd: bool,
        /// No effect since May 2025.
        lazy_load_images: bool,
        /// Secrets that an attached app exports.
        attached: Attached,
        /// As the top-level key, and beats it.
        machine_config: String,
    }
}

section! {
    /// `[experimental.attached]`.
    Attached {
        /// Secrets.
        secrets: AttachedSecrets,
    }
}

section! {
    /// `[experimental.attached.secrets]`.
    AttachedSecrets {
        /// Names here and there.
        export: BTreeMap<String, Located<String>>,
    }
}
