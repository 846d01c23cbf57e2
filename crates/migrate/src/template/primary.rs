//! The primary region moves with the data: Machines of other regions are told once the new side serves (hazard H05).

use runbook::plan::{Risk, Step};
use serde_json::json;

use super::draft::{Draft, ids};
use crate::guards::Hazard;
use crate::inventory::MachineInfo;
use crate::steps::SWITCH;

/// The step, before the cutover if the guard is off, after it otherwise.
pub(super) fn build(draft: &mut Draft<'_>, before_cutover: bool) {
    let guarded = Hazard::parse("H05").is_none_or(|h05| draft.request.options.guards.on(h05));
    if before_cutover == guarded {
        return;
    }
    let (source, target) = (draft.request.source.clone(), draft.request.target.clone());
    let others: Vec<&MachineInfo> = draft
        .inventory
        .machines
        .iter()
        .filter(|machine| machine.region != source && machine.reachable() && !machine.incomplete)
        .filter(|machine| machine.primary_region.as_deref() == Some(source.as_str()))
        .collect();
    if others.is_empty() {
        return;
    }
    let app = draft.app().to_owned();
    let by_hand = |region: &str| {
        let line = |machine: &&MachineInfo| {
            format!(
                "fly machine update {} --env PRIMARY_REGION={region} --yes -a {app}",
                machine.id
            )
        };
        others.iter().map(line).collect::<Vec<_>>()
    };
    let mut step = Step::new(
        "primary",
        SWITCH,
        format!("PRIMARY_REGION of {} Machines in other regions becomes {target}", others.len()),
    )
    .why("they send writes to the primary region: to the old one as long as that served (H05)")
    .params(json!({"machines": ids(&others), "from": source, "to": target}))
    .ensures(format!("every Machine of the app that named {source} names {target}"))
    .undo("the old value, one after the other", by_hand(source.as_str()))
    .risk(Risk::Availability)
    .takes(30 * u64::try_from(others.len()).unwrap_or(1), 3600);
    for machine in &others {
        step = step.changes(format!("machine/{}/primary_region", machine.id));
    }
    step = by_hand(target.as_str()).into_iter().fold(step, Step::command);
    draft.serial("primary", "tell the other regions", vec![step]);
}
