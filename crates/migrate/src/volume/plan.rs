//! Which steps each job on a volume has. Planning only reads what it is given.

use std::collections::BTreeMap;

use fly_types::{MachineId, RegionCode, VolumeId};
use jiff::{SignedDuration, Timestamp};
use runbook::canonical::Digest;
use runbook::error::Refusal;
use runbook::outputs::reference;
use runbook::plan::{Group, NoReturn, Plan, Risk, SessionSpec, Step, Target};
use runbook::sealed::SealedPlan;
use serde_json::{Value, json};

use super::make::MAKE;
use super::probe::{PROBE, SYNC};
use crate::inventory::facts::{Scope, facts};
use crate::inventory::{Inventory, MachineInfo, VolumeInfo};
use crate::prices::Prices;
use crate::regions::{RegionError, Regions};
use crate::steps::DOCUMENTED;

/// Image of helper Machines: it needs `sh`, `df`, `find`, `sha256sum`, `tar` and `nc`.
pub const HELPER_IMAGE: &str = "alpine:3.20";
/// The largest volume (Machines API reference, section 7).
const LARGEST_GB: i64 = 500;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A new, empty volume.
    Add {
        /// Name.
        name: String,
        /// Region; not needed with `machine`.
        region: Option<RegionCode>,
        /// Size.
        size_gb: i64,
        /// A Machine like the one that will use it.
        machine: Option<MachineId>,
    },
    /// A copy of a volume as it is now.
    Fork {
        /// Which.
        volume: VolumeId,
        /// Where to; the same region if absent.
        region: Option<RegionCode>,
        /// Name of the copy; the same if absent.
        name: Option<String>,
        /// Size of the copy; the same if absent.
        size_gb: Option<i64>,
        /// Write out what the Machine has not written yet.
        sync: bool,
    },
    /// A snapshot as a new volume.
    Restore {
        /// The volume that it was taken of.
        volume: VolumeId,
        /// Which; the newest if absent.
        snapshot: Option<String>,
        /// Where to; the same region if absent.
        region: Option<RegionCode>,
        /// Name; the same if absent.
        name: Option<String>,
        /// Size; the same if absent.
        size_gb: Option<i64>,
        /// The oldest snapshot that is good enough.
        max_age_hours: Option<i64>,
    },
    /// A smaller volume with the same files.
    Shrink {
        /// Which.
        volume: VolumeId,
        /// The new size.
        size_gb: i64,
    },
}

/// A snapshot that could be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Id.
    pub id: String,
    /// Whether it is finished.
    pub finished: bool,
    /// When it was taken.
    pub at: Option<Timestamp>,
}

/// What a plan is made from.
pub struct Request<'a> {
    /// The job.
    pub job: Job,
    /// The app.
    pub inventory: &'a Inventory,
    /// Regions that exist.
    pub regions: &'a Regions,
    /// Snapshots of the volume to restore.
    pub snapshots: &'a [SnapshotInfo],
    /// When.
    pub now: Timestamp,
    /// Image of helper Machines.
    pub image: String,
}

/// Why there is no plan. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The request cannot be meant.
    #[error("{what}")]
    Input {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The state of the app does not allow it.
    #[error("{what}")]
    State {
        /// What is in the way.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// The plan broke a rule of the engine: a mistake of this tool.
    #[error("the plan is not sound")]
    Unsound(#[source] Refusal),
}

impl JobError {
    pub(super) fn input(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { what: what.into(), hint: hint.into() }
    }

    pub(super) fn state(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::State { what: what.into(), hint: hint.into() }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Input { hint, .. } | Self::State { hint, .. } => hint.clone(),
            Self::Region(error) => error.hint(),
            Self::Unsound(_) => "this is a mistake of fly-migrate; please report it".to_owned(),
        }
    }
}

/// What the parts of a plan share.
pub(super) struct Parts {
    pub(super) summary: String,
    pub(super) region: RegionCode,
    pub(super) source: RegionCode,
    pub(super) groups: Vec<Group>,
    pub(super) sessions: Vec<SessionSpec>,
    pub(super) no_return: Option<NoReturn>,
    pub(super) warnings: Vec<String>,
}

/// Makes the plan of a job.
///
/// # Errors
/// A [`JobError`].
pub fn plan(request: &Request<'_>) -> Result<SealedPlan, JobError> {
    let job = format!("{:?}", request.job);
    let mark = format!("v{}", Digest::of(&json!([request.inventory, job, request.now])).short());
    let parts = match &request.job {
        Job::Add { name, region, size_gb, machine } => {
            add(request, &mark, name, region.as_ref(), *size_gb, machine.as_ref())?
        }
        Job::Fork { volume, region, name, size_gb, sync } => {
            let volume = find(request.inventory, volume)?;
            let new = copy_of(request, volume, region.as_ref(), name.as_deref(), *size_gb)?;
            fork(request, &mark, volume, &new, *sync)?
        }
        Job::Restore { volume, snapshot, region, name, size_gb, max_age_hours } => {
            let volume = find(request.inventory, volume)?;
            let new = copy_of(request, volume, region.as_ref(), name.as_deref(), *size_gb)?;
            restore(request, &mark, volume, &new, snapshot.as_deref(), *max_age_hours)?
        }
        Job::Shrink { volume, size_gb } => {
            super::shrink::shrink(request, &mark, find(request.inventory, volume)?, *size_gb)?
        }
    };
    let inventory = request.inventory;
    let scope = Scope { source: parts.source, target: parts.region, mark };
    let mut inputs = BTreeMap::new();
    inputs.insert("scope".to_owned(), json!(scope));
    inputs.insert("inventory".to_owned(), json!(inventory));
    if let Some(prices) = Prices::embedded() {
        inputs.insert("prices".to_owned(), json!({"as_of": prices.as_of, "source": prices.source}));
    }
    let plan = Plan {
        runbook: "volume".to_owned(),
        tool: concat!("fly-migrate ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: request.now,
        target: Target {
            kind: "fly-app".to_owned(),
            owner: inventory.org.as_ref().map_or("unknown".to_owned(), ToString::to_string),
            name: inventory.app.to_string(),
        },
        summary: parts.summary,
        inputs,
        facts: facts(inventory, &scope),
        sessions: parts.sessions,
        groups: parts.groups,
        point_of_no_return: parts.no_return,
        warnings: parts.warnings,
    };
    SealedPlan::seal(plan).map_err(JobError::Unsound)
}

/// A volume of the app; one that is not there is the seed of most "volume not found".
fn find<'a>(inventory: &'a Inventory, id: &VolumeId) -> Result<&'a VolumeInfo, JobError> {
    inventory.volume(id).ok_or_else(|| {
        let known: Vec<String> = inventory
            .volumes
            .iter()
            .map(|one| format!("{} ({} in {})", one.id, one.name, one.region))
            .collect();
        JobError::state(
            format!("app {} has no volume {id}", inventory.app),
            if known.is_empty() {
                "it has no volume at all; a volume belongs to one app: is it another app's?"
                    .to_owned()
            } else {
                format!("it has: {}", known.join(", "))
            },
        )
    })
}

/// A volume to be made.
pub(super) struct New {
    pub(super) name: String,
    pub(super) region: RegionCode,
    pub(super) size_gb: i64,
}

fn copy_of(
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

/// Name, size and region are such as the platform takes.
fn checked(request: &Request<'_>, new: &New) -> Result<(), JobError> {
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
pub(super) fn make(
    id: &str,
    app: &str,
    new: &New,
    source: Value,
    machine: Option<&MachineInfo>,
) -> Step {
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
        "compute": machine.map(guest),
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
fn probe(request: &Request<'_>, mark: &str, region: &RegionCode) -> Step {
    let app = &request.inventory.app;
    Step::new("mounts", PROBE, "the new volume can be mounted")
        .why("a volume that was made is not yet one that a Machine can use: its host may have no room, or the copy may be broken")
        .params(json!({"mark": mark, "region": region, "volume": reference(&"volume".into(), "volume"), "image": request.image}))
        .ensures("a helper Machine mounted the volume, saw it from inside, and is gone again")
        .passing()
        .undo("a helper Machine that was left is destroyed", vec![format!("fly machine destroy --force MACHINE -a {app}")])
        .takes(60, 900)
        .changes("target-volume/*")
        .command(format!("fly machine run {} --volume VOLUME:/flyops --region {region} --rm --shell -a {app}", request.image))
        .command("df -Pk /flyops".to_owned())
}

const PLACE: &str = "a volume is tied to one host of one region: a Machine uses it only there, one Machine at a time, and it never follows a Machine";

fn add(
    request: &Request<'_>,
    mark: &str,
    name: &str,
    region: Option<&RegionCode>,
    size_gb: i64,
    machine: Option<&MachineId>,
) -> Result<Parts, JobError> {
    let (inventory, app) = (request.inventory, request.inventory.app.as_str());
    let machine = machine
        .map(|id| {
            inventory.machine(id).ok_or_else(|| {
                JobError::state(
                    format!("app {app} has no Machine {id}"),
                    format!("see `fly machine list -a {app}`"),
                )
            })
        })
        .transpose()?;
    let region = match (region, machine) {
        (Some(region), Some(machine)) if *region != machine.region => {
            return Err(JobError::input(
                format!(
                    "Machine {} is in {}, and a volume in {region} could not be mounted by it",
                    machine.id, machine.region
                ),
                format!("leave --region away, or say --region {}", machine.region),
            ));
        }
        (Some(region), _) => region.clone(),
        (None, Some(machine)) => machine.region.clone(),
        (None, None) => {
            return Err(JobError::input(
                "neither a region nor a Machine was named",
                "say --for MACHINE, so that the volume is made where that Machine is, or --region REGION",
            ));
        }
    };
    let new = New { name: name.to_owned(), region: region.clone(), size_gb };
    checked(request, &new)?;
    let mut warnings = vec![
        PLACE.to_owned(),
        "an existing Machine cannot be given a volume: add [[mounts]] to fly.toml and deploy, which replaces it; then `fly-migrate volume check --inside`".to_owned(),
    ];
    let free: Vec<&str> = inventory
        .volumes
        .iter()
        .filter(|one| one.name == name && one.region == region && one.attached.is_none())
        .map(|one| one.id.as_str())
        .collect();
    if !free.is_empty() {
        warnings.push(format!(
            "there is a free volume of that name in {region} already ({}): the next deploy or scale takes any of them, with whatever is on it",
            free.join(", ")
        ));
    }
    let groups = vec![
        Group::serial("gates", "checklist", vec![documented(app)]),
        Group::serial(
            "volume",
            "make the volume",
            vec![make("volume", app, &new, json!({}), machine), probe(request, mark, &region)],
        ),
    ];
    Ok(Parts {
        summary: format!("add volume {name} with {size_gb} GB in {region} to app {app}"),
        source: region.clone(),
        region,
        groups,
        sessions: Vec::new(),
        no_return: None,
        warnings,
    })
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

fn fork(
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
    steps.push(make("volume", app, new, json!({"fork": volume.id}), machine));
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

fn restore(
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
                    make("volume", app, new, json!({"snapshot": snapshot.id}), machine),
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

/// The risk of a step that takes the app away from its users.
pub(super) const OUTAGE: Risk = Risk::Availability;
