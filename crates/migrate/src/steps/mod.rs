//! Kinds of steps, one file each, and the registry of them. A kind knows one Fly.io effect and how to take it back; which steps a
//! move needs, and in which order, is decided in `template`.

mod create;
mod data;
mod destroy;
mod fork;
mod gate;
mod health;
mod looks;
mod patch;
mod power;
mod release;
mod room;
mod snapshot;
mod traffic;
mod unchanged;
mod watch;

use std::sync::Arc;

use runbook::kind::Registry;

use crate::leases::{LEASES, Leases};
use crate::platform::Platform;
use crate::region::eyes::Eyes;

pub(crate) use create::{CREATE, Create};
pub(crate) use data::{DATA, DISCARD, HYDRATED};
pub(crate) use destroy::{DESTROY, DESTROY_VOLUME};
pub(crate) use fork::FORK;
pub(crate) use gate::{ACCOUNTED, BACKUP, DOCUMENTED, NAMES, REHEARSAL, Waiver};
pub(crate) use health::HEALTH;
pub(crate) use patch::PATCH;
pub(crate) use power::{START, STOP};
pub(crate) use release::RELEASE;
pub(crate) use room::ROOM;
pub(crate) use snapshot::SNAPSHOT;
pub(crate) use traffic::{CORDON, UNCORDON};
pub(crate) use unchanged::UNCHANGED;
pub(crate) use watch::{DRAIN, WATCH};

/// Every kind that plans of this tool name.
pub fn registry(platform: &Arc<Platform>, org: Option<&fly_types::OrgSlug>) -> Registry {
    let own = || Arc::clone(platform);
    let registry = Registry::new(Arc::new(Eyes::new(own(), org.cloned())))
        .session(LEASES, Leases(own()))
        .step(DOCUMENTED, looks::Looks(gate::Documented))
        .step(BACKUP, looks::Looks(gate::Backup(own())))
        .step(REHEARSAL, looks::Looks(gate::Answer))
        .step(NAMES, looks::Looks(gate::Names(own())))
        .step(ACCOUNTED, looks::Looks(gate::Accounted(own())))
        .step(UNCHANGED, looks::Looks(unchanged::Unchanged(own())))
        .step(ROOM, looks::Looks(room::Room(own())))
        .step(CREATE, Create::new(own()))
        .step(FORK, fork::Fork(own()))
        .step(SNAPSHOT, snapshot::Snapshot(own()))
        .step(DATA, looks::Looks(data::Data(own())))
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
        .step(DRAIN, looks::Looks(watch::Drain(own())))
        .step(WATCH, looks::Looks(watch::Watch(own())))
        .step(PATCH, looks::Looks(patch::Patch));
    crate::volume::kinds(registry, platform)
}
