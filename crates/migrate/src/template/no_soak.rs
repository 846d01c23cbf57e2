//! `--no-soak`: the run that cuts over destroys the old side, too. Only on request, and only for an approval with the app's name typed:
//! the first thing that is destroyed is a point of no return.

use fly_types::MachineId;
use runbook::plan::{NoReturn, Step};
use serde_json::json;

use super::cleanup::{addresses, machines_step, volume_step};
use super::draft::Draft;
use crate::inventory::MachineInfo;
use crate::steps::ACCOUNTED;

/// Adds the last group, after everything was watched and accounted for.
pub(super) fn build(draft: &mut Draft<'_>) {
    let (inventory, source) = (draft.inventory, &draft.request.source);
    let old: Vec<&MachineInfo> = inventory.in_region(source).collect();
    let machines: Vec<&MachineId> = old.iter().map(|machine| &machine.id).collect();
    let gone: Vec<&MachineId> =
        old.iter().filter(|machine| !machine.reachable()).map(|machine| &machine.id).collect();
    let (attached, free): (Vec<_>, Vec<_>) = inventory
        .volumes
        .iter()
        .filter(|volume| &volume.region == source)
        .partition(|volume| volume.attached.is_some());
    let app = draft.app();
    let mut steps = vec![machines_step(app, source, &machines, &gone)];
    steps.extend(attached.into_iter().map(|volume| volume_step(app, volume)));
    steps.extend(addresses(inventory, inventory, draft.scope, &machines));
    let left: Vec<_> = free.iter().map(|volume| &volume.id).collect();
    // A host migration may have given a volume another id meanwhile; then it is still there.
    steps.push(
        Step::new("nothing-left", ACCOUNTED, format!("nothing of this app is left in {source}"))
            .why("what is forgotten goes on costing money (H09)")
            .params(json!({"region": source, "mark": draft.scope.mark, "machines": gone, "volumes": left}))
            .ensures("only volumes that no Machine had before the move are left in the old region"),
    );
    if draft.no_return.is_none() {
        draft.no_return = Some(NoReturn {
            step: "destroy".into(),
            way_forward: format!(
                "the old side is being destroyed: resume; to go back, plan a move from {} to {source}",
                draft.request.target
            ),
        });
    }
    draft.warnings.push(
        "H09: --no-soak: the old Machines and volumes are destroyed in this run, so there is no old side to go back to; of volumes their snapshots are left".to_owned(),
    );
    draft.serial("no-soak", "destroy the old side", steps);
}
