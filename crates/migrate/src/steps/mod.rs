//! Kinds of steps, one file each, and the registry of them. A kind knows one Fly.io effect and how to take it back; which steps a
//! move needs, and in which order, is decided in `template`.

mod cluster;
mod create;
mod data;
mod destroy;
mod drain;
mod egress;
mod fork;
mod gate;
mod health;
mod lead;
mod looks;
mod patch;
mod power;
mod primary;
mod release;
mod room;
mod schedule;
mod snapshot;
mod standby;
mod traffic;
mod unchanged;
mod watch;

use std::sync::Arc;

use fly_types::MachineId;
use runbook::context::StepContext;
use runbook::kind::{Observed, Registry};
use runbook::outputs::Outputs;

use crate::leases::{LEASES, Leases};
use crate::platform::Platform;
use crate::region::eyes::Eyes;

pub(crate) use cluster::IN_SYNC;
pub(crate) use create::{CREATE, Create};
pub(crate) use data::{DATA, DISCARD, FILES, HYDRATED};
pub(crate) use destroy::{DESTROY, DESTROY_VOLUME};
pub(crate) use drain::DRAIN;
pub(crate) use egress::{ALLOCATE, ALLOWED, RELEASE_EGRESS, SETTLED};
pub(crate) use fork::FORK;
pub(crate) use gate::{ACCOUNTED, BACKUP, CONFIRM, DOCUMENTED, NAMES, REHEARSAL, Waiver};
pub(crate) use health::HEALTH;
pub(crate) use lead::LEAD;
pub(crate) use patch::PATCH;
pub(crate) use power::{START, STOP};
pub(crate) use primary::SWITCH;
pub(crate) use release::RELEASE;
pub(crate) use room::ROOM;
pub(crate) use schedule::{SCHEDULE, period};
pub(crate) use snapshot::SNAPSHOT;
pub(crate) use standby::STANDBY;
pub(crate) use traffic::{CORDON, UNCORDON};
pub(crate) use unchanged::UNCHANGED;
pub(crate) use watch::WATCH;

/// Every kind that plans of this tool name.
pub fn registry(platform: &Arc<Platform>, org: Option<&fly_types::OrgSlug>) -> Registry {
    let own = || Arc::clone(platform);
    let registry = Registry::new(Arc::new(Eyes::new(own(), org.cloned())))
        .session(LEASES, Leases(own()))
        .step(DOCUMENTED, looks::Looks(gate::Documented))
        .step(BACKUP, looks::Looks(gate::Backup(own())))
        .step(REHEARSAL, looks::Looks(gate::Answer))
        .step(CONFIRM, looks::Looks(gate::Answer))
        .step(NAMES, looks::Looks(gate::Names(own())))
        .step(ACCOUNTED, looks::Looks(gate::Accounted(own())))
        .step(UNCHANGED, looks::Looks(unchanged::Unchanged(own())))
        .step(ROOM, looks::Looks(room::Room(own())))
        .step(ALLOCATE, egress::Allocate(own()))
        .step(SETTLED, looks::Looks(egress::Settled(own())))
        .step(ALLOWED, looks::Looks(egress::Allowed(own())))
        .step(RELEASE_EGRESS, egress::ReleaseEgress(own()))
        .step(SCHEDULE, schedule::Schedule(own()))
        .step(STANDBY, standby::Standby(own()))
        .step(IN_SYNC, looks::Looks(cluster::InSync(own())))
        .step(LEAD, lead::Lead(own()))
        .step(SWITCH, primary::Switch(own()))
        .step(CREATE, Create::new(own()))
        .step(FORK, fork::Fork(own()))
        .step(SNAPSHOT, snapshot::Snapshot(own()))
        .step(DATA, looks::Looks(data::Data(own())))
        .step(FILES, looks::Looks(data::Files(own())))
        .step(DISCARD, data::Discard(own()))
        .step(HYDRATED, looks::Looks(data::Hydrated(own())))
        .step(DESTROY, destroy::Destroy(own()))
        .step(DESTROY_VOLUME, destroy::DestroyVolume(own()))
        .step(RELEASE, release::Release(own()))
        .step(HEALTH, looks::Looks(health::Health(own())))
        .step(UNCORDON, traffic::Traffic { platform: own(), cordoned: false })
        .step(CORDON, traffic::Traffic { platform: own(), cordoned: true })
        .step(START, power::Power { platform: own(), run: true })
        .step(STOP, power::Power { platform: own(), run: false })
        .step(DRAIN, looks::Looks(drain::Drain(own())))
        .step(WATCH, looks::Looks(watch::Watch(own())))
        .step(PATCH, looks::Looks(patch::Patch));
    crate::volume::kinds(registry, platform)
}

/// What a step sees that brings Machines into a state: those that differ are what it will change, and what an undo changes back. A
/// Machine that it wrote down and that differs no more was changed already.
pub(crate) fn seen(cx: &StepContext<'_>, differ: &[MachineId], whole: Observed) -> Observed {
    if differ.is_empty() {
        return whole;
    }
    let before = traffic::ids_in(cx.before(), "changed");
    if before.iter().any(|id| !differ.contains(id)) {
        return Observed::Partial;
    }
    let ids: Vec<String> = differ.iter().map(ToString::to_string).collect();
    Observed::Pending { before: Outputs::none().with("changed", ids) }
}
