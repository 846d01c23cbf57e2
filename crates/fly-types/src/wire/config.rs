//! Configuration of a Machine.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, Container, ContainerVolume, Sensitive, Service, body, open_enum};
use crate::duration::GoDuration;
use crate::size::CpuKind;
use crate::{MachineId, VolumeId};

open_enum! {
    /// What happens when the process ends.
    RestartPolicy {
        No = "no",
        Always = "always",
        /// The default: ten tries in five minutes.
        OnFailure = "on-failure",
    }
}

open_enum! {
    /// How often a scheduled Machine runs. The times are approximate.
    Schedule {
        Hourly = "hourly",
        Daily = "daily",
        Weekly = "weekly",
        Monthly = "monthly",
    }
}

body! {
    /// The whole configuration of a Machine. An update replaces all of it.
    MachineConfig {
        image: String,
        /// Plain text, so never printed.
        env: Sensitive<BTreeMap<String, String>>,
        init: Init,
        guest: Guest,
        /// Deprecated preset name, exclusive with `guest`.
        size: String,
        metadata: BTreeMap<String, String>,
        mounts: Vec<Mount>,
        services: Vec<Service>,
        checks: BTreeMap<String, Check>,
        metrics: Metrics,
        statics: Vec<Static>,
        files: Vec<File>,
        schedule: Schedule,
        /// Destroy the Machine when it exits.
        auto_destroy: bool,
        restart: Restart,
        dns: DnsConfig,
        processes: Vec<ProcessConfig>,
        /// Machines whose host failure boots this one.
        standbys: Vec<MachineId>,
        stop_config: StopConfig,
        containers: Vec<Container>,
        volumes: Vec<ContainerVolume>,
        rootfs: Rootfs,
        cache_drive: CacheDrive,
        spot: Spot,
        disable_machine_autostart: bool,
    }
}

impl MachineConfig {
    /// A metadata value, e.g. of `fly_process_group`.
    pub fn metadata_value(&self, key: &str) -> Option<&str> {
        self.metadata.get()?.get(key).map(String::as_str)
    }
}

body! {
    /// What runs inside, and how.
    Init {
        exec: Vec<String>,
        entrypoint: Vec<String>,
        cmd: Vec<String>,
        tty: bool,
        swap_size_mb: i64,
        kernel_args: Vec<String>,
    }
}

body! {
    /// CPUs and memory.
    Guest {
        cpu_kind: CpuKind,
        cpus: i64,
        memory_mb: i64,
        max_memory_mb: i64,
        host_dedication_id: String,
        kernel_args: Vec<String>,
        /// Deprecated: a text, or a protobuf number.
        persist_rootfs: Value,
        /// Withdrawn by Fly.io in August 2026.
        gpus: i64,
        /// Withdrawn by Fly.io in August 2026.
        gpu_kind: String,
        required_host_features: Vec<String>,
    }
}

body! {
    /// A volume mounted in the Machine.
    Mount {
        volume: VolumeId,
        name: String,
        path: String,
        size_gb: i64,
        encrypted: bool,
        extend_threshold_percent: i64,
        add_size_gb: i64,
        size_gb_limit: i64,
        add_size_percent: i64,
        min_add_size_gb: i64,
    }
}

body! {
    /// Where the platform scrapes Prometheus metrics.
    Metrics {
        port: i64,
        path: String,
        https: bool,
    }
}

body! {
    /// Files that the proxy serves itself.
    Static {
        guest_path: String,
        url_prefix: String,
        tigris_bucket: String,
        index_document: String,
    }
}

body! {
    /// A file written into the Machine at boot.
    File {
        guest_path: String,
        /// Content in base64, plain to everybody who can read the configuration, so never printed.
        raw_value: Sensitive<String>,
        secret_name: String,
        image_config: String,
        mode: i64,
    }
}

body! {
    /// Restart policy.
    Restart {
        /// An empty text in answers of 2022 means the default.
        policy: RestartPolicy,
        max_retries: i64,
    }
}

body! {
    /// DNS inside the Machine.
    DnsConfig {
        skip_registration: bool,
        nameservers: Vec<String>,
        searches: Vec<String>,
        options: Vec<DnsOption>,
        dns_forward_rules: Vec<DnsForwardRule>,
        hostname: String,
        hostname_fqdn: String,
    }
}

body! {
    /// A resolver option.
    DnsOption {
        name: String,
        value: String,
    }
}

body! {
    /// A zone that is resolved elsewhere.
    DnsForwardRule {
        basename: String,
        addr: String,
    }
}

body! {
    /// One of several processes in a Machine.
    ProcessConfig {
        exec: Vec<String>,
        entrypoint: Vec<String>,
        cmd: Vec<String>,
        user: String,
        /// Plain text, so never printed.
        env: Sensitive<BTreeMap<String, String>>,
        env_from: Vec<EnvFrom>,
        secrets: Vec<NamedSecret>,
        ignore_app_secrets: bool,
    }
}

body! {
    /// A variable filled from a property of the Machine.
    EnvFrom {
        env_var: String,
        field_ref: String,
    }
}

body! {
    /// A secret given to a process under a variable name.
    NamedSecret {
        env_var: String,
        name: String,
    }
}

body! {
    /// How the Machine is stopped. Default signal SIGINT, timeout 5 s, at most 5 minutes.
    StopConfig {
        signal: String,
        timeout: GoDuration,
    }
}

body! {
    /// The root file system.
    Rootfs {
        persist: String,
        size_gb: i64,
    }
}

body! {
    /// Size of the cache drive.
    CacheDrive {
        size_mb: i64,
    }
}

body! {
    /// Spot pricing: a fraction of the list price, above 0 and at most 1.
    Spot {
        max_price_fraction: serde_json::Number,
    }
}
