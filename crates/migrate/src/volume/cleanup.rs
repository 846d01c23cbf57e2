//! `cleanup`: what a finished shrink kept, the old volume and the Machine that has it, is destroyed, in a run of its own.

use std::collections::BTreeMap;

use fly_types::{MachineId, VolumeId};
use jiff::Timestamp;
use runbook::outputs::Outputs;
use runbook::plan::{Group, NoReturn, OnLoss, Plan, Risk, SessionSpec, Step};
use runbook::sealed::SealedPlan;
use serde::Deserialize as _;
use serde_json::json;

use super::job::{Job, JobError};
use super::parts::monthly;
use crate::inventory::facts::{PLAN, Scope, facts};
use crate::inventory::{Inventory, MachineInfo};
use crate::leases::{LEASES, TTL_SECONDS};
use crate::steps::{DESTROY, DESTROY_VOLUME, HEALTH};

/// Name of the runbook.
pub const RUNBOOK: &str = "volume-cleanup";
/// Input of a plan that says which job it is.
pub(super) const JOB: &str = "job";

/// Makes the plan that destroys what a finished shrink kept. `made` is what its step `new-volume` left.
///
/// # Errors
/// A [`JobError`]: the run was no shrink, the new side is not in use, the old one is, or nothing is left.
pub fn cleanup(
    done: &Plan,
    made: &Outputs,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<SealedPlan, JobError> {
    let app = inventory.app.as_str();
    let job = done.inputs.get(JOB).and_then(|value| Job::deserialize(value).ok());
    let known = done.inputs.get("inventory").and_then(|value| Inventory::deserialize(value).ok());
    let scope = done.inputs.get("scope").and_then(|value| Scope::deserialize(value).ok());
    let (Some(Job::Shrink { volume: old, .. }), Some(known), Some(scope)) = (job, known, scope)
    else {
        return Err(JobError::state(
            "only a shrink leaves something to clean up",
            "a move has `fly-migrate region cleanup RUN`",
        ));
    };
    let owner = known.volume(&old).and_then(|volume| volume.attached.as_ref());
    let machine = owner.and_then(|id| inventory.machine(id));
    if let Some(machine) = machine.filter(|machine| machine.runs()) {
        return Err(JobError::state(
            format!(
                "old Machine {} of app {app} is {}: it may be in use again",
                machine.id, machine.state
            ),
            format!("look why; `fly machine stop {} -a {app}` if it is not needed", machine.id),
        ));
    }
    let fresh = in_use(inventory, made, &scope, owner.is_some())?;
    let old = inventory.volume(&old).or_else(|| {
        // A host migration changes ids: by its Machine.
        let mount = machine?.mounts.first()?;
        inventory.volume(&mount.volume)
    });
    let mut steps = Vec::new();
    if let Some(machine) = fresh.filter(|machine| machine.runs()) {
        steps.push(
            Step::new(
                "healthy",
                HEALTH,
                format!("Machine {} on the new volume is healthy", machine.id),
            )
            .why("the old one is the way back until now")
            .params(json!({"machines": [machine.id]}))
            .ensures("the new side works")
            .takes(30, 300)
            .passing(),
        );
    }
    let kept = steps.len();
    if let Some(machine) = machine {
        steps.push(
            Step::new(
                "destroy-machine",
                DESTROY,
                format!("old Machine {} is destroyed", machine.id),
            )
            .why("it rests since the shrink")
            .params(json!({"machines": [machine.id]}))
            .ensures("the old Machine is gone")
            .irreversible("a Machine that was destroyed is gone")
            .risk(Risk::DataLoss)
            .takes(30, 600)
            .changes("machine/*")
            .session(LEASES)
            .command(format!("fly machine destroy {} -a {app}", machine.id)),
        );
    }
    if let Some(volume) = old {
        steps.push(
            Step::new(
                "destroy-volume",
                DESTROY_VOLUME,
                format!("old volume {} ({} GB) is destroyed", volume.id, volume.size_gb),
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
            .costs(0.0, -monthly(volume.size_gb))
            .changes("machine/*")
            .changes("target-volume/*")
            .command(format!("fly volumes destroy {} -y -a {app}", volume.id)),
        );
    }
    let Some(first) = steps.get(kept).map(|step| step.id.clone()) else {
        return Err(JobError::state(
            format!("nothing of the shrink is left in app {app}"),
            "it was cleaned up already",
        ));
    };
    let leased: Vec<&MachineId> = machine.iter().map(|machine| &machine.id).collect();
    let plan = Plan {
        runbook: RUNBOOK.to_owned(),
        tool: concat!("fly-migrate ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at: now,
        target: done.target.clone(),
        summary: format!("destroy what a shrink of app {app} kept in {}", scope.source),
        inputs: BTreeMap::from([
            ("scope".to_owned(), json!(scope)),
            ("inventory".to_owned(), json!(inventory)),
        ]),
        facts: facts(inventory, &scope),
        sessions: leases(&leased),
        groups: vec![Group::serial("cleanup", "clean up", steps)],
        point_of_no_return: Some(NoReturn {
            step: first,
            way_forward: "resume: destroy the rest".to_owned(),
        }),
        warnings: Vec::new(),
    };
    SealedPlan::seal(plan).map_err(JobError::Unsound)
}

fn leases(machines: &[&MachineId]) -> Vec<SessionSpec> {
    if machines.is_empty() {
        return Vec::new();
    }
    vec![SessionSpec {
        id: LEASES.into(),
        kind: LEASES.to_owned(),
        params: json!({"machines": machines}),
        ttl_seconds: TTL_SECONDS,
        on_loss: OnLoss::Reobserve,
    }]
}

/// The new volume is there, and, where there was a Machine, its successor has it.
fn in_use<'a>(
    inventory: &'a Inventory,
    made: &Outputs,
    scope: &Scope,
    owned: bool,
) -> Result<Option<&'a MachineInfo>, JobError> {
    let app = inventory.app.as_str();
    let hint =
        || format!("the old volume may be all there is: look at `fly volumes list -a {app}`");
    let fresh = inventory.machines.iter().find(|machine| {
        machine.metadata.get(PLAN) == Some(&scope.mark) && !machine.mounts.is_empty()
    });
    if owned && fresh.is_none() {
        return Err(JobError::state(
            format!("the successor that the shrink of app {app} made does not exist any more"),
            hint(),
        ));
    }
    // A host migration changes the id together with the mount of the Machine.
    let ours = made.get("volume").and_then(|id| VolumeId::deserialize(id).ok());
    let there = fresh.is_some() || ours.is_some_and(|id| inventory.volume(&id).is_some());
    if !there {
        return Err(JobError::state(
            format!("the new volume that the shrink of app {app} made does not exist any more"),
            hint(),
        ));
    }
    Ok(fresh)
}
