//! Machines: the object, and the bodies of create, update, wait and the small actions.

use super::{
    CheckStatus, ContainerState, Event, Field, ImageRef, MachineConfig, MachineLease, Sensitive,
    WireTime, body,
};
use crate::duration::GoDuration;
use crate::state::{HostStatus, MachineState};
use crate::{MachineId, RegionCode};

body! {
    /// A Machine.
    Machine {
        id: MachineId;
        name: String,
        state: MachineState,
        region: RegionCode,
        image_ref: ImageRef,
        /// The version, a ULID. Changes on update only.
        instance_id: String,
        /// The same as `instance_id`, in newer answers.
        version: String,
        private_ip: String,
        created_at: WireTime,
        updated_at: WireTime,
        /// Null while the host cannot be reached.
        config: MachineConfig,
        /// A partial rebuild for a host that cannot be reached. Never make a Machine from it.
        incomplete_config: MachineConfig,
        /// Absent in summaries.
        host_status: HostStatus,
        /// Newest first, the last few only.
        events: Vec<Event>,
        checks: Vec<CheckStatus>,
        /// Only in answers to the lease holder's own create or update.
        nonce: Sensitive<String>,
        /// The name that `nonce` had in 2023.
        #[serde(rename = "LeaseNonce")]
        lease_nonce: Sensitive<String>,
        cordoned: bool,
        containers: Vec<ContainerState>,
        lease: MachineLease,
        host_features: Vec<String>,
    }
}

impl Machine {
    /// The configuration and whether it is complete. With an unreachable host only a partial rebuild exists.
    pub fn effective_config(&self) -> Option<(&MachineConfig, bool)> {
        match self.config.get() {
            Some(config) => Some((config, true)),
            None => self.incomplete_config.get().map(|config| (config, false)),
        }
    }

    /// The version under whichever of its two names it was sent.
    pub fn version(&self) -> Option<&str> {
        self.instance_id.text().or_else(|| self.version.text())
    }

    /// The process group, from metadata; `None` for Machines that no deploy manages.
    pub fn process_group(&self) -> Option<&str> {
        let (config, _) = self.effective_config()?;
        config
            .metadata_value("fly_process_group")
            .or_else(|| config.metadata_value("process_group"))
    }

    /// The lease nonce under whichever of its two names it was sent; an empty text is none.
    pub fn nonce(&self) -> Option<&Sensitive<String>> {
        [&self.nonce, &self.lease_nonce]
            .into_iter()
            .filter_map(Field::get)
            .find(|nonce| !nonce.expose().is_empty())
    }
}

body! {
    /// One version of a Machine.
    MachineVersion {
        version: String,
        user_config: MachineConfig,
    }
}

body! {
    /// Body of machine create.
    CreateMachine {
        config: MachineConfig,
        /// Unique per app, immutable; generated when absent.
        name: String,
        /// One code, a comma list tried in order, or an alias.
        region: String,
        /// Create without boot.
        skip_launch: bool,
        /// Create cordoned.
        skip_service_registration: bool,
        skip_secrets: bool,
        min_secrets_version: i64,
        /// Seconds; the answer then holds a nonce.
        lease_ttl: i64,
    }
}

body! {
    /// Body of machine update: a full replace of the configuration.
    UpdateMachine {
        config: MachineConfig,
        name: String,
        region: String,
        /// Leave a stopped Machine stopped.
        skip_launch: bool,
        skip_service_registration: bool,
        skip_secrets: bool,
        min_secrets_version: i64,
        /// Seconds; the answer then holds a nonce.
        lease_ttl: i64,
        /// Optimistic concurrency on the version.
        current_version: String,
    }
}

body! {
    /// Answer of actions that only confirm.
    OkAnswer {
        ok: bool,
    }
}

body! {
    /// Answer of start.
    StartAnswer {
        previous_state: MachineState,
        migrated: bool,
        new_host: String,
        message: String,
        status: String,
    }
}

body! {
    /// Body of stop.
    StopMachine {
        signal: String,
        timeout: GoDuration,
    }
}

body! {
    /// Answer of wait. Old servers only sent `ok`.
    WaitAnswer {
        ok: bool,
        state: MachineState,
        version: String,
        /// Feeds the next call's `from_event_id`.
        event_id: String,
    }
}

body! {
    /// Body of exec.
    ExecRequest {
        command: Vec<String>,
        cmd: String,
        container: String,
        machine: bool,
        stdin: Sensitive<String>,
        /// Seconds. Not reliable beyond about 30.
        timeout: i64,
    }
}

body! {
    /// Answer of exec; a command that failed still answers 200.
    ExecResult {
        exit_code: i64,
        exit_signal: i64,
        stdout: Sensitive<String>,
        stderr: Sensitive<String>,
    }
}

body! {
    /// Memory of a running Machine, in MB.
    MemoryLimit {
        available_mb: i64,
        limit_mb: i64,
    }
}
