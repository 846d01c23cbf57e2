//! Machines with a schedule. The copy is made early and without it; then the schedule goes over in one step, so that no run happens twice.

use runbook::outputs::reference;
use runbook::plan::{Risk, Step};
use serde_json::{Value, json};

use super::commands::clone;
use super::draft::{Draft, copy};
use super::kinds::Kind;
use crate::inventory::MachineInfo;
use crate::leases::LEASES;
use crate::steps::SCHEDULE;

/// Takes a schedule away by hand: flyctl does not look at an empty `--schedule`.
fn unscheduled(machine: &str, app: &str) -> String {
    format!(
        "fly machine update {machine} --machine-config '{{\"schedule\": \"\"}}' --skip-start -y -a {app}"
    )
}

/// The copies.
pub(super) fn copies(draft: &Draft<'_>) -> Vec<Step> {
    let target = &draft.request.target;
    let one = |machine: &&MachineInfo| {
        let mut step = super::stateless::create(draft, machine, machine.cordoned, false);
        step.params["without_schedule"] = true.into();
        step.title = format!(
            "copy Machine {} ({}) to {target}, without its schedule",
            machine.id,
            machine.size()
        );
        step.commands = vec![clone(draft.app(), machine, target), unscheduled("COPY", draft.app())];
        step
    };
    draft.of(Kind::Scheduled).iter().map(one).collect()
}

/// The step that moves the schedules.
pub(super) fn build(draft: &mut Draft<'_>) {
    let machines = draft.of(Kind::Scheduled);
    if machines.is_empty() {
        return;
    }
    let app = draft.app().to_owned();
    for machine in &machines {
        let word = machine.schedule.as_deref().unwrap_or_default();
        let due = machine
            .started_at
            .zip(crate::steps::period(word))
            .and_then(|(last, period)| last.checked_add(period).ok());
        let when = match (machine.started_at, due) {
            (Some(last), Some(due)) => {
                format!("it was last started at {last}, the next run is due about {due}")
            }
            _ => "when it last ran is not known".to_owned(),
        };
        draft.warnings.push(format!(
            "Machine {} runs {word}: {when}. A run that falls into the move of the schedule is missed, and the platform does not say when the copy runs first: `fly machine start COPY -a {app}` runs it by hand",
            machine.id
        ));
    }
    let list: Vec<Value> = machines
        .iter()
        .map(|machine| {
            json!({
                "source": machine.id,
                "copy": reference(&copy(machine), "machine"),
                "schedule": machine.schedule,
                "last": machine.started_at,
            })
        })
        .collect();
    let undo = machines.iter().map(|machine| {
        let word = machine.schedule.as_deref().unwrap_or_default();
        format!("fly machine update {} --schedule {word} --skip-start -y -a {app}", machine.id)
    });
    let mut step = Step::new(
        "schedules",
        SCHEDULE,
        format!("{} schedules go to the copies", machines.len()),
    )
    .why("a schedule on both sides would do the work twice; a run that is under way is waited for")
    .params(json!({"machines": list}))
    .ensures("the copies have the schedules, the old Machines have none")
    .undo("give them back", undo)
    .risk(Risk::Availability)
    .takes(30, 3600)
    .session(LEASES);
    for machine in &machines {
        let word = machine.schedule.as_deref().unwrap_or_default();
        step = step
            .changes(format!("machine/{}/config", machine.id))
            .command(unscheduled(machine.id.as_str(), &app))
            .command(format!("fly machine update COPY --schedule {word} --skip-start -y -a {app}"));
    }
    draft.serial("schedules", "move the schedules", vec![step]);
}
