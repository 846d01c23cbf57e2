//! `switch_primary_region`: Machines of other regions learn where the primary region is now. One after the other, each looked at before
//! the next, because a change of a variable restarts a Machine.

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

use super::health::problem;
use super::traffic::{ids_in, present};
use crate::errors::write_error;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const SWITCH: &str = "switch_primary_region";
/// The variable that the platform and libraries read.
pub(crate) const VARIABLE: &str = "PRIMARY_REGION";
/// How long one Machine may take until it is well again.
const PATIENCE: Duration = Duration::from_mins(5);
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) struct Switch(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machines: Vec<MachineId>,
    from: String,
    to: String,
}

fn rests(machine: &Machine) -> bool {
    matches!(
        machine.state.get(),
        Some(MachineState::Stopped | MachineState::Suspended | MachineState::Created)
    )
}

fn region(machine: &Machine) -> Option<String> {
    let (config, _) = machine.effective_config()?;
    config.env.get()?.expose().get(VARIABLE).cloned()
}

impl Switch {
    async fn differ(&self, params: &Params) -> Result<Vec<MachineId>, StepError> {
        let machines = self.0.look(&params.machines).await?;
        let differ = machines.into_iter().filter(|one| region(one).as_deref() != Some(&params.to));
        Ok(differ.map(|one| one.id).collect())
    }

    async fn set(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        ids: Vec<MachineId>,
        region: &str,
    ) -> Result<(), StepError> {
        let writer = self.0.writer(permit);
        for id in ids {
            let Some(machine) = self.0.machine(&id).await? else { continue };
            let rests = rests(&machine);
            let options = UpdateOptions {
                skip_launch: rests,
                cordoned: machine.cordoned.copied().unwrap_or(false),
                ..UpdateOptions::default()
            };
            let target = writer.machine(&self.0.app, &id);
            let updated = target.update(&options, |config| {
                if let Some(env) = config.env.get_mut() {
                    env.expose_mut().insert(VARIABLE.to_owned(), region.to_owned());
                }
            });
            updated.await.map_err(|error| write_error(&error))?;
            if !rests {
                self.well(cx, &id).await?;
            }
        }
        Ok(())
    }

    /// Waits until a Machine is well, so that never more than one is not.
    async fn well(&self, cx: &StepContext<'_>, id: &MachineId) -> Result<(), StepError> {
        let mut left = PATIENCE;
        loop {
            let found = self.0.look(std::slice::from_ref(id)).await?;
            let guards = self.0.guards;
            let Some(problem) = found.iter().find_map(|one| problem(one, guards)) else {
                return Ok(());
            };
            if left.is_zero() {
                return Err(StepError::failed(format!(
                    "{problem} in app {} after its PRIMARY_REGION was changed",
                    self.0.app
                ))
                .hint("look at its logs; the other Machines were not touched: resume or undo"));
            }
            cx.note(&problem);
            self.0.pause(PAUSE).await;
            left = left.saturating_sub(PAUSE);
        }
    }
}

#[async_trait]
impl StepKind for Switch {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let differ = self.differ(&params).await?;
        Ok(super::seen(cx, &differ, Observed::Underway))
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let differ = self.differ(&params).await?;
        self.set(cx, permit, differ, &params.to).await
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        for machine in self.0.look(&params.machines).await? {
            if !rests(&machine) {
                self.well(cx, &machine.id).await?;
            }
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        if let Some(id) = self.differ(&params).await?.first() {
            return Err(StepError::failed(format!(
                "PRIMARY_REGION of Machine {id} of app {} is not {}",
                self.0.app, params.to
            )));
        }
        Ok(Outputs::none().with("machines", u64::try_from(params.machines.len()).unwrap_or(0)))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let ids = present(&self.0, &ids_in(cx.before(), "changed")).await?;
        self.set(cx, permit, ids, &params.from).await
    }
}
