//! Steps that several jobs share, and what a new volume may be.

use fly_types::RegionCode;
use runbook::outputs::reference;
use runbook::plan::{Risk, Step};
use serde_json::{Value, json};

use super::job::{JobError, Request};
use super::make::MAKE;
use super::probe::PROBE;
use crate::inventory::{MachineInfo, VolumeInfo};
use crate::prices::Prices;
use crate::steps::DOCUMENTED;

/// The largest volume (Machines API reference, section 7).
const LARGEST_GB: i64 = 500;

/// The risk of a step that takes the app away from its users.
pub(super) const OUTAGE: Risk = Risk::Availability;

pub(super) const PLACE: &str = "a volume is tied to one host of one region: a Machine uses it only there, one Machine at a time, and it never follows a Machine";

/// A volume to be made.
pub(super) struct New {
    pub(super) name: String,
    pub(super) region: RegionCode,
    pub(super) size_gb: i64,
}

/// Name, size and region are such as the platform takes.
pub(super) fn checked(request: &Request<'_>, new: &New) -> Result<(), JobError> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if new.name.is_empty() || new.name.len() > 30 || !new.name.chars().all(legal) {
        return Err(JobError::input(
            format!("'{}' is no name of a volume", new.name),
            "up to 30 lower-case letters, digits and underscores, as in `data` or `pg_data`",
        ));
    }
    size(new.size_gb)?;
    request.regions.target(&new.region)?;
    Ok(())
}

pub(super) fn size(size_gb: i64) -> Result<(), JobError> {
    if (1..=LARGEST_GB).contains(&size_gb) {
        return Ok(());
    }
    Err(JobError::input(
        format!("a volume cannot have {size_gb} GB"),
        format!("1 to {LARGEST_GB} GB"),
    ))
}

/// The guest of a Machine, for placing a volume where there is room for both.
pub(super) fn guest(machine: &MachineInfo) -> Value {
    json!({"cpu_kind": machine.cpu_kind, "cpus": machine.cpus, "memory_mb": machine.memory_mb})
}

pub(super) fn monthly(size_gb: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 500")]
    let size = size_gb as f64;
    // Whole cents: a plan is read back from text, and its digest covers the figure.
    Prices::embedded().map_or(0.0, |prices| (prices.volume_gb_month * size * 100.0).round() / 100.0)
}

pub(super) fn documented(app: &str) -> Step {
    Step::new("documented", DOCUMENTED, "the state before is saved")
        .why("what was there can be looked up, and an undo can be judged")
        .ensures("inventory and facts are in the plan beside the journal")
        .command(format!("fly volumes list -a {app} --json"))
        .command(format!("fly machine list -a {app} --json"))
}

/// The step that makes a volume.
pub(super) fn make(id: &str, app: &str, new: &New, source: Value, compute: Option<&Value>) -> Step {
    let by_hand = match (source["fork"].as_str(), source["snapshot"].as_str()) {
        (Some(id), _) => format!(
            "fly volumes fork {id} --region {} --name {} --size {} -a {app}",
            new.region, new.name, new.size_gb
        ),
        (None, Some(id)) => {
            format!(
                "fly volumes create {} --snapshot-id {id} --region {} --size {} -a {app}",
                new.name, new.region, new.size_gb
            )
        }
        (None, None) => format!(
            "fly volumes create {} --region {} --size {} -a {app}",
            new.name, new.region, new.size_gb
        ),
    };
    let mut params = json!({
        "name": new.name,
        "region": new.region,
        "size_gb": new.size_gb,
        "compute": compute,
    });
    if let (Some(params), Value::Object(source)) = (params.as_object_mut(), source) {
        params.extend(source);
    }
    Step::new(id, MAKE, format!("make volume {} with {} GB in {}", new.name, new.size_gb, new.region))
        .why("a volume is a piece of one disk of one host: it is made where its Machine will be, with room for that Machine")
        .params(params)
        .ensures("the volume is finished and in its region")
        .undo("the new volume is deleted", vec![format!("fly volumes destroy VOLUME -a {app}")])
        .takes(60, 3600)
        .costs(0.0, monthly(new.size_gb))
        .changes("target-volume/*")
        .command(by_hand)
}

/// The step that mounts a new volume once and looks.
pub(super) fn probe(request: &Request<'_>, mark: &str, region: &RegionCode) -> Step {
    let app = &request.inventory.app;
    Step::new("mounts", PROBE, "the new volume can be mounted")
        .why("a volume that was made is not yet one that a Machine can use: its host may have no room, or the copy may be broken")
        .params(json!({"mark": mark, "region": region, "volume": reference(&"volume".into(), "volume"), "image": request.image}))
        .ensures("a helper Machine mounted the volume, saw it from inside, wrote and read a file there, and is gone again")
        .passing()
        .undo("a helper Machine that was left is destroyed", vec![format!("fly machine destroy --force MACHINE -a {app}")])
        .takes(60, 900)
        .changes("target-volume/*")
        .command(format!("fly machine run {} --volume VOLUME:/flyops --region {region} --rm --shell -a {app}", request.image))
        .command("df -Pk /flyops && touch /flyops/x && rm /flyops/x".to_owned())
}

/// A volume whose host cannot be reached can be neither forked nor snapshotted.
pub(super) fn reachable(volume: &VolumeInfo, app: &str) -> Result<(), JobError> {
    if volume.host_status == "ok" {
        return Ok(());
    }
    Err(JobError::state(
        format!("the host of volume {} of app {app} is {}", volume.id, volume.host_status),
        format!(
            "wait for it (`fly incidents hosts list -a {app}`), or use its last snapshot: fly-migrate volume restore {}",
            volume.id
        ),
    ))
}
