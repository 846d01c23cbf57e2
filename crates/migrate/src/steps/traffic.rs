//! `cordon` and `uncordon`: takes Machines out of the proxy's pool, or puts them in. The cutover of everything with services.

use std::sync::Arc;

use async_trait::async_trait;
use fly_types::MachineId;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::power::each;
use crate::errors::write_error;
use crate::leases;
use crate::platform::Platform;

/// Name of the kind that takes out.
pub(crate) const CORDON: &str = "cordon";
/// Name of the kind that puts in.
pub(crate) const UNCORDON: &str = "uncordon";

pub(crate) struct Traffic {
    pub(crate) platform: Arc<Platform>,
    pub(crate) cordoned: bool,
}

#[derive(Deserialize)]
struct Params {
    machines: Vec<MachineId>,
    /// For each process group: Machines of which at least one must be well and in the pool before these leave it.
    #[serde(default)]
    behind: Vec<Vec<MachineId>>,
}

impl Traffic {
    /// Those that are not as they should be.
    async fn differ(&self, ids: &[MachineId]) -> Result<Vec<MachineId>, StepError> {
        let machines = self.platform.look(ids).await?;
        let differ = machines
            .into_iter()
            .filter(|machine| machine.cordoned.copied().unwrap_or(false) != self.cordoned);
        Ok(differ.map(|machine| machine.id).collect())
    }

    async fn set(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        ids: Vec<MachineId>,
        cordoned: bool,
    ) -> Result<(), StepError> {
        let writer = self.platform.writer(permit);
        let (held, writer, app) = (leases::of(cx)?, &writer, &self.platform.app);
        each(ids, |id| async move {
            let result = match held {
                Some(held) => {
                    held.change(writer, &id, async |machine| {
                        if cordoned { machine.cordon().await } else { machine.uncordon().await }
                    })
                    .await
                }
                None if cordoned => writer.machine(app, &id).cordon().await,
                None => writer.machine(app, &id).uncordon().await,
            };
            result.map(|_| ()).map_err(|error| write_error(&error))
        })
        .await
    }
}

#[async_trait]
impl StepKind for Traffic {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let differ = self.differ(&params.machines).await?;
        Ok(super::seen(cx, &differ, Observed::Done))
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        for group in params.behind.iter().filter(|_| self.cordoned) {
            let ready = self.platform.look(group).await?;
            let serves = |machine: &fly_types::wire::Machine| {
                !machine.cordoned.copied().unwrap_or(false)
                    && super::health::problem(machine, self.platform.guards).is_none()
            };
            if !ready.iter().any(serves) {
                let ids: Vec<String> = group.iter().map(ToString::to_string).collect();
                return Err(StepError::unsafe_state(format!(
                    "none of the new Machines {} of app {} takes traffic: cordoning the old ones would take their process group down",
                    ids.join(", "),
                    self.platform.app
                ))
                .hint("look at the new Machines, then resume, or undo"));
            }
        }
        let differ = self.differ(&params.machines).await?;
        self.set(cx, permit, differ, self.cordoned).await
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        while !self.differ(&params.machines).await?.is_empty() {
            self.platform.pause(std::time::Duration::from_secs(1)).await;
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let differ = self.differ(&params.machines).await?;
        if let Some(id) = differ.first() {
            let word = if self.cordoned { "not cordoned" } else { "still cordoned" };
            return Err(StepError::failed(format!(
                "Machine {id} of app {} is {word}",
                self.platform.app
            )));
        }
        Ok(Outputs::none().with("machines", u64::try_from(params.machines.len()).unwrap_or(0)))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let ids = ids_in(cx.before(), "changed");
        let there = present(&self.platform, &ids).await?;
        self.set(cx, permit, there, !self.cordoned).await
    }
}

/// Ids that a step wrote down.
pub(crate) fn ids_in(outputs: &Outputs, name: &str) -> Vec<MachineId> {
    let list = outputs.get(name).and_then(|value| Vec::<MachineId>::deserialize(value).ok());
    list.unwrap_or_default()
}

/// Those of the Machines that exist.
pub(crate) async fn present(
    platform: &Platform,
    ids: &[MachineId],
) -> Result<Vec<MachineId>, StepError> {
    let mut there = Vec::new();
    for id in ids {
        if platform.machine(id).await?.is_some() {
            there.push(id.clone());
        }
    }
    Ok(there)
}
