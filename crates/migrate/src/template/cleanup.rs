//! The end of a move: what is left in the old region is destroyed, in a run of its own, later.

use std::collections::BTreeMap;

use fly_types::{MachineId, RegionCode, VolumeId};
use jiff::Timestamp;
use runbook::plan::{Group, NoReturn, OnLoss, Plan, Risk, SessionSpec, Step};
use runbook::sealed::SealedPlan;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::PlanError;
use crate::inventory::facts::{Scope, facts};
use crate::inventory::{Inventory, MachineInfo, VolumeInfo};
use crate::leases::{LEASES, TTL_SECONDS};
use crate::steps::{DESTROY, DESTROY_VOLUME, HEALTH, IN_SYNC, RELEASE_EGRESS};

/// Name of the runbook that cleans up.
pub const RUNBOOK: &str = "region-cleanup";

/// Makes the plan that destroys what a finished move left behind: exactly the Machines and volumes that the move's plan knew, and only
/// those that rest.
///
/// # Errors
/// A [`PlanError`] if there is nothing left, or an old Machine runs again.
pub fn cleanup(
    moved: &Plan,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<SealedPlan, PlanError> {
    if moved.runbook != super::RUNBOOK {
        return Err(blocked(
            inventory,
            &format!(
                "this run is no move but a {}: it left nothing in an old region",
                moved.runbook
            ),
            "a shrink of a volume has `fly-migrate volume cleanup RUN`",
        ));
    }
    let known = moved.inputs.get("inventory").and_then(|value| Inventory::deserialize(value).ok());
    let scope = moved.inputs.get("scope").and_then(|value| Scope::deserialize(value).ok());
    let (Some(known), Some(scope)) = (known, scope) else {
        return Err(blocked(
            inventory,
            "the plan of the move holds no inventory",
            "clean up by hand",
        ));
    };
    let old: Vec<&MachineInfo> = known
        .in_region(&scope.source)
        .filter_map(|machine| inventory.machine(&machine.id))
        .collect();
    // One whose host is gone could not be stopped; its state is the last that was known.
    if let Some(running) = old.iter().find(|machine| machine.runs() && machine.reachable()) {
        return Err(blocked(
            inventory,
            &format!("old Machine {} is {}: it may be in use again", running.id, running.state),
            &format!(
                "look why; `fly machine stop {} -a {}` if it is not needed",
                running.id, inventory.app
            ),
        ));
    }
    // By their Machine, too: a host migration changes ids.
    let machines: Vec<&MachineId> = old.iter().map(|machine| &machine.id).collect();
    let before: Vec<&VolumeId> = known
        .volumes
        .iter()
        .filter(|volume| volume.region == scope.source && volume.attached.is_some())
        .map(|volume| &volume.id)
        .collect();
    let volumes: Vec<_> = inventory
        .volumes
        .iter()
        .filter(|volume| volume.region == scope.source)
        .filter(|volume| {
            before.contains(&&volume.id)
                || volume.attached.as_ref().is_some_and(|id| machines.contains(&id))
        })
        .collect();
    if machines.is_empty() && volumes.is_empty() {
        return Err(PlanError::Nothing {
            app: inventory.app.to_string(),
            region: scope.source,
            elsewhere: "nothing is left to clean up".to_owned(),
        });
    }
    let fresh: Vec<&MachineId> = inventory
        .machines
        .iter()
        .filter(|machine| {
            machine.metadata.get(crate::inventory::facts::PLAN) == Some(&scope.mark)
                && machine.runs()
        })
        .map(|machine| &machine.id)
        .collect();
    let gone: Vec<&MachineId> =
        old.iter().filter(|machine| !machine.reachable()).map(|machine| &machine.id).collect();
    let app = &inventory.app;
    whole(inventory, &scope, &old)?;
    let mut steps = vec![
        Step::new("healthy", HEALTH, format!("{} new Machines are healthy", fresh.len()))
            .why("the old ones are the way back until now")
            .params(json!({"machines": fresh}))
            .ensures("the new side works")
            .passing(),
    ];
    let nodes: Vec<&MachineId> = inventory
        .machines
        .iter()
        .filter(|machine| {
            fresh.contains(&&machine.id) && super::kinds::kind(machine) == super::Kind::Replica
        })
        .map(|machine| &machine.id)
        .collect();
    if let Some(led) = moved.step(&"led".into()).filter(|_| !nodes.is_empty()) {
        steps.push(
            Step::new("cluster", IN_SYNC, format!("{} new nodes do without the old ones", nodes.len()))
                .why("the old nodes are the way back until now")
                .params(json!({"members": nodes, "folder": led.params["folder"], "target": scope.target, "led": true}))
                .ensures("the new nodes follow one primary among them")
                .takes(10, 600)
                .passing(),
        );
    }
    let mut first = None;
    if !machines.is_empty() {
        let step = machines_step(app.as_str(), &scope.source, &machines, &gone);
        first = Some(step.id.clone());
        steps.push(step);
    }
    for volume in &volumes {
        let step = volume_step(app.as_str(), volume);
        first.get_or_insert_with(|| step.id.clone());
        steps.push(step);
    }
    if let Some(step) = addresses(inventory, &known, &scope, &machines) {
        first.get_or_insert_with(|| step.id.clone());
        steps.push(step);
    }
    let mut inputs: BTreeMap<String, Value> = BTreeMap::new();
    inputs.insert("scope".to_owned(), json!(scope));
    inputs.insert("inventory".to_owned(), json!(inventory));
    // A host that does not answer gives no lease.
    let leasable: Vec<&&MachineId> = machines.iter().filter(|id| !gone.contains(*id)).collect();
    let leased = !machines.is_empty();
    let mut groups = vec![Group::serial("cleanup", "clean up", steps)];
    super::cost::round(&mut groups);
    let plan = Plan {
        runbook: RUNBOOK.to_owned(),
        tool: concat!("fly-migrate ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: now,
        target: moved.target.clone(),
        summary: format!("destroy what the move of app {app} left in {}", scope.source),
        inputs,
        facts: facts(inventory, &scope),
        sessions: if leased {
            vec![SessionSpec {
                id: LEASES.into(),
                kind: LEASES.to_owned(),
                params: json!({"machines": leasable}),
                ttl_seconds: TTL_SECONDS,
                on_loss: OnLoss::Reobserve,
            }]
        } else {
            Vec::new()
        },
        groups,
        point_of_no_return: first
            .map(|step| NoReturn { step, way_forward: "resume: destroy the rest".to_owned() }),
        warnings: Vec::new(),
    };
    SealedPlan::seal(plan).map_err(PlanError::Unsound)
}

/// Destroys old Machines; `gone` are those whose host does not answer.
pub(super) fn machines_step(
    app: &str,
    source: &RegionCode,
    machines: &[&MachineId],
    gone: &[&MachineId],
) -> Step {
    let step = Step::new(
        "destroy",
        DESTROY,
        format!("{} old Machines in {source} are destroyed", machines.len()),
    )
    .why("they rest since the move and are not needed any more")
    .params(json!({"machines": machines, "force": gone}))
    .ensures(
        "the old Machines are gone; one whose host does not answer is destroyed when it is back",
    )
    .irreversible("a Machine that was destroyed is gone")
    .risk(Risk::DataLoss)
    .takes(30, 600)
    .changes("machine/*")
    .session(LEASES);
    machines.iter().map(|id| format!("fly machine destroy {id} -a {app}")).fold(step, Step::command)
}

/// Destroys an old volume.
pub(super) fn volume_step(app: &str, volume: &VolumeInfo) -> Step {
    #[expect(clippy::cast_precision_loss, reason = "volumes have at most 500 GB")]
    let saved = crate::prices::Prices::embedded()
        .map_or(0.0, |prices| prices.volume_gb_month * volume.size_gb as f64);
    Step::new(
        format!("destroy-{}", volume.id).replace('_', "-"),
        DESTROY_VOLUME,
        format!("old volume {} ({} GB) is destroyed", volume.name, volume.size_gb),
    )
    .why("it is billed as long as it exists")
    .params(json!({"volume": volume.id}))
    .ensures("the volume is on its way out; its snapshots stay for the days that it says")
    .irreversible(format!(
        "after 24 hours only its snapshots are left, for {} days",
        volume.retention_days
    ))
    .risk(Risk::DataLoss)
    .takes(10, 600)
    .costs(0.0, -saved)
    .changes("machine/*")
    .command(format!("fly volumes destroy {} -y -a {app}", volume.id))
}

/// Every process group that loses Machines has some that the move made, so that none passes through zero: a deploy would start a group
/// without Machines anew, at the smallest size.
fn whole(inventory: &Inventory, scope: &Scope, old: &[&MachineInfo]) -> Result<(), PlanError> {
    for machine in old {
        let stays = |other: &&MachineInfo| {
            other.group == machine.group && !old.iter().any(|one| one.id == other.id)
        };
        if !inventory.machines.iter().any(|other| stays(&other)) {
            let group = machine.group.as_deref().unwrap_or("without a name");
            return Err(PlanError::Blocked {
                app: inventory.app.to_string(),
                problems: vec![super::Blocked {
                    hazard: Some("H19"),
                    what: format!(
                        "Machine {} is the last one of process group {group}",
                        machine.id
                    ),
                    todo: format!("look why its copy in {} is gone, and move again", scope.target),
                }],
            });
        }
    }
    Ok(())
}

/// The last step: egress addresses of a region without Machines.
pub(super) fn addresses(
    inventory: &Inventory,
    known: &Inventory,
    scope: &Scope,
    old: &[&MachineId],
) -> Option<Step> {
    let others = inventory.in_region(&scope.source).any(|machine| !old.contains(&&machine.id));
    let known: Vec<&str> = known
        .addresses
        .iter()
        .filter(|one| {
            one.is_egress() && one.machine.is_none() && one.region == scope.source.as_str()
        })
        .filter(|one| inventory.addresses.iter().any(|now| now.ip == one.ip))
        .map(|one| one.ip.as_str())
        .collect();
    if others || known.is_empty() {
        return None;
    }
    let month = crate::prices::Prices::embedded().map_or(0.0, |prices| prices.egress_pair_month);
    let step = Step::new(
        "release-egress",
        RELEASE_EGRESS,
        format!("old egress addresses {} are given back", known.join(" and ")),
    )
    .why("nothing in that region uses them any more, and they cost money")
    .params(json!({"addresses": known}))
    .ensures("the addresses are released; the new ones stay")
    .irreversible("a released address is lost: whoever gets it next comes from it")
    .risk(Risk::Availability)
    .takes(10, 300)
    .costs(0.0, -month)
    .changes(format!("egress/{}", scope.source));
    Some(known.iter().fold(step, |step, ip| {
        step.command(format!("fly ips release-egress {ip} -a {}", inventory.app))
    }))
}

fn blocked(inventory: &Inventory, what: &str, todo: &str) -> PlanError {
    PlanError::Blocked {
        app: inventory.app.to_string(),
        problems: vec![super::Blocked {
            hazard: Some("H09"),
            what: what.to_owned(),
            todo: todo.to_owned(),
        }],
    }
}
