//! Which steps each job on a volume has. Planning only reads what it is given.

use std::collections::BTreeMap;

use fly_types::{RegionCode, VolumeId};
use runbook::canonical::Digest;
use runbook::plan::{Group, NoReturn, Plan, SessionSpec, Target};
use runbook::sealed::SealedPlan;
use serde_json::json;

pub use super::job::{HELPER_IMAGE, Job, JobError, Request, SnapshotInfo};
use super::{add, copies, shrink};
use crate::inventory::facts::{Scope, facts};
use crate::inventory::{Inventory, VolumeInfo};
use crate::prices::Prices;

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
            add::add(request, &mark, name, region.as_ref(), *size_gb, machine.as_ref())?
        }
        Job::Fork { volume, region, name, size_gb, sync } => {
            let volume = find(request.inventory, volume)?;
            let new = copies::copy_of(request, volume, region.as_ref(), name.as_deref(), *size_gb)?;
            copies::fork(request, &mark, volume, &new, *sync)?
        }
        Job::Restore { volume, snapshot, region, name, size_gb, max_age_hours } => {
            let gone;
            let volume = match find(request.inventory, volume) {
                Ok(volume) => volume,
                // Snapshots outlive their volume.
                Err(error) if request.snapshots.is_empty() => return Err(error),
                Err(_) => {
                    gone = copies::destroyed(request, volume, name.as_deref(), region.as_ref())?;
                    &gone
                }
            };
            let new = copies::copy_of(request, volume, region.as_ref(), name.as_deref(), *size_gb)?;
            copies::restore(request, &mark, volume, &new, snapshot.as_deref(), *max_age_hours)?
        }
        Job::Shrink { volume, size_gb } => {
            shrink::shrink(request, &mark, find(request.inventory, volume)?, *size_gb)?
        }
    };
    let inventory = request.inventory;
    let scope = Scope { source: parts.source, target: parts.region, mark };
    let mut inputs = BTreeMap::new();
    inputs.insert("scope".to_owned(), json!(scope));
    inputs.insert("inventory".to_owned(), json!(inventory));
    inputs.insert(super::cleanup::JOB.to_owned(), json!(request.job));
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
pub(super) fn find<'a>(
    inventory: &'a Inventory,
    id: &VolumeId,
) -> Result<&'a VolumeInfo, JobError> {
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
                format!(
                    "it has: {}; where the other one is says: fly-migrate volume check {id} -a {}",
                    known.join(", "),
                    inventory.app
                )
            },
        )
    })
}
