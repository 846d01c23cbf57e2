//! `fork_volume`: a copy of the volume of a Machine. Volumes have no marks: what is new in the list since just before, and fits, is ours,
//! so forks of one name into one region are made one after the other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::{NewVolume, Reason, VolumeSource};
use fly_types::state::VolumeState;
use fly_types::wire::{Guest, Volume};
use fly_types::{MachineId, RegionCode, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::{Deserialize, Serialize};

use crate::errors::{read_error, write_error};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const FORK: &str = "fork_volume";
/// How long a deleted volume may stay bound to a Machine that is being destroyed.
const UNBIND_TRIES: u32 = 60;

pub(crate) struct Fork(pub(crate) Arc<Platform>);

/// What a step of this kind is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Params {
    /// Whose volume. Its id is looked up when it is needed: a host migration changes it.
    pub(crate) machine: MachineId,
    /// Mounted where.
    pub(crate) path: String,
    /// Where to.
    pub(crate) region: RegionCode,
    /// Name of the copy.
    pub(crate) name: String,
    /// Size of the original.
    pub(crate) size_gb: i64,
    /// Regions that may have room, the nearest first, should the target have none.
    #[serde(default)]
    pub(crate) fallback: Vec<String>,
}

/// The volume that a Machine has mounted at a path now, and the size of the Machine.
pub(crate) async fn mounted(
    platform: &Platform,
    machine: &MachineId,
    path: &str,
) -> Result<(VolumeId, Option<Guest>), StepError> {
    let gone = || {
        StepError::stale(format!(
            "Machine {machine} of app {} has no volume at {path} any more",
            platform.app
        ))
    };
    let found = platform.machine(machine).await?.ok_or_else(gone)?;
    let (config, _) = found.effective_config().ok_or_else(gone)?;
    let mount = config.mounts.items().iter().find(|mount| mount.path.text() == Some(path));
    let volume = mount.and_then(|mount| mount.volume.get().cloned()).ok_or_else(gone)?;
    Ok((volume, config.guest.get().cloned()))
}

impl Fork {
    async fn fitting(&self, params: &Params) -> Result<Vec<Volume>, StepError> {
        let list = self.0.client.volumes(&self.0.app).await.map_err(|error| read_error(&error))?;
        Ok(list
            .value
            .into_iter()
            .filter(|volume| {
                volume.region.get() == Some(&params.region)
                    && volume.name.text() == Some(params.name.as_str())
                    && volume.state.get().is_none_or(VolumeState::is_live)
            })
            .collect())
    }

    /// The copy: what fits and was not there before.
    async fn find(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Option<Volume>, StepError> {
        let Some(known) = cx.before().get("known") else { return Ok(None) };
        let known = Vec::<VolumeId>::deserialize(known).unwrap_or_default();
        let fresh = self.fitting(params).await?;
        let mut fresh = fresh.into_iter().filter(|volume| {
            !known.contains(&volume.id)
                && volume.size_gb.copied().is_none_or(|size| size >= params.size_gb)
        });
        let found = fresh.next();
        if let (Some(one), Some(other)) = (&found, fresh.next()) {
            return Err(StepError::unsafe_state(format!(
                "volumes {} and {} of app {} could both be the copy: somebody else made one at the same time",
                one.id, other.id, self.0.app
            ))
            .hint("delete the one that is not a copy, then resume or undo"));
        }
        Ok(found)
    }

    async fn copy(&self, cx: &StepContext<'_>, params: &Params) -> Result<Volume, StepError> {
        self.find(cx, params).await?.ok_or_else(|| {
            StepError::stale(format!(
                "the copy of the volume of Machine {} of app {} in {} does not exist any more",
                params.machine, self.0.app, params.region
            ))
        })
    }
}

#[async_trait]
impl StepKind for Fork {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        if self.find(cx, &params).await?.is_some() {
            return Ok(Observed::Underway);
        }
        let known: Vec<String> =
            self.fitting(&params).await?.iter().map(|volume| volume.id.to_string()).collect();
        Ok(Observed::Pending { before: Outputs::none().with("known", known) })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        if self.find(cx, &params).await?.is_some() {
            return Ok(());
        }
        let (source, guest) = mounted(&self.0, &params.machine, &params.path).await?;
        let mut new = NewVolume::new(params.name.clone(), params.region.clone());
        new.source = VolumeSource::Fork(source);
        // So that a host is chosen on which the Machine fits, too.
        new.compute = guest;
        let made = self.0.writer(permit).create_volume(&self.0.app, &new).await;
        made.map(|_| ()).map_err(|error| super::create::no_room(&error, &params.fallback))
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        loop {
            // It can be mounted while it is filled.
            let state = self.copy(cx, &params).await?.state.into_value();
            if matches!(state, Some(VolumeState::Created | VolumeState::Hydrating)) {
                return Ok(());
            }
            self.0.pause(Duration::from_secs(1)).await;
        }
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let copy = self.copy(cx, &params).await?;
        Ok(Outputs::none().with("volume", copy.id.to_string()))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let Some(copy) = self.find(cx, &params).await? else { return Ok(()) };
        delete(&self.0, permit, &copy.id).await?;
        while self.find(cx, &params).await?.is_some() {
            self.0.pause(Duration::from_secs(1)).await;
        }
        Ok(())
    }
}

/// Deletes a volume, once the Machine that had it is gone for good.
pub(crate) async fn delete(
    platform: &Platform,
    permit: &Permit,
    id: &VolumeId,
) -> Result<(), StepError> {
    let writer = platform.writer(permit);
    let mut tries = 0;
    loop {
        match writer.delete_volume(&platform.app, id).await {
            Ok(_) => return Ok(()),
            Err(error)
                if matches!(error.reason, Reason::VolumeBound { .. }) && tries < UNBIND_TRIES =>
            {
                tries += 1;
                platform.pause(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(write_error(&error)),
        }
    }
}
