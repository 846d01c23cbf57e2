//! `release`: the Machine that only held its volume becomes the app. From here on the target writes: the point of no return of a move with data.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::UpdateOptions;
use fly_types::MachineId;
use fly_types::state::MachineState;
use fly_types::wire::Machine;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::create::{Create, Params as CopyParams, is_hold};
use crate::errors::write_error;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const RELEASE: &str = "release";

pub(crate) struct Release(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machines: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    machine: MachineId,
    copy: CopyParams,
}

impl Release {
    async fn holding<'p>(&self, params: &'p Params) -> Result<Vec<&'p One>, StepError> {
        let ids: Vec<MachineId> = params.machines.iter().map(|one| one.machine.clone()).collect();
        let found: Vec<Machine> = self.0.look(&ids).await?;
        Ok(params
            .machines
            .iter()
            .zip(found)
            .filter(|(_, machine)| {
                machine.effective_config().is_some_and(|(config, _)| is_hold(config))
            })
            .map(|(one, _)| one)
            .collect())
    }
}

#[async_trait]
impl StepKind for Release {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        match self.holding(&params).await?.len() {
            0 => Ok(Observed::Underway),
            all if all == params.machines.len() => Ok(Observed::pending()),
            _ => Ok(Observed::Partial),
        }
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let (writer, create) = (self.0.writer(permit), Create::new(Arc::clone(&self.0)));
        for one in self.holding(&params).await? {
            let (wanted, _) = create.config(&one.copy).await?;
            let options = UpdateOptions { cordoned: true, ..UpdateOptions::default() };
            let updated = writer
                .machine(&self.0.app, &one.machine)
                .update(&options, |config| {
                    // The marks stay: by them a later process knows it.
                    let marks = config.metadata.get().cloned().unwrap_or_default();
                    // Ids and sizes of mounts as the platform filled them in.
                    let mounts = config.mounts.clone();
                    *config = wanted.clone();
                    config.mounts = mounts;
                    let mut metadata = config.metadata.get().cloned().unwrap_or_default();
                    metadata.extend(marks);
                    config.metadata = metadata.into();
                })
                .await;
            updated.map_err(|error| write_error(&error))?;
        }
        Ok(())
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        for one in &params.machines {
            let states = [MachineState::Started, MachineState::Stopped, MachineState::Suspended];
            self.0.wait(&one.machine, &states, Duration::from_mins(5)).await?;
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        if let Some(one) = self.holding(&params).await?.first() {
            return Err(StepError::failed(format!(
                "Machine {} of app {} still only holds its volume",
                one.machine, self.0.app
            )));
        }
        Ok(Outputs::none().with("machines", u64::try_from(params.machines.len()).unwrap_or(0)))
    }
}
