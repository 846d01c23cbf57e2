//! `destroy_machine` and `destroy_volume`: what a move left behind. Only Machines that rest; no undo.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::state::{MachineState, VolumeState};
use fly_types::{MachineId, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::fork::delete;
use super::power::each;
use super::traffic::present;
use crate::errors::{read_error, write_error};
use crate::leases;
use crate::platform::Platform;

/// Name of the kind for Machines.
pub(crate) const DESTROY: &str = "destroy_machine";
/// Name of the kind for volumes.
pub(crate) const DESTROY_VOLUME: &str = "destroy_volume";

pub(crate) struct Destroy(pub(crate) Arc<Platform>);
pub(crate) struct DestroyVolume(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machines: Vec<MachineId>,
    /// Those whose host was gone: nobody could stop them, so they may not rest.
    #[serde(default)]
    force: Vec<MachineId>,
}

#[derive(Deserialize)]
struct VolumeParams {
    volume: VolumeId,
}

#[async_trait]
impl StepKind for Destroy {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        match present(&self.0, &params.machines).await?.len() {
            0 => Ok(Observed::Done),
            all if all == params.machines.len() => Ok(Observed::pending()),
            _ => Ok(Observed::Partial),
        }
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let there = present(&self.0, &params.machines).await?;
        let writer = self.0.writer(permit);
        let (writer, held, app) = (&writer, leases::of(cx)?, &self.0.app);
        let force = &params.force;
        each(there.clone(), |id| async move {
            // Without force: one that runs again is in use.
            let forced = force.contains(&id);
            let result = match held {
                Some(held) => {
                    held.change(writer, &id, async |machine| machine.destroy(forced).await).await
                }
                None => writer.machine(app, &id).destroy(forced).await,
            };
            result.map(|_| ()).map_err(|error| write_error(&error))
        })
        .await?;
        each(there, |id| async move {
            self.0.wait(&id, &[MachineState::Destroyed], Duration::from_mins(2)).await
        })
        .await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        match present(&self.0, &params.machines).await?.first() {
            None => Ok(Outputs::none()
                .with("destroyed", u64::try_from(params.machines.len()).unwrap_or(0))),
            Some(id) => {
                Err(StepError::failed(format!("Machine {id} of app {} is still there", self.0.app)))
            }
        }
    }
}

impl DestroyVolume {
    async fn is_there(&self, id: &VolumeId) -> Result<bool, StepError> {
        match self.0.client.volume(&self.0.app, id).await {
            Ok(found) => Ok(found.value.state.get().is_none_or(VolumeState::is_live)),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(read_error(&error)),
        }
    }
}

#[async_trait]
impl StepKind for DestroyVolume {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: VolumeParams = cx.parse()?;
        let there = self.is_there(&params.volume).await?;
        Ok(if there { Observed::pending() } else { Observed::Done })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: VolumeParams = cx.parse()?;
        delete(&self.0, permit, &params.volume).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: VolumeParams = cx.parse()?;
        if self.is_there(&params.volume).await? {
            return Err(StepError::failed(format!(
                "volume {} of app {} is still there",
                params.volume, self.0.app
            )));
        }
        Ok(Outputs::none().with("destroyed", params.volume.to_string()))
    }
}
