//! `verify_health`: new Machines run and all of their checks pass, several times in a row.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::MachineId;
use fly_types::state::MachineState;
use fly_types::wire::{Autostop, CheckState, Machine};
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;
use crate::guards::Guards;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const HEALTH: &str = "verify_health";
/// How often in a row everything must be well.
const TIMES: u32 = 2;
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) struct Health(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machines: Vec<MachineId>,
}

/// What is wrong with a Machine; nothing if it is well. One that the proxy put to sleep is well.
pub(crate) fn problem(machine: &Machine, guards: Guards) -> Option<String> {
    let id = &machine.id;
    let config = machine.effective_config().map(|(config, _)| config);
    let sleeps = config.is_some_and(|config| {
        let services = config.services.items().iter();
        services
            .filter_map(|service| service.autostop.get())
            .map(Autostop::as_str)
            .any(|word| word != "off")
    }) && guards.has("H06");
    match machine.state.get() {
        Some(MachineState::Started) => {}
        Some(MachineState::Stopped | MachineState::Suspended) if sleeps => return None,
        Some(state) => return Some(format!("Machine {id} is {state}")),
        None => return Some(format!("the state of Machine {id} is unknown")),
    }
    let wanted: usize = config.map_or(0, |config| {
        let services: usize =
            config.services.items().iter().map(|service| service.checks.items().len()).sum();
        services + config.checks.get().map_or(0, std::collections::BTreeMap::len)
    });
    let checks: Vec<_> =
        machine.checks.items().iter().filter(|check| !check.is_compatibility_row()).collect();
    if let Some(check) =
        checks.iter().find(|check| check.status.get() != Some(&CheckState::Passing))
    {
        return Some(format!(
            "check {} of Machine {id} is {}",
            check.name.text().unwrap_or("without a name"),
            check.status.get().map_or("unknown", CheckState::as_str)
        ));
    }
    (checks.len() < wanted)
        .then(|| format!("Machine {id} answered {} of {wanted} checks", checks.len()))
}

impl Health {
    async fn first_problem(&self, ids: &[MachineId]) -> Result<Option<String>, StepError> {
        Ok(self.0.look(ids).await?.iter().find_map(|one| problem(one, self.0.guards)))
    }
}

#[async_trait]
impl Look for Health {
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let limit = cx.step.deadline_seconds.unwrap_or(300);
        let (mut well, mut waited) = (0, 0);
        loop {
            match self.first_problem(&params.machines).await? {
                None => well += 1,
                Some(problem) => {
                    well = 0;
                    if waited >= limit {
                        return Err(StepError::failed(format!("{problem} after {limit} s in app {}", self.0.app))
                            .hint("look at its logs; the old Machines still serve: resume once it is mended, or undo"));
                    }
                    cx.note(&problem);
                }
            }
            if well >= TIMES {
                return Ok(());
            }
            self.0.pause(PAUSE).await;
            waited += PAUSE.as_secs();
        }
    }

    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        match self.first_problem(&params.machines).await? {
            None => {
                Ok(Outputs::none()
                    .with("healthy", u64::try_from(params.machines.len()).unwrap_or(0)))
            }
            Some(problem) => Err(StepError::failed(format!("{problem} in app {}", self.0.app))),
        }
    }
}
