//! `shrink`: volumes only grow, so a smaller one is a new one with the same files, and a new Machine on it. The old ones are kept.

use runbook::outputs::reference;
use runbook::plan::{Group, NoReturn, OnLoss, SessionSpec, Step};
use serde_json::json;

use super::copy::{COPY, FULL_PERCENT};
use super::job::{JobError, Request};
use super::make::DROP;
use super::parts::{New, OUTAGE, documented, guest, make, reachable, size};
use super::plan::Parts;
use super::probe::MOUNTED;
use super::snapshot::SNAPSHOT;
use crate::inventory::{MachineInfo, VolumeInfo};
use crate::leases::{LEASES, TTL_SECONDS};
use crate::steps::{CORDON, CREATE, HEALTH, STOP, UNCORDON};

pub(super) fn shrink(
    request: &Request<'_>,
    mark: &str,
    volume: &VolumeInfo,
    size_gb: i64,
) -> Result<Parts, JobError> {
    let app = request.inventory.app.as_str();
    size(size_gb)?;
    if size_gb >= volume.size_gb {
        return Err(JobError::input(
            format!(
                "volume {} has {} GB, and {size_gb} GB is not smaller",
                volume.id, volume.size_gb
            ),
            format!("growing needs no copy: fly volumes extend {} --size GB -a {app}", volume.id),
        ));
    }
    if let Some(used) = volume.used_bytes
        && used > (size_gb << 30) / 100 * FULL_PERCENT
    {
        return Err(JobError::state(
            format!(
                "volume {} of app {app} holds {} MB, which does not fit into {size_gb} GB: at most {FULL_PERCENT} % may be used",
                volume.id,
                used >> 20
            ),
            "choose a larger --size, or delete files first",
        ));
    }
    reachable(volume, app)?;
    request.regions.target(&volume.region)?;
    let machine = match &volume.attached {
        None => None,
        Some(id) => Some(usable(request, id)?),
    };
    let mut warnings = vec![
        "owners and modes of files are kept by tar; holes in sparse files and extended attributes are not".to_owned(),
        "while it copies, a helper Machine listens on the private network of the organization".to_owned(),
    ];
    let parts = match machine {
        None => detached(request, mark, volume, size_gb),
        Some(machine) => {
            warnings.push(format!(
                "Machine {} is stopped until its successor runs; at the end it is kept, stopped and cordoned, with the old volume: when you are sure, `fly-migrate volume cleanup RUN`",
                machine.id
            ));
            attached(request, mark, volume, machine, size_gb)
        }
    };
    Ok(Parts {
        summary: format!(
            "shrink volume {} of app {app} from {} to {size_gb} GB",
            volume.id, volume.size_gb
        ),
        region: volume.region.clone(),
        source: volume.region.clone(),
        warnings,
        ..parts
    })
}

/// The Machine of the volume, if it can be replaced by a copy.
fn usable<'a>(
    request: &Request<'a>,
    id: &fly_types::MachineId,
) -> Result<&'a MachineInfo, JobError> {
    let app = &request.inventory.app;
    let machine = request.inventory.machine(id).ok_or_else(|| {
        JobError::state(
            format!("the volume is attached to Machine {id}, which app {app} does not show"),
            "wait until its destruction is complete, then plan again",
        )
    })?;
    if machine.incomplete || machine.host_status != "ok" {
        return Err(JobError::state(
            format!(
                "the host of Machine {id} is {}, so its configuration cannot be copied",
                machine.host_status
            ),
            format!("wait for it: fly incidents hosts list -a {app}"),
        ));
    }
    if machine.image.contains("flyio/postgres") {
        return Err(JobError::state(
            format!("Machine {id} is a member of a Postgres cluster"),
            "add a member with a smaller volume and remove this one; a copy of its files is no member",
        ));
    }
    if !machine.standbys.is_empty() || machine.mounts.len() != 1 {
        return Err(JobError::state(
            format!("Machine {id} is a standby or has not exactly one mount"),
            "remove the standby (`fly machine update ID --standby-for ''`) and add it again afterwards",
        ));
    }
    Ok(machine)
}

fn copy(
    request: &Request<'_>,
    mark: &str,
    from: &serde_json::Value,
    region: &fly_types::RegionCode,
) -> Step {
    let app = &request.inventory.app;
    Step::new("copy", COPY, "copy all files and compare them")
        .why("the only way to a smaller volume; what does not fit, or differs, stops here")
        .params(json!({
            "mark": mark,
            "region": region,
            "from": from,
            "to": reference(&"new-volume".into(), "volume"),
            "image": request.image,
        }))
        .ensures("the files of both volumes are the same, and the helper Machines are gone")
        .passing()
        .undo("helper Machines that were left are destroyed", vec![format!("fly machine destroy --force MACHINE -a {app}")])
        .takes(300, 3600)
        .changes("target-volume/*")
        .command(format!("fly machine run {} --volume NEW:/flyops --region {region} --shell -a {app}   # receiver: nc -l -p 7400 | tar -C /flyops -xf -", request.image))
        .command(format!("fly machine run {} --volume OLD:/flyops --region {region} --shell -a {app}   # sender: tar -C /flyops -cf - . | nc -w 60 RECEIVER 7400", request.image))
}

fn snapshot(volume: &VolumeInfo, app: &str) -> Step {
    Step::new("snapshot", SNAPSHOT, format!("take a snapshot of volume {}", volume.id))
        .why("a backup as young as can be, before anything is touched")
        .params(json!({"volume": volume.id}))
        .ensures("a finished snapshot; it is left to expire")
        .passing()
        .takes(60, 1800)
        .command(format!("fly volumes snapshots create {} -a {app}", volume.id))
}

fn new_of(volume: &VolumeInfo, size_gb: i64) -> New {
    New { name: volume.name.clone(), region: volume.region.clone(), size_gb }
}

fn detached(request: &Request<'_>, mark: &str, volume: &VolumeInfo, size_gb: i64) -> Parts {
    let app = request.inventory.app.as_str();
    let new = new_of(volume, size_gb);
    Parts {
        summary: String::new(),
        region: volume.region.clone(),
        source: volume.region.clone(),
        groups: vec![
            Group::serial("gates", "checklist", vec![documented(app), snapshot(volume, app)]),
            Group::serial(
                "copy",
                "copy",
                vec![
                    make(
                        "new-volume",
                        app,
                        &new,
                        json!({"retention_days": volume.retention_days}),
                        Some(&super::helper::guest()),
                    ),
                    copy(request, mark, &json!(volume.id), &volume.region),
                ],
            ),
        ],
        sessions: Vec::new(),
        no_return: None,
        warnings: Vec::new(),
    }
}

fn attached(
    request: &Request<'_>,
    mark: &str,
    volume: &VolumeInfo,
    machine: &MachineInfo,
    size_gb: i64,
) -> Parts {
    let (app, id) = (request.inventory.app.as_str(), &machine.id);
    let new = new_of(volume, size_gb);
    let temporary = New { name: "flyops_copy".to_owned(), ..new_of(volume, volume.size_gb) };
    let path = machine.mounts[0].path.clone();
    let stop = Step::new("stop", STOP, format!("stop Machine {id}"))
        .why("what is written during the copy would be lost")
        .params(json!({"machines": [id], "stop_seconds": machine.stop_seconds}))
        .ensures("the Machine stands still, its files are on the disk")
        .passing()
        .undo(
            format!("Machine {id} is started, if it ran"),
            vec![format!("fly machine start {id} -a {app}")],
        )
        .risk(OUTAGE)
        .takes(10, 600)
        .session(LEASES)
        .hold("successor", None)
        .command(format!("fly machine stop {id} -a {app}"));
    let frozen = vec![
        stop,
        make(
            "old-copy",
            app,
            &temporary,
            json!({"fork": volume.id}),
            Some(&super::helper::guest()),
        )
        .under("stop")
        .passing(),
        make(
            "new-volume",
            app,
            &new,
            json!({"retention_days": volume.retention_days}),
            Some(&guest(machine)),
        )
        .under("stop"),
        copy(request, mark, &reference(&"old-copy".into(), "volume"), &volume.region).under("stop"),
    ];
    let successor = reference(&"successor".into(), "machine");
    let serves = !machine.services.is_empty();
    let runs = machine.runs();
    let final_step =
        |step: Step| step.irreversible("the successor may have written on the new volume");
    let mut swap = vec![final_step(
        Step::new("successor", CREATE, format!("make a copy of Machine {id} on the new volume"))
            .why("an existing Machine cannot be given another volume")
            .params(json!({
                "source": id,
                "config": machine.config,
                "image": machine.image,
                "region": machine.region,
                "mark": mark,
                "cordoned": serves,
                "launch": runs,
                "volumes": {path.clone(): reference(&"new-volume".into(), "volume")},
            }))
            .ensures("the successor exists, with the new volume")
            .risk(OUTAGE)
            .takes(30, 600)
            .changes("target-volume/*")
            .command(format!(
                "fly machine clone {id} --attach-volume NEW:{path} --region {} -a {app}",
                machine.region
            )),
    )];
    if runs {
        swap.push(
            Step::new("mounted", MOUNTED, format!("{path} is mounted in the successor"))
                .why("an app that writes beside its mount loses everything with its Machine")
                .params(json!({"machine": successor, "path": path}))
                .ensures("df in the Machine shows the mount")
                .passing()
                .takes(10, 60)
                .command(format!("fly ssh console -a {app} --machine MACHINE -C 'df -Pk {path}'")),
        );
        swap.push(
            Step::new("healthy", HEALTH, "the successor is healthy")
                .params(json!({"machines": [successor]}))
                .ensures("all of its checks pass")
                .passing()
                .takes(60, 600),
        );
    }
    if serves {
        swap.push(final_step(
            Step::new("uncordon", UNCORDON, "the successor takes traffic")
                .params(json!({"machines": [successor]}))
                .ensures("the proxy uses it")
                .command(format!("fly machine uncordon MACHINE -a {app}")),
        ));
        swap.push(final_step(
            Step::new("cordon", CORDON, format!("Machine {id} is taken out of the proxy's pool"))
                .why("the proxy would start it again, with the old files")
                .params(json!({"machines": [id], "behind": [[successor]]}))
                .ensures("the proxy does not use it")
                .session(LEASES)
                .command(format!("fly machine cordon {id} -a {app}")),
        ));
    }
    swap.push(final_step(
        Step::new("drop-copy", DROP, "delete the temporary copy")
            .why("it costs money and serves nobody")
            .params(json!({"volume": reference(&"old-copy".into(), "volume")}))
            .ensures("the temporary copy is gone; the old volume is still there")
            .takes(10, 300)
            .changes("target-volume/*")
            .command(format!("fly volumes destroy OLD_COPY -a {app}")),
    ));
    Parts {
        summary: String::new(),
        region: volume.region.clone(),
        source: volume.region.clone(),
        groups: vec![
            Group::serial("gates", "checklist", vec![documented(app), snapshot(volume, app)]),
            Group::serial("copy", "stop and copy", frozen),
            Group::serial("swap", "swap", swap),
        ],
        sessions: vec![SessionSpec {
            id: LEASES.into(),
            kind: LEASES.to_owned(),
            params: json!({"machines": [id]}),
            ttl_seconds: TTL_SECONDS,
            on_loss: OnLoss::Reobserve,
        }],
        no_return: Some(NoReturn {
            step: "successor".into(),
            way_forward: format!(
                "the old Machine {id} and volume {} are kept: to go back, stop the successor, `fly machine start {id} -a {app}`, `fly machine uncordon {id} -a {app}`; what the successor wrote is then not there",
                volume.id
            ),
        }),
        warnings: Vec::new(),
    }
}
