//! Volumes and snapshots, changed.

use jiff::SignedDuration;
use serde_json::json;

use super::write::{flag, number, text};
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::create::Spread;
use crate::state::volume::{Files, Writer};
use crate::state::{Snapshot, Volume};

const CREATING: SignedDuration = SignedDuration::from_millis(200);
const RESTORING: SignedDuration = SignedDuration::from_secs(1);
const EXPORTING: SignedDuration = SignedDuration::from_millis(500);
const HYDRATING: SignedDuration = SignedDuration::from_secs(2);
const KEPT_AFTER_DELETE: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let name = text(&body, "name")?.unwrap_or_default().to_owned();
    let named = !name.is_empty() && name.len() <= 30;
    if !named || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(Reply::error(
            400,
            "invalid_argument: name must be 30 characters or less of lowercase letters, numbers and underscores",
        ));
    }
    let source = text(&body, "source_volume_id")?.map(str::to_owned);
    let snapshot = text(&body, "snapshot_id")?.map(str::to_owned);
    let parent = source.as_deref().map(|id| fork_source(call, id)).transpose()?;
    let restored = snapshot.as_deref().map(|id| snapshot_source(call, id)).transpose()?;
    let parent = parent.or(restored);
    let (parent_size, parent_region) =
        (parent.as_ref().map(|p| p.size_gb), parent.as_ref().map(|p| p.region.clone()));
    let size_gb = number(&body, "size_gb")?.filter(|n| *n != 0).or(parent_size).unwrap_or(3);
    if parent_size.is_some_and(|least| size_gb < least) {
        return Err(Reply::error(
            400,
            format!("invalid_argument: size_gb must be at least {}", parent_size.unwrap_or(1)),
        ));
    }
    let spread = match (flag(&body, "unique_zone_app_wide")?, flag(&body, "require_unique_zone")?) {
        (Some(true), _) => Spread::ByApp,
        (_, Some(false)) => Spread::Anywhere,
        _ => Spread::ByName,
    };
    let hinted = body.get("compute").is_some_and(|compute| !compute.is_null());
    let path: &[(&str, SignedDuration)] = match (&source, &snapshot) {
        (Some(_), _) => &[
            ("enabling_remote_export", CREATING),
            ("hydrating", EXPORTING),
            ("created", HYDRATING),
        ],
        (None, Some(_)) => &[("restoring", CREATING), ("created", RESTORING)],
        (None, None) => &[("created", CREATING)],
    };
    let region = text(&body, "region")?.filter(|region| !region.is_empty()).map(str::to_owned);
    let volume = Volume {
        id: String::new(),
        name,
        state: "creating".to_owned(),
        size_gb,
        used_bytes: parent.as_ref().map_or(0, |parent| parent.used_bytes),
        region: region.or(parent_region).unwrap_or_else(|| "fra".to_owned()),
        zone: String::new(),
        encrypted: flag(&body, "encrypted")?.unwrap_or(true),
        attached: None,
        created_at: call.state.now,
        snapshot_retention: number(&body, "snapshot_retention")?.unwrap_or(5),
        auto_backup: flag(&body, "auto_backup_enabled")?.unwrap_or(true),
        host_status: "ok".to_owned(),
        fstype: text(&body, "fstype")?.filter(|t| !t.is_empty()).unwrap_or("ext4").to_owned(),
        snapshots: Vec::new(),
        pending: Vec::new(),
        host_full: false,
        synced: parent.as_ref().map(|parent| parent.files.clone()).unwrap_or_default(),
        files: parent.as_ref().map(|parent| parent.files.clone()).unwrap_or_default(),
        writer: parent.and_then(|parent| parent.writer),
    };
    let mut volume = volume;
    volume.host_full = !hinted && call.state.rooms.volume_hosts_full(&volume.region);
    let app = call.request.param("app");
    let id = call.state.create_volume(app, volume, path, spread)?;
    let volume = call.app()?.volume(&id).map(Volume::json);
    Ok(Reply::json(volume.unwrap_or_default()))
}

/// What a new volume starts from.
struct Parent {
    size_gb: i64,
    used_bytes: i64,
    region: String,
    files: Files,
    writer: Option<Writer>,
}

/// A fork takes what has reached the disk of a volume whose host answers.
fn fork_source(call: &Call<'_>, id: &str) -> Result<Parent, Reply> {
    let volume = call.app()?.volume(id);
    let volume = volume.ok_or_else(|| Reply::error(404, "not_found: volume not found"))?;
    if volume.host_status != "ok" || !volume.is_live() {
        let (status, state) = (&volume.host_status, &volume.state);
        let text = format!(
            "failed_precondition: volume {id} cannot be forked: host {status}, state {state}"
        );
        return Err(Reply::error(412, text));
    }
    Ok(Parent {
        size_gb: volume.size_gb,
        used_bytes: volume.used_bytes,
        region: volume.region.clone(),
        files: volume.synced.clone(),
        writer: volume.writer.clone(),
    })
}

/// A finished snapshot of any volume of the organization's apps, its own volume alive or not.
fn snapshot_source(call: &Call<'_>, id: &str) -> Result<Parent, Reply> {
    let org = &call.app()?.org;
    let volumes = call.state.apps.values().filter(|app| app.org == *org).flat_map(|a| &a.volumes);
    let found = volumes.flat_map(|volume| volume.snapshots.iter().map(move |s| (volume, s)));
    let found = found.filter(|(_, snapshot)| snapshot.id == id).map(|(volume, snapshot)| {
        let parent = Parent {
            size_gb: snapshot.volume_size >> 30,
            used_bytes: snapshot.size,
            region: volume.region.clone(),
            files: snapshot.files.clone(),
            writer: volume.writer.clone(),
        };
        (parent, snapshot.status.clone())
    });
    match found.into_iter().next() {
        Some((parent, status)) if status == "created" => Ok(parent),
        Some((_, status)) => Err(Reply::error(
            412,
            format!("failed_precondition: snapshot {id} is not complete, currently {status}"),
        )),
        None => Err(Reply::error(404, "not_found: snapshot not found")),
    }
}

fn volume_mut<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Volume, Reply> {
    let id = call.request.param("volume");
    let found = call.app_mut()?.volumes.iter_mut().find(|volume| volume.id == id);
    found.ok_or_else(|| Reply::error(404, "not_found: volume not found"))
}

pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let retention = number(&body, "snapshot_retention")?;
    if retention.is_some_and(|days| !(1..=60).contains(&days)) {
        return Err(Reply::error(
            400,
            "invalid_argument: snapshot_retention must be between 1 and 60 days",
        ));
    }
    let backup = flag(&body, "auto_backup_enabled")?;
    let volume = volume_mut(call)?;
    volume.snapshot_retention = retention.unwrap_or(volume.snapshot_retention);
    volume.auto_backup = backup.unwrap_or(volume.auto_backup);
    Ok(Reply::json(volume.json()))
}

pub(crate) fn extend(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let size = number(&body, "size_gb")?.unwrap_or(0);
    let now = call.state.now;
    let volume = volume_mut(call)?;
    if !volume.is_live() {
        let text = format!("failed_precondition: volume is in state {}", volume.state);
        return Err(Reply::error(412, text));
    }
    if size <= volume.size_gb || size > 500 {
        return Err(Reply::error(
            400,
            format!("invalid_argument: size_gb must be between {} and 500", volume.size_gb + 1),
        ));
    }
    volume.size_gb = size;
    "extending".clone_into(&mut volume.state);
    let done = now.saturating_add(SignedDuration::from_millis(200)).unwrap_or(now);
    volume.pending.push((done, "created".to_owned()));
    Ok(Reply::json(json!({ "volume": volume.json(), "needs_restart": volume.attached.is_some() })))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let now = call.state.now;
    let volume = volume_mut(call)?;
    if let Some(machine) = &volume.attached {
        return Err(Reply::error(
            412,
            format!("failed_precondition: volume is currently bound to machine: {machine}"),
        ));
    }
    "scheduling_destroy".clone_into(&mut volume.state);
    let soon = now.saturating_add(SignedDuration::from_millis(200)).unwrap_or(now);
    let end = now.saturating_add(KEPT_AFTER_DELETE).unwrap_or(now);
    volume.pending = vec![(soon, "pending_destroy".to_owned()), (end, "gone".to_owned())];
    Ok(Reply::json(volume.json()))
}

pub(crate) fn snapshot(call: &mut Call<'_>) -> Answer {
    let (now, id) = (call.state.now, call.state.ids.snapshot());
    let volume = volume_mut(call)?;
    let busy = volume.snapshots.iter().find(|s| matches!(s.status.as_str(), "waiting" | "running"));
    if let Some(busy) = busy {
        let at = crate::state::rfc3339(busy.at);
        let text = format!("failed_precondition: snapshot is already scheduled at {at}");
        return Err(Reply::error(412, text));
    }
    let snapshot = Snapshot {
        id,
        at: now,
        size: volume.used_bytes,
        volume_size: volume.size_gb << 30,
        status: "waiting".to_owned(),
        retention_days: volume.snapshot_retention,
        files: volume.synced.clone(),
    };
    volume.snapshots.insert(0, snapshot);
    Ok(Reply::empty(200))
}
