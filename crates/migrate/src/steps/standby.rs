//! `point_standby`: a standby that stays where it is waits for the Machine that moved.

use std::sync::Arc;

use async_trait::async_trait;
use fly_api::UpdateOptions;
use fly_types::MachineId;
use fly_types::wire::Field;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::traffic::{ids_in, present};
use crate::errors::write_error;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const STANDBY: &str = "point_standby";

pub(crate) struct Standby(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machine: MachineId,
    /// Machines for which it waits.
    of: Vec<MachineId>,
}

impl Standby {
    async fn now(&self, id: &MachineId) -> Result<Vec<MachineId>, StepError> {
        let found = self.0.look(std::slice::from_ref(id)).await?;
        let config = found.first().and_then(|machine| machine.effective_config());
        Ok(config.map(|(config, _)| config.standbys.items().to_vec()).unwrap_or_default())
    }

    async fn set(
        &self,
        permit: &Permit,
        id: &MachineId,
        of: Vec<MachineId>,
    ) -> Result<(), StepError> {
        let writer = self.0.writer(permit);
        let options = UpdateOptions { skip_launch: true, ..UpdateOptions::default() };
        let machine = writer.machine(&self.0.app, id);
        let updated = machine.update(&options, |config| {
            config.standbys = if of.is_empty() { Field::Absent } else { of.clone().into() };
        });
        updated.await.map(|_| ()).map_err(|error| write_error(&error))
    }
}

#[async_trait]
impl StepKind for Standby {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let now = self.now(&params.machine).await?;
        if now == params.of {
            return Ok(Observed::Done);
        }
        let now: Vec<String> = now.iter().map(ToString::to_string).collect();
        Ok(Observed::Pending { before: Outputs::none().with("of", now) })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        self.set(permit, &params.machine, params.of).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        if self.now(&params.machine).await? != params.of {
            return Err(StepError::failed(format!(
                "standby {} of app {} does not wait for the Machines that moved",
                params.machine, self.0.app
            )));
        }
        Ok(Outputs::none().with("standby", params.machine.to_string()))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        if present(&self.0, std::slice::from_ref(&params.machine)).await?.is_empty() {
            return Ok(());
        }
        self.set(permit, &params.machine, ids_in(cx.before(), "of")).await
    }
}
