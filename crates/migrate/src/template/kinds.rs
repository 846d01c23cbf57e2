//! What each Machine is, as far as moving it is concerned, and what this tool does not move.

use std::fmt;

use crate::inventory::{Inventory, MachineInfo};
use crate::template::Request;

/// How a Machine is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The proxy sends traffic to it: cut over by cordon.
    Service,
    /// It runs without services: the new one starts when the old one stopped.
    Worker,
    /// The platform starts it by a schedule.
    Scheduled,
    /// It waits for another one to fail.
    Standby,
    /// It has a volume that only it writes.
    Volume,
}

/// What a Machine is.
pub fn kind(machine: &MachineInfo) -> Kind {
    if !machine.mounts.is_empty() {
        Kind::Volume
    } else if !machine.standbys.is_empty() {
        Kind::Standby
    } else if machine.schedule.is_some() {
        Kind::Scheduled
    } else if machine.services.is_empty() {
        Kind::Worker
    } else {
        Kind::Service
    }
}

/// Something that is in the way of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The hazard of the catalogue, if it is one.
    pub hazard: Option<&'static str>,
    /// What is the matter with which Machine.
    pub what: String,
    /// What to do.
    pub todo: String,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hazard {
            Some(id) => write!(f, "{} ({id})", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Everything that is in the way.
pub(super) fn blocked(inventory: &Inventory, request: &Request) -> Vec<Blocked> {
    let app = &inventory.app;
    let mut problems = Vec::new();
    let mut block =
        |hazard, what: String, todo: String| problems.push(Blocked { hazard, what, todo });
    if !request.options.allowed.is_empty() && !request.options.allowed.contains(&request.target) {
        let allowed: Vec<&str> =
            request.options.allowed.iter().map(fly_types::RegionCode::as_str).collect();
        block(
            Some("H24"),
            format!("{} is not among the allowed regions", request.target),
            format!("choose one of: {}", allowed.join(" ")),
        );
    }
    for machine in inventory.in_region(&request.source) {
        let id = &machine.id;
        if machine.gpu {
            block(
                None,
                format!("Machine {id} has a GPU, which the platform does not offer any more"),
                "remove the GPU from the configuration, or move that workload elsewhere".to_owned(),
            );
        }
        if machine.image.contains("flyio/postgres")
            || machine.metadata.contains_key("fly-managed-postgres")
        {
            block(
                None,
                format!("Machine {id} is a member of an unmanaged Postgres cluster"),
                format!(
                    "move the database first: for a small one dump and restore into a new cluster in {} (`fly postgres create --region {0}`, `fly postgres import`), \
                     for one with at least 3 members add replicas there and fail over; then plan again. A plan for that comes with fly-pg-ops",
                    request.target
                ),
            );
        }
        if machine.incomplete || machine.host_status != "ok" {
            block(
                Some("H12"),
                format!(
                    "the host of Machine {id} is {}, so its configuration cannot be copied",
                    machine.host_status
                ),
                format!(
                    "wait for the host (`fly incidents hosts list -a {app}`), or restore its volume from a snapshot and deploy anew"
                ),
            );
        }
        if kind(machine) == Kind::Volume {
            block(
                None,
                format!("Machine {id} has a volume"),
                "volumes are not planned by this version".to_owned(),
            );
        }
    }
    problems
}
