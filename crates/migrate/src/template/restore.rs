//! Machines with volumes whose host is gone. The volume cannot be copied; what is left is its newest snapshot, and what was written
//! since is lost. That is said and confirmed before anything is made. The old volume is never used again.

use runbook::outputs::reference;
use runbook::plan::Step;
use serde_json::json;

use super::draft::{Draft, copy};
use super::kinds::Kind;
use super::volume::{id, mounts};
use crate::steps::{FILES, REHEARSAL};
use crate::volume::make::MAKE;

/// What the answer is called.
const DATA_LOSS: &str = "data-loss";

/// Asks whether the loss is accepted.
pub(super) fn confirm(draft: &mut Draft<'_>) {
    let machines = draft.lost(Kind::Volume);
    let app = draft.app().to_owned();
    let mut told = Vec::new();
    for (machine, _, mount) in mounts(&machines) {
        let taken = draft.inventory.volume(&mount.volume).and_then(|volume| volume.last_snapshot);
        let Some(at) = taken else { continue };
        let age = draft.request.now.duration_since(at);
        told.push(format!(
            "volume {} of Machine {} is restored from its snapshot of {at}, which is {} h {} min old: everything written since is lost",
            mount.volume,
            machine.id,
            age.as_hours(),
            age.as_mins() % 60
        ));
    }
    if told.is_empty() {
        return;
    }
    let step = Step::new("data-loss", REHEARSAL, "the loss of data is accepted")
        .why("a volume on a host that does not answer cannot be copied (H12)")
        .params(json!({
            "question": DATA_LOSS,
            "text": format!("app {app}: {}", told.join("; ")),
            "how": "wait for the host if you can; to go on without that data, resume with --answer data-loss=accepted",
        }))
        .ensures("a person accepted that what was written since the snapshot is lost");
    draft.warnings.extend(told.into_iter().map(|text| format!("H12: {text}")));
    draft.serial("data-loss", "accept what is lost", vec![step]);
}

/// The volumes from the snapshots. In the place of the copies of volumes that can be read.
pub(super) fn volumes(draft: &Draft<'_>) -> Vec<Step> {
    let (app, target) = (draft.app(), &draft.request.target);
    let machines = draft.lost(Kind::Volume);
    let step = |(machine, number, mount): (
        &crate::inventory::MachineInfo,
        usize,
        &crate::inventory::MountInfo,
    )| {
        let volume = draft.inventory.volume(&mount.volume)?;
        let snapshot = volume.last_snapshot_id.as_ref()?;
        #[expect(clippy::cast_precision_loss, reason = "volumes have at most 500 GB")]
        let month =
            draft.prices.map_or(0.0, |prices| prices.volume_gb_month * volume.size_gb as f64);
        Some(
            Step::new(
                id("fork", machine, number),
                MAKE,
                format!("restore snapshot {snapshot} of volume {} to {target}", volume.name),
            )
            .why("its host does not answer, so it cannot be copied; its id is never used again (H12)")
            .params(json!({
                "name": volume.name,
                "region": target,
                "size_gb": volume.size_gb,
                "snapshot": snapshot,
                "retention_days": volume.retention_days,
            }))
            .ensures("the restored volume can be mounted")
            .undo("delete it", [format!("fly volumes destroy COPY_VOLUME -y -a {app}")])
            .takes(120, 6 * 3600)
            .costs(0.0, month)
            .changes("target-volume/*")
            .command(format!(
                "fly volumes create {} --snapshot-id {snapshot} --region {target} --size {} -y -a {app}",
                volume.name, volume.size_gb
            )),
        )
    };
    mounts(&machines).into_iter().filter_map(step).collect()
}

/// What was restored is looked at: there is nothing to compare it with, but an empty volume is found out.
pub(super) fn checks(draft: &Draft<'_>) -> Vec<Step> {
    let machines = draft.lost(Kind::Volume);
    let step = |(machine, number, mount): (
        &crate::inventory::MachineInfo,
        usize,
        &crate::inventory::MountInfo,
    )| {
        Step::new(
            id("data", machine, number),
            FILES,
            format!("there are files below {} of the restored Machine {}", mount.path, machine.id),
        )
        .why("a Machine with an empty volume passes its health checks")
        .params(json!({"machine": reference(&copy(machine), "machine"), "path": mount.path}))
        .ensures("the restored volume has files; their number and sum are in the journal")
        .passing()
        .takes(60, 3600)
        .command(format!(
            "fly machine exec COPY \"find {} -type f\" -a {}",
            mount.path,
            draft.app()
        ))
    };
    mounts(&machines).into_iter().map(step).collect()
}
