//! Organization-wide lists.

use std::collections::BTreeMap;

use super::{Guest, Volume, WireTime, body};
use crate::state::MachineState;
use crate::{AppName, MachineId, RegionCode};

body! {
    /// A Machine in an organization-wide list: no events, checks or host status.
    OrgMachine {
        id: MachineId;
        app_name: AppName,
        name: String,
        state: MachineState,
        region: RegionCode,
        private_ip: String,
        version: String,
        /// Deprecated name of `version`.
        instance_id: String,
        config: OrgMachineConfig,
        created_at: WireTime,
        updated_at: WireTime,
    }
}

body! {
    /// The part of a configuration that organization-wide lists show.
    OrgMachineConfig {
        guest: Guest,
        image: String,
        metadata: BTreeMap<String, String>,
    }
}

body! {
    /// One page of `GET /v1/orgs/{org}/machines`. May be short or empty before the end.
    OrgMachineList {
        machines: Vec<OrgMachine>,
        /// Empty or absent at the end.
        next_cursor: String,
        last_machine_id: String,
        last_updated_at: WireTime,
        /// Regions that could not be asked: the list lacks their Machines.
        error_regions: Vec<String>,
    }
}

body! {
    /// One page of `GET /v1/orgs/{org}/volumes`.
    OrgVolumeList {
        volumes: Vec<Volume>,
        /// Empty or absent at the end.
        next_cursor: String,
        last_volume_id: String,
        last_updated_at: WireTime,
        /// Regions that could not be asked: the list lacks their volumes.
        error_regions: Vec<String>,
    }
}
