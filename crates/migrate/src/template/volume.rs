//! Machines with a volume that only they write: stand still, snapshot, copy, compare every file, and only then let the copy write.
//!
//! Until `release` the originals are untouched, and a run that stops starts them again by itself. From `release` on the new side
//! writes, and going back would lose that: it is the point of no return.

use fly_types::RegionCode;
use runbook::outputs::reference;
use runbook::plan::{Id, NoReturn, Risk, Step};
use serde_json::{Value, json};

use super::commands::each;
use super::draft::{Draft, copies, copy, ids};
use super::kinds::Kind;
use crate::inventory::{MachineInfo, MountInfo};
use crate::leases::LEASES;
use crate::steps::{
    CORDON, CREATE, DATA, DISCARD, FORK, HEALTH, HYDRATED, RELEASE, SNAPSHOT, STOP, UNCORDON,
};

/// Name of the volume that serves as reference while the copy is checked.
const REFERENCE: &str = "flyops_reference";
/// What everything between the stop and the release relies on.
const FREEZE: &str = "freeze";
const RELEASED: &str = "release";

pub(super) fn id(what: &str, machine: &MachineInfo, number: usize) -> Id {
    Id::new(format!("{what}-{}-{number}", machine.id.as_str().to_ascii_lowercase()))
}

/// Machines with volumes, and each of their mounts.
pub(super) fn mounts<'a>(
    machines: &[&'a MachineInfo],
) -> Vec<(&'a MachineInfo, usize, &'a MountInfo)> {
    let of = |machine: &&'a MachineInfo| {
        let machine = *machine;
        machine.mounts.iter().enumerate().map(move |(number, mount)| (machine, number, mount))
    };
    machines.iter().flat_map(of).collect()
}

/// The groups of all Machines with volumes, up to the moment when their copies serve.
pub(super) fn build(draft: &mut Draft<'_>) {
    let (machines, lost) = (draft.live(Kind::Volume), draft.lost(Kind::Volume));
    if machines.is_empty() && lost.is_empty() {
        return;
    }
    let app = draft.app().to_owned();
    let (source, target) = (draft.request.source.clone(), draft.request.target.clone());
    let restored = super::restore::volumes(draft);
    draft.serial("restore", "restore what cannot be copied", restored);
    if !machines.is_empty() {
        let frozen = freeze(draft, &machines);
        draft.serial("freeze", "stand still", frozen);
    }
    let all = mounts(&machines);
    let snapshots = all.iter().map(|(machine, number, mount)| {
        Step::new(id("snapshot", machine, *number), SNAPSHOT, format!("last snapshot of the volume of Machine {} at {}", machine.id, mount.path))
            .why("it is what is left when everything else goes wrong; it is kept for as many days as the volume says")
            .params(json!({"machine": machine.id, "path": mount.path}))
            .ensures("a finished snapshot of the frozen volume exists")
            .takes(60, 3600)
            .under(FREEZE)
            .command(format!("fly volumes snapshots create {} -a {app}", mount.volume))
    });
    draft.parallel("snapshots", "snapshot", 4, snapshots.collect());
    let mut forks = Vec::new();
    for (machine, number, mount) in &all {
        forks.push(fork(draft, machine, *number, mount, &target));
        forks.push(fork(draft, machine, *number, mount, &source));
    }
    draft.serial("forks", "copy the volumes", forks);
    let mut holders: Vec<Step> = lost.iter().map(|machine| holder(draft, machine)).collect();
    for machine in &machines {
        holders.push(holder(draft, machine).under(FREEZE));
        for (number, mount) in machine.mounts.iter().enumerate() {
            holders.push(reference_machine(draft, machine, number, mount));
        }
    }
    draft.parallel("holders", "mount the copies", 4, holders);
    let mut checks = super::restore::checks(draft);
    for (machine, number, mount) in &all {
        let reference_id = id("reference", machine, *number);
        checks.push(
            Step::new(
                id("data", machine, *number),
                DATA,
                format!("every file of {} of Machine {} arrived", mount.path, machine.id),
            )
            .why("a Machine with an empty or stale volume passes its health checks")
            .params(json!({
                "reference": reference(&reference_id, "machine"),
                "copy": reference(&copy(machine), "machine"),
                "path": mount.path,
            }))
            .ensures("the sums of all files are the same on both copies of the frozen volume")
            .under(FREEZE)
            .passing()
            .takes(60, 3600)
            .command(format!(
                "fly machine exec COPY \"find {} -type f -exec sha256sum {{}} +\" -a {app}",
                mount.path
            )),
        );
        checks.push(
            Step::new(id("discard", machine, *number), DISCARD, "the reference copy is removed")
                .why("it was only needed to compare with")
                .params(json!({
                    "machine": reference(&reference_id, "machine"),
                    "volume": reference(&id("fork-reference", machine, *number), "volume"),
                }))
                .ensures("the reference Machine and its volume are gone")
                .under(FREEZE)
                .takes(10, 600)
                .command(format!("fly machine destroy --force REFERENCE -a {app} && fly volumes destroy REFERENCE_VOLUME -y -a {app}")),
        );
    }
    draft.serial("data", "compare the data", checks);
    let steps = release(draft, &draft.of(Kind::Volume));
    draft.serial("release", "let the new side write", steps);
    draft.no_return = Some(NoReturn {
        step: RELEASED.into(),
        way_forward: format!(
            "the new side writes since then: resume; to go back, plan a move from {target} to {source}, which takes the new data along. \
             The old volumes and their last snapshots stay until `cleanup`"
        ),
    });
}

fn freeze(draft: &Draft<'_>, machines: &[&MachineInfo]) -> Vec<Step> {
    let app = draft.app().to_owned();
    let open: Vec<&MachineInfo> = machines
        .iter()
        .copied()
        .filter(|machine| !machine.services.is_empty() && !machine.cordoned)
        .collect();
    let mut steps = Vec::new();
    if !open.is_empty() {
        let step = Step::new("fence", CORDON, format!("{} Machines with volumes take no more traffic", open.len()))
            .why("nothing must be written after the copy was taken: downtime of these Machines begins here")
            .params(json!({"machines": ids(&open)}))
            .ensures("the proxy sends nothing to them")
            .undo("put them back", each(&open, |id| format!("fly machine uncordon {id} -a {app}")))
            .risk(Risk::Availability)
            .takes(5, 120)
            .session(LEASES)
            .hold(RELEASED, None);
        steps.push(
            each(&open, |id| format!("fly machine cordon {id} -a {app}"))
                .into_iter()
                .fold(step, Step::command),
        );
        steps.push(super::stateless::drain(draft, "drain-volumes", &open).under("fence"));
    }
    let seconds = machines.iter().map(|machine| machine.stop_seconds).max().unwrap_or(5);
    let step = Step::new(FREEZE, STOP, format!("{} Machines with volumes stop", machines.len()))
        .why("a file system is only whole on disk once its Machine has stopped")
        .params(json!({"machines": ids(machines), "stop_seconds": seconds}))
        .ensures("nothing writes to the old volumes")
        .undo(
            "start those that ran",
            each(machines, |id| format!("fly machine start {id} -a {app}")),
        )
        .risk(Risk::Availability)
        .takes(seconds + 5, seconds + 600)
        .costs(0.0, -machines.iter().map(|machine| draft.saved_month(machine)).sum::<f64>())
        .session(LEASES)
        .hold(RELEASED, None);
    steps.push(
        each(machines, |id| format!("fly machine stop {id} -a {app}"))
            .into_iter()
            .fold(step, Step::command),
    );
    steps
}

fn fork(
    draft: &Draft<'_>,
    machine: &MachineInfo,
    number: usize,
    mount: &MountInfo,
    region: &RegionCode,
) -> Step {
    let real = region == &draft.request.target;
    let (what, name, title) = if real {
        (
            "fork",
            mount.name.as_str(),
            format!("copy volume {} of Machine {} to {region}", mount.name, machine.id),
        )
    } else {
        (
            "fork-reference",
            REFERENCE,
            format!(
                "copy volume {} of Machine {} within {region}, to compare with",
                mount.name, machine.id
            ),
        )
    };
    let size = draft.inventory.volume(&mount.volume).map_or(1, |volume| volume.size_gb);
    #[expect(clippy::cast_precision_loss, reason = "volumes have at most 500 GB")]
    let gigabytes = size as f64;
    let month = draft.prices.map_or(0.0, |prices| prices.volume_gb_month * gigabytes);
    let transfer =
        draft.prices.and_then(|prices| prices.transfer_gb(&draft.request.source)).unwrap_or(0.0)
            * gigabytes;
    let step = Step::new(id(what, machine, number), FORK, title)
        .why(if real { "a volume cannot change its region" } else { "the frozen original cannot be read while its Machine is stopped" })
        .params(json!({"machine": machine.id, "path": mount.path, "region": region, "name": name, "size_gb": size, "fallback": super::stateless::fallback(draft)}))
        .ensures("the copy can be mounted")
        .undo("delete the copy", [format!("fly volumes destroy COPY_VOLUME -y -a {}", draft.app())])
        .risk(Risk::None)
        .takes(60 + u64::try_from(size).unwrap_or(0) * 8, 6 * 3600)
        .costs(if real { transfer } else { 0.0 }, if real { month } else { 0.0 })
        .under(FREEZE)
        .changes("target-volume/*")
        .command(format!("fly volumes fork {} --region {region} -a {}", mount.volume, draft.app()));
    if real { step } else { step.passing() }
}

/// The parameters of the copy of a Machine with its volumes.
fn copy_params(draft: &Draft<'_>, machine: &MachineInfo) -> Value {
    let volumes: serde_json::Map<String, Value> = machine
        .mounts
        .iter()
        .enumerate()
        .map(|(number, mount)| {
            (mount.path.clone(), reference(&id("fork", machine, number), "volume"))
        })
        .collect();
    let mut params = super::stateless::copy_params(draft, machine);
    params["volumes"] = Value::Object(volumes);
    params["cordoned"] = true.into();
    params["launch"] = true.into();
    params
}

fn holder(draft: &Draft<'_>, machine: &MachineInfo) -> Step {
    let mut params = copy_params(draft, machine);
    params["hold_only"] = true.into();
    let target = &draft.request.target;
    Step::new(
        copy(machine),
        CREATE,
        format!("Machine for {} in {target}, asleep on the copies", machine.id),
    )
    .why("the copy is compared before anything can write to it")
    .params(params)
    .ensures("a Machine with the image and size of the original holds the copies and runs nothing")
    .undo("destroy it", [format!("fly machine destroy --force COPY -a {}", draft.app())])
    .takes(30, 600)
    .costs(0.0, draft.copy_month(machine).unwrap_or(0.0))
    .command(format!(
        "fly machine clone {} --region {target} --attach-volume COPY_VOLUME -a {}",
        machine.id,
        draft.app()
    ))
}

fn reference_machine(
    draft: &Draft<'_>,
    machine: &MachineInfo,
    number: usize,
    mount: &MountInfo,
) -> Step {
    let mut params = copy_params(draft, machine);
    params["hold_only"] = true.into();
    params["region"] = json!(draft.request.source);
    let only = reference(&id("fork-reference", machine, number), "volume");
    let volumes: serde_json::Map<String, Value> =
        std::iter::once((mount.path.clone(), only)).collect();
    params["volumes"] = Value::Object(volumes);
    Step::new(
        id("reference", machine, number),
        CREATE,
        format!("Machine in {} on the reference copy", draft.request.source),
    )
    .why("somebody has to read the reference")
    .params(params)
    .ensures("a Machine that runs nothing holds the reference copy")
    .undo("destroy it", [format!("fly machine destroy --force REFERENCE -a {}", draft.app())])
    .takes(30, 600)
    .under(FREEZE)
    .passing()
}

fn release(draft: &Draft<'_>, machines: &[&MachineInfo]) -> Vec<Step> {
    let app = draft.app().to_owned();
    let ones: Vec<Value> = machines
        .iter()
        .map(|machine| json!({"machine": reference(&copy(machine), "machine"), "copy": copy_params(draft, machine)}))
        .collect();
    let mut steps = vec![
        Step::new(RELEASED, RELEASE, format!("{} new Machines become the app", machines.len()))
            .why("the data is there and compared")
            .params(json!({"machines": ones}))
            .ensures("the app runs on the copies")
            .irreversible("the new side writes from here on; the old volumes fall behind")
            .risk(Risk::DataLoss)
            .takes(30, 600)
            .command(format!("fly machine update COPY --command \"\" -a {app}")),
    ];
    let running: Vec<&MachineInfo> = machines.to_vec();
    steps.push(
        Step::new(
            "healthy-volumes",
            HEALTH,
            format!("{} new Machines with volumes are healthy", running.len()),
        )
        .why("nobody is sent to a Machine that does not work")
        .params(json!({"machines": copies(&running)}))
        .ensures("they run and their checks pass")
        .takes(60, 600)
        .passing(),
    );
    let open: Vec<&MachineInfo> = machines
        .iter()
        .copied()
        .filter(|machine| !machine.services.is_empty() && !machine.cordoned)
        .collect();
    if !open.is_empty() {
        steps.push(
            Step::new(
                "open-volumes",
                UNCORDON,
                format!("{} new Machines with volumes take traffic", open.len()),
            )
            .why("downtime of these Machines ends here")
            .params(json!({"machines": copies(&open)}))
            .ensures("the new Machines are in the proxy's pool")
            .irreversible("the point of no return is passed")
            .risk(Risk::Availability)
            .takes(5, 120)
            .command(format!("fly machine uncordon COPY -a {app}")),
        );
    }
    steps
}

/// The copies are complete, not only mountable: before that the originals must not go.
pub(super) fn hydrated(draft: &Draft<'_>) -> Vec<Step> {
    let machines = draft.live(Kind::Volume);
    let all = mounts(&machines);
    let step = |(machine, number, mount): &(&MachineInfo, usize, &MountInfo)| {
        Step::new(
            id("hydrated", machine, *number),
            HYDRATED,
            format!("the copy of volume {} is complete", mount.name),
        )
        .why("while it is filled it still needs the original")
        .params(json!({"volume": reference(&id("fork", machine, *number), "volume")}))
        .ensures("the copy does not need the original any more")
        .takes(60, 6 * 3600)
        .passing()
    };
    all.iter().map(step).collect()
}
