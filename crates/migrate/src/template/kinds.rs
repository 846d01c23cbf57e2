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
        if kind(machine) == Kind::Scheduled {
            block(
                None,
                format!("Machine {id} runs by a schedule, which would fire in both regions"),
                format!(
                    "move it by hand: `fly machine clone {id} --region {} -a {app}`, then `fly machine destroy {id} -a {app}`, between two of its runs",
                    request.target
                ),
            );
        }
        if machine.env.iter().any(|name| name.starts_with("LITEFS_")) {
            block(
                Some("H20"),
                format!(
                    "Machine {id} looks like a LiteFS node: copying its volume alone would fork the cluster"
                ),
                format!(
                    "add nodes in {} with `fly machine clone`, wait until they caught up, move the primary, then remove the old ones",
                    request.target
                ),
            );
        }
        for mount in &machine.mounts {
            volume(inventory, request, id, mount, &mut block);
        }
    }
    let egress = |region: &str| {
        inventory.addresses.iter().any(|one| one.kind.starts_with("egress") && one.region == region)
    };
    if egress(request.source.as_str()) && !egress(request.target.as_str()) {
        block(
            Some("H17"),
            format!(
                "app {app} has static egress addresses in {} and none in {}",
                request.source, request.target
            ),
            format!(
                "run `fly ips allocate-egress -r {} -a {app}`, have the new address allow-listed, then plan again",
                request.target
            ),
        );
    }
    problems
}

fn volume(
    inventory: &Inventory,
    request: &Request,
    id: &fly_types::MachineId,
    mount: &crate::inventory::MountInfo,
    block: &mut impl FnMut(Option<&'static str>, String, String),
) {
    let (app, target) = (&inventory.app, &request.target);
    if let Some(found) = inventory.volume(&mount.volume).filter(|found| found.host_status != "ok") {
        block(
            Some("H12"),
            format!(
                "the host of volume {} of Machine {id} is {}, so it cannot be copied",
                found.id, found.host_status
            ),
            format!(
                "wait for the host, or restore its newest snapshot into {target}: `fly volumes create {} --snapshot-id … --region {target} -a {app}`",
                found.name
            ),
        );
    }
    let stale = inventory.volumes.iter().filter(|other| {
        &other.region == target && other.name == mount.name && other.attached.is_none()
    });
    for other in stale {
        block(
            Some("H03"),
            format!(
                "volume {} in {target} has the name {} and no Machine: a deploy or scale could mount its stale data",
                other.id, other.name
            ),
            format!(
                "look what is on it; `fly volumes destroy {} -a {app}` if nobody needs it, then plan again",
                other.id
            ),
        );
    }
}
