//! `fork` and `restore`: a volume as it is now, or as it was, as another one.

use fly_types::{RegionCode, VolumeId};
use jiff::SignedDuration;
use runbook::plan::{Group, Step};
use serde_json::json;

use super::job::{JobError, Request};
use super::parts::{New, PLACE, checked, documented, guest, make, probe, reachable};
use super::plan::Parts;
use super::probe::SYNC;
use crate::inventory::VolumeInfo;

pub(super) fn copy_of(
    request: &Request<'_>,
    volume: &VolumeInfo,
    region: Option<&RegionCode>,
    name: Option<&str>,
    size_gb: Option<i64>,
) -> Result<New, JobError> {
    let new = New {
        name: name.unwrap_or(&volume.name).to_owned(),
        region: region.unwrap_or(&volume.region).clone(),
        size_gb: size_gb.unwrap_or(volume.size_gb),
    };
    if new.size_gb < volume.size_gb {
        return Err(JobError::input(
            format!(
                "a copy of volume {} cannot be smaller than its {} GB",
                volume.id, volume.size_gb
            ),
            format!("copy it first, then: fly-migrate volume shrink VOLUME --size {}", new.size_gb),
        ));
    }
    checked(request, &new)?;
    Ok(new)
}

/// What is known of a volume of which only snapshots are left.
pub(super) fn destroyed(
    request: &Request<'_>,
    id: &VolumeId,
    name: Option<&str>,
    region: Option<&RegionCode>,
) -> Result<VolumeInfo, JobError> {
    let (Some(name), Some(region)) = (name, region) else {
        return Err(JobError::input(
            format!(
                "volume {id} of app {} is destroyed: only its snapshots are left, and they do not say its name and region",
                request.inventory.app
            ),
            "say --name, as in [[mounts]] of fly.toml, and --region",
        ));
    };
    Ok(VolumeInfo {
        id: id.clone(),
        name: name.to_owned(),
        region: region.clone(),
        size_gb: request.snapshots.iter().filter_map(|one| one.size_gb).max().unwrap_or(1),
        state: "destroyed".to_owned(),
        attached: None,
        host_status: "ok".to_owned(),
        encrypted: true,
        retention_days: 0,
        used_bytes: None,
        created_at: None,
        last_snapshot: None,
        last_snapshot_id: None,
    })
}

pub(super) fn fork(
    request: &Request<'_>,
    mark: &str,
    volume: &VolumeInfo,
    new: &New,
    sync: bool,
) -> Result<Parts, JobError> {
    let app = request.inventory.app.as_str();
    reachable(volume, app)?;
    let machine = volume.attached.as_ref().and_then(|id| request.inventory.machine(id));
    let running = machine.filter(|machine| machine.runs());
    let mut warnings = vec![
        PLACE.to_owned(),
        "the copy holds what was on the disk when it was made, and never follows".to_owned(),
    ];
    let mut steps = Vec::new();
    if let Some(machine) = running {
        warnings.push(format!(
            "Machine {} goes on writing on the original: the copy is as after a power cut; stop the Machine first for a clean one",
            machine.id
        ));
        if sync {
            steps.push(
                Step::new("sync", SYNC, format!("Machine {} writes out what it holds in memory", machine.id))
                    .why("a fork takes what has reached the disk: files of the last seconds would be missing")
                    .params(json!({"machine": machine.id}))
                    .ensures("everything written before is on the disk")
                    .passing()
                    .takes(5, 60)
                    .command(format!("fly machine exec {} sync -a {app}", machine.id)),
            );
        }
    }
    if new.region != volume.region {
        warnings.push(format!(
            "from {} to {}: reading is slower until all is copied, and traffic between regions may be billed",
            volume.region, new.region
        ));
    }
    steps.push(make("volume", app, new, json!({"fork": volume.id}), machine.map(guest).as_ref()));
    steps.push(probe(request, mark, &new.region));
    Ok(Parts {
        summary: format!("fork volume {} of app {app} into {}", volume.id, new.region),
        source: volume.region.clone(),
        region: new.region.clone(),
        groups: vec![
            Group::serial("gates", "checklist", vec![documented(app)]),
            Group::serial("volume", "make the copy", steps),
        ],
        sessions: Vec::new(),
        no_return: None,
        warnings,
    })
}

pub(super) fn restore(
    request: &Request<'_>,
    mark: &str,
    volume: &VolumeInfo,
    new: &New,
    wanted: Option<&str>,
    max_age_hours: Option<i64>,
) -> Result<Parts, JobError> {
    let app = request.inventory.app.as_str();
    let finished = request.snapshots.iter().filter(|one| one.finished);
    let snapshot = match wanted {
        Some(id) => request.snapshots.iter().find(|one| one.id == id),
        None => finished.max_by_key(|one| one.at),
    };
    let snapshot = snapshot.ok_or_else(|| {
        let ids: Vec<&str> = request.snapshots.iter().map(|one| one.id.as_str()).collect();
        JobError::state(
            format!(
                "volume {} of app {app} has no finished snapshot{}",
                volume.id,
                wanted.map(|id| format!(" {id}")).unwrap_or_default()
            ),
            if ids.is_empty() {
                format!("take one: fly volumes snapshots create {} -a {app}", volume.id)
            } else {
                format!("it has: {}", ids.join(" "))
            },
        )
    })?;
    if !snapshot.finished {
        return Err(JobError::state(
            format!("snapshot {} is not finished", snapshot.id),
            "wait until its status is `created`",
        ));
    }
    let age = snapshot.at.map(|at| request.now.duration_since(at));
    let old =
        age.map_or("of unknown age".to_owned(), |age| format!("{} hours old", age.as_hours()));
    if let Some(limit) = max_age_hours
        && age.is_none_or(|age| age > SignedDuration::from_hours(limit))
    {
        return Err(JobError::state(
            format!("snapshot {} is {old}, and at most {limit} hours were allowed", snapshot.id),
            format!("take one now: fly volumes snapshots create {} -a {app}", volume.id),
        ));
    }
    let machine = volume.attached.as_ref().and_then(|id| request.inventory.machine(id));
    Ok(Parts {
        summary: format!(
            "restore snapshot {} ({old}) of volume {} of app {app} into {}",
            snapshot.id, volume.id, new.region
        ),
        source: volume.region.clone(),
        region: new.region.clone(),
        groups: vec![
            Group::serial("gates", "checklist", vec![documented(app)]),
            Group::serial(
                "volume",
                "restore",
                vec![
                    make(
                        "volume",
                        app,
                        new,
                        json!({"snapshot": snapshot.id}),
                        machine.map(guest).as_ref(),
                    ),
                    probe(request, mark, &new.region),
                ],
            ),
        ],
        sessions: Vec::new(),
        no_return: None,
        warnings: vec![
            PLACE.to_owned(),
            format!(
                "the snapshot is {old}: what was written after it is not in it; the original volume stays as it is"
            ),
        ],
    })
}
