//! Standbys name the Machines for which they wait, so those of Machines that moved have to name the copies.

use runbook::outputs::reference;
use runbook::plan::Step;
use serde_json::{Value, json};

use super::draft::{Draft, copy};
use super::kinds::{Kind, kind};
use crate::inventory::MachineInfo;
use crate::steps::STANDBY;

/// Their list, with the copies in the place of what moved.
fn waits_for(draft: &Draft<'_>, machine: &MachineInfo) -> Vec<Value> {
    let source = &draft.request.source;
    machine
        .standbys
        .iter()
        .map(|id| match draft.inventory.machine(id) {
            Some(other) if &other.region == source && kind(other) != Kind::Standby => {
                reference(&copy(other), "machine")
            }
            _ => json!(id),
        })
        .collect()
}

/// New standbys in the target, and those elsewhere that wait for what moved.
pub(super) fn build(draft: &mut Draft<'_>) {
    let source = &draft.request.source;
    let moved = |machine: &MachineInfo| {
        let mut steps = machine.standbys.iter().filter_map(|id| draft.inventory.machine(id));
        steps.any(|other| &other.region == source)
    };
    let fresh = |machine: &&MachineInfo| {
        let mut step = super::stateless::create(draft, machine, machine.cordoned, false);
        step.params["standbys"] = Value::Array(waits_for(draft, machine));
        step
    };
    let mut steps: Vec<Step> = draft.of(Kind::Standby).iter().map(fresh).collect();
    let elsewhere = draft.inventory.machines.iter().filter(|machine| &machine.region != source);
    for machine in elsewhere.filter(|machine| moved(machine)) {
        let list: Vec<&str> = machine.standbys.iter().map(fly_types::MachineId::as_str).collect();
        let step = Step::new(
            format!("standby-{}", machine.id.as_str().to_ascii_lowercase()),
            STANDBY,
            format!("standby {} in {} waits for the copies", machine.id, machine.region),
        )
        .why("it would go on waiting for Machines that do not serve any more")
        .params(json!({"machine": machine.id, "of": waits_for(draft, machine)}))
        .ensures("it names the Machines that serve now")
        .undo(
            "name the old ones",
            [format!(
                "fly machine update {} --standby-for {} --skip-start -y -a {}",
                machine.id,
                list.join(","),
                draft.app()
            )],
        )
        .takes(10, 120)
        .changes(format!("machine/{}/config", machine.id))
        .command(format!(
            "fly machine update {} --standby-for COPY --skip-start -y -a {}",
            machine.id,
            draft.app()
        ));
        steps.push(step);
    }
    draft.serial("standbys", "new standbys", steps);
}
