//! The checklist as steps: each plan has every gate, and a gate that is not met stops the run before anything was changed.

use std::sync::Arc;

use async_trait::async_trait;
use fly_types::{RegionCode, VolumeId};
use jiff::{SignedDuration, Timestamp};
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::{Deserialize, Serialize};

use super::looks::Look;
use crate::errors::read_error;
use crate::inventory::facts::PLAN;
use crate::platform::Platform;

/// The state before is saved with the journal.
pub(crate) const DOCUMENTED: &str = "gate_documented";
/// Data is backed up, and the backup is young enough.
pub(crate) const BACKUP: &str = "gate_backup";
/// The move was rehearsed, or somebody says why not.
pub(crate) const REHEARSAL: &str = "gate_rehearsal";
/// Somebody looked at something.
pub(crate) const CONFIRM: &str = "gate_confirm";
/// Host names and certificates are in order.
pub(crate) const NAMES: &str = "gate_names";
/// Nothing of the old region is forgotten.
pub(crate) const ACCOUNTED: &str = "gate_accounted";

/// A gate that is met, for its journal entry.
pub(crate) fn passed() -> Outputs {
    Outputs::none().with("state", "passed")
}

/// A gate that could not be judged, and why. Unknown does not stop a run; it is said.
pub(crate) fn unknown(why: &str) -> Outputs {
    Outputs::none().with("state", "unknown").with("why", why)
}

/// A gate that the operator gave up, and why.
pub(crate) fn waived(waiver: &Waiver) -> Outputs {
    Outputs::none()
        .with("state", "waived")
        .with("by", waiver.by.clone())
        .with("why", waiver.why.clone())
}

/// Who gave a gate up, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiver {
    /// Who.
    pub(crate) by: String,
    /// Why.
    pub(crate) why: String,
}

pub(crate) struct Documented;
pub(crate) struct Backup(pub(crate) Arc<Platform>);
pub(crate) struct Answer;
pub(crate) struct Names(pub(crate) Arc<Platform>);
pub(crate) struct Accounted(pub(crate) Arc<Platform>);

#[async_trait]
impl Look for Documented {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let inventory = cx.plan.inputs.get("inventory").ok_or_else(|| {
            StepError::failed("the plan holds no inventory")
                .hint("plan again with this version of the tool")
        })?;
        Ok(passed()
            .with("inventory", runbook::canonical::Digest::of(inventory).to_string())
            .with("facts", cx.plan.facts.fingerprint().to_string())
            .with("read_at", inventory["read_at"].as_str().unwrap_or("unknown")))
    }
}

#[derive(Deserialize)]
struct Mount {
    machine: fly_types::MachineId,
    path: String,
}

#[derive(Deserialize)]
struct BackupParams {
    /// Where volumes are mounted: their ids may change until this is checked.
    mounts: Vec<Mount>,
    max_age_hours: i64,
    /// Why no backup is needed, if the operator says so.
    #[serde(default)]
    waived: Option<Waiver>,
}

#[async_trait]
impl Look for Backup {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: BackupParams = cx.parse()?;
        if let Some(waiver) = &params.waived {
            return Ok(waived(waiver));
        }
        let mut oldest: Option<Timestamp> = None;
        for mount in &params.mounts {
            let (volume, _) = super::fork::mounted(&self.0, &mount.machine, &mount.path).await?;
            let volume = &volume;
            let list = self
                .0
                .client
                .snapshots(&self.0.app, volume)
                .await
                .map_err(|error| read_error(&error))?;
            let done = list
                .value
                .iter()
                .filter(|one| one.status.text().is_none_or(|word| word == "created"));
            let newest = done.filter_map(|one| one.created_at.get()?.at()).max();
            let young = newest.is_some_and(|at| {
                cx.now().duration_since(at) <= SignedDuration::from_hours(params.max_age_hours)
            });
            if !young {
                let seen = newest.map_or("has no snapshot".to_owned(), |at| {
                    format!("was last backed up at {at}")
                });
                return Err(StepError::paused(
                    format!(
                        "volume {volume} of app {} {seen}, and the policy is {} hours",
                        self.0.app, params.max_age_hours
                    ),
                    format!(
                        "take one with `fly volumes snapshots create {volume} -a {}`, then resume",
                        self.0.app
                    ),
                ));
            }
            oldest = oldest.min(newest).or(newest);
        }
        Ok(match oldest {
            Some(at) => passed().with("oldest_backup", at),
            None => passed().with("volumes", 0_u64),
        })
    }
}

#[derive(Deserialize)]
struct AnswerParams {
    question: String,
    #[serde(default)]
    answer: Option<String>,
    /// Who gave the answer that is in the plan.
    #[serde(default)]
    by: String,
    text: String,
    how: String,
}

/// `waived: REASON` gives the gate up, anything else meets it.
fn answered(answer: &str, by: &str) -> Outputs {
    match answer.trim().strip_prefix("waived:") {
        Some(why) => waived(&Waiver { by: by.to_owned(), why: why.trim().to_owned() }),
        None => passed(),
    }
}

#[async_trait]
impl Look for Answer {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: AnswerParams = cx.parse()?;
        let given = params.answer.or_else(|| cx.answer(&params.question).map(str::to_owned));
        match given.filter(|text| !text.trim().is_empty()) {
            Some(answer) => Ok(answered(&answer, &params.by).with(params.question, answer)),
            None => Err(StepError::paused(params.text, params.how)),
        }
    }
}

#[derive(Deserialize)]
struct NamesParams {
    #[serde(default)]
    waived: Option<Waiver>,
}

#[async_trait]
impl Look for Names {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: NamesParams = cx.parse()?;
        if let Some(waiver) = &params.waived {
            return Ok(waived(waiver));
        }
        let list =
            self.0.client.certificates(&self.0.app).await.map_err(|error| read_error(&error))?;
        let certificates = list.value.certificates.items();
        let bad = certificates.iter().find(|one| {
            one.configured.copied() == Some(false)
                || one
                    .status
                    .get()
                    .is_some_and(|status| *status != fly_types::wire::CertificateStatus::Active)
        });
        if let Some(bad) = bad {
            return Err(StepError::paused(
                format!(
                    "the certificate of {} of app {} is not in order before the move",
                    bad.hostname, self.0.app
                ),
                format!(
                    "look at `fly certs check {} -a {}`, then resume; or plan again with --waive-names REASON",
                    bad.hostname, self.0.app
                ),
            ));
        }
        Ok(passed().with("certificates", u64::try_from(certificates.len()).unwrap_or(0)))
    }
}

#[derive(Deserialize)]
struct AccountedParams {
    region: RegionCode,
    mark: String,
    machines: Vec<fly_types::MachineId>,
    volumes: Vec<VolumeId>,
}

#[async_trait]
impl Look for Accounted {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: AccountedParams = cx.parse()?;
        let inventory = crate::inventory::observe(&self.0.client, &self.0.app, cx.now()).await;
        let inventory = inventory.map_err(|error| read_error(&error.source))?;
        let machines = inventory
            .in_region(&params.region)
            .filter(|machine| {
                !params.machines.contains(&machine.id)
                    && machine.metadata.get(PLAN) != Some(&params.mark)
            })
            .map(|machine| format!("Machine {}", machine.id));
        // A host migration may have changed the id of a volume; then its Machine is one that we know.
        let known = |volume: &crate::inventory::VolumeInfo| {
            params.volumes.contains(&volume.id)
                || volume.attached.as_ref().is_some_and(|id| params.machines.contains(id))
        };
        let volumes = inventory
            .volumes
            .iter()
            .filter(|volume| volume.region == params.region && !known(volume))
            .map(|volume| format!("volume {}", volume.id));
        let surprise: Vec<String> = machines.chain(volumes).collect();
        if !surprise.is_empty() {
            return Err(StepError::stale(format!(
                "in {} of app {} there is something that the plan does not know: {}",
                params.region,
                self.0.app,
                surprise.join(", ")
            ))
            .hint("it was made meanwhile: move or remove it, then resume"));
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(0);
        Ok(passed()
            .with("old_machines", count(params.machines.len()))
            .with("old_volumes", count(params.volumes.len())))
    }
}
