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
    /// A node of a LiteFS cluster: its copy gets the data from the primary.
    Replica,
}

/// What a Machine is.
pub fn kind(machine: &MachineInfo) -> Kind {
    if machine.litefs.is_some() {
        Kind::Replica
    } else if !machine.mounts.is_empty() {
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

/// Whether what a Machine has cannot be read any more: its host, or that of one of its volumes, does not answer.
pub(super) fn is_lost(inventory: &Inventory, machine: &MachineInfo) -> bool {
    let volumes = machine.mounts.iter().filter_map(|mount| inventory.volume(&mount.volume));
    !machine.reachable() || volumes.into_iter().any(|volume| volume.host_status != "ok")
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
        if is_postgres(machine) {
            let (what, todo) = postgres(&machine.image, app.as_str(), request);
            block(None, format!("Machine {id} is {what}"), todo);
        }
        if machine.incomplete {
            block(
                Some("H12"),
                format!(
                    "the host of Machine {id} is {}, and the platform does not have its configuration any more, so it cannot be copied",
                    machine.host_status
                ),
                format!(
                    "wait for the host (`fly incidents hosts list -a {app}`), or destroy it (`fly machine destroy --force {id} -a {app}`) and deploy anew"
                ),
            );
        }
        if kind(machine) == Kind::Scheduled && !machine.reachable() {
            block(
                Some("H12"),
                format!(
                    "Machine {id} runs by a schedule and its host is {}: should the host come back, it would fire beside its copy",
                    machine.host_status
                ),
                format!(
                    "wait for the host, or destroy it (`fly machine destroy --force {id} -a {app}`) and make it anew in {}",
                    request.target
                ),
            );
        }
        if kind(machine) == Kind::Replica {
            replica(inventory, request, machine, &mut block);
        }
        for mount in &machine.mounts {
            volume(inventory, request, machine, mount, &mut block);
        }
    }
    for address in super::egress::of_machines(inventory, request) {
        let owner = address.machine.as_ref().map_or("?", fly_types::MachineId::as_str);
        block(
            Some("H17"),
            format!(
                "egress address {} belongs to Machine {owner} alone and ends with it",
                address.ip
            ),
            format!(
                "run `fly machine egress-ip promote {owner} -a {app}`, so that its addresses belong to the app, then plan again"
            ),
        );
    }
    problems
}

fn is_postgres(machine: &MachineInfo) -> bool {
    machine.image.contains("flyio/postgres")
        || machine.metadata.contains_key("fly-managed-postgres")
}

/// What an unmanaged Postgres is, and how it moves (region-migration reference, 6.3).
fn postgres(image: &str, app: &str, request: &Request) -> (String, String) {
    let target = &request.target;
    let by_dump = format!(
        "stop its writers, `fly postgres create --name {app}-{target} --region {target}`, `fly postgres import SOURCE_URI -a {app}-{target}`, \
         `fly postgres detach {app} -a APP`, `fly postgres attach {app}-{target} -a APP`, deploy; keep the old one until that is proven"
    );
    if image.contains("postgres-flex") {
        let what = "a member of an unmanaged Postgres cluster (flex)".to_owned();
        let todo = format!(
            "move the database before the apps that use it. Small, or with less than 3 members, by dump and restore: {by_dump}. With at least 3: add 3 members there \
             (`fly machine clone MEMBER --region {target} -a {app}`), deploy with primary_region and [env] PRIMARY_REGION = \"{target}\", \
             `fly postgres failover -a {app}`, remove the old ones one by one (`repmgr standby unregister` before `fly machine destroy`). A plan for that comes with fly-pg-ops"
        );
        (what, todo)
    } else {
        let what = "a member of a legacy Postgres cluster (Stolon), which cannot be extended into another region".to_owned();
        (what, format!("move the database before the apps that use it: {by_dump}"))
    }
}

/// What a LiteFS node must be like, so that its cluster can be moved node by node.
fn replica(
    inventory: &Inventory,
    request: &Request,
    machine: &MachineInfo,
    block: &mut impl FnMut(Option<&'static str>, String, String),
) {
    let (app, id) = (&inventory.app, &machine.id);
    let why = machine.litefs.as_deref().unwrap_or_default();
    let mut stop = |what: String, todo: String| {
        block(Some("H20"), format!("Machine {id} looks like a LiteFS node ({why}): {what}"), todo);
    };
    if machine.mounts.len() != 1 {
        stop(
            format!("it has {} volumes, and one is expected", machine.mounts.len()),
            "mount exactly one volume, for LiteFS, on each node, then plan again".to_owned(),
        );
    }
    if machine.autostops() {
        stop(
            "the proxy may stop it, and one that was asleep may take the lease with old data, which discards newer data".to_owned(),
            "set auto_stop_machines = \"off\" and deploy, then plan again".to_owned(),
        );
    }
    if machine.state != "started" || is_lost(inventory, machine) {
        stop(
            format!(
                "it is {} on a host that is {}, so it cannot be asked where it stands",
                machine.state, machine.host_status
            ),
            format!(
                "start it (`fly machine start {id} -a {app}`), or destroy it if it is not needed, then plan again"
            ),
        );
    }
    if machine.primary_region.as_deref() != Some(request.source.as_str()) {
        stop(
            format!(
                "its PRIMARY_REGION is {}, not {}, so the primary is not here",
                machine.primary_region.as_deref().unwrap_or("not set"),
                request.source
            ),
            format!(
                "if the primary is elsewhere, add nodes in {} with `fly machine clone` and destroy these; a static lease has to be moved in litefs.yml",
                request.target
            ),
        );
    }
}

fn volume(
    inventory: &Inventory,
    request: &Request,
    machine: &MachineInfo,
    mount: &crate::inventory::MountInfo,
    block: &mut impl FnMut(Option<&'static str>, String, String),
) {
    let (app, target, id) = (&inventory.app, &request.target, &machine.id);
    let snapshot =
        inventory.volume(&mount.volume).and_then(|volume| volume.last_snapshot_id.as_ref());
    if is_lost(inventory, machine) && snapshot.is_none() {
        block(
            Some("H12"),
            format!(
                "the host of volume {} of Machine {id} does not answer, so it cannot be copied, and it has no snapshot",
                mount.volume
            ),
            format!(
                "wait for the host (`fly incidents hosts list -a {app}`): until it is back there is nothing from which its data could be restored"
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
