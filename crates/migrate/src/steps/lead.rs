//! `move_leadership`: the primary of a LiteFS cluster goes to another region. A node may lead where `PRIMARY_REGION` is its own region, so
//! the nodes there get the new value first, the others after them, and the primary last. One at a time, and each has to be back and in sync
//! before the next is touched: never more than one node is missing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::UpdateOptions;
use fly_types::state::MachineState;
use fly_types::wire::Machine;
use fly_types::{MachineId, RegionCode};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::cluster::{in_sync, wait_in_sync, wait_still};
use super::traffic::present;
use crate::errors::write_error;
use crate::leases;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const LEAD: &str = "move_leadership";
/// How long a node may take to come back with everything: it restarts, and the lease of a primary ends after seconds.
const BACK: Duration = Duration::from_mins(10);
/// How long the last writes may take once nobody is served any more.
const QUIET: Duration = Duration::from_mins(1);

pub(crate) struct Lead(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    members: Vec<MachineId>,
    from: RegionCode,
    to: RegionCode,
    folder: String,
    /// Nodes that stay where they are and take traffic: they send writes on, so they pause while the primary goes.
    #[serde(default)]
    far: Vec<MachineId>,
    /// Nodes in the old region that took traffic.
    #[serde(default)]
    old: Vec<MachineId>,
}

fn primary_region(machine: &Machine) -> Option<String> {
    let (config, _) = machine.effective_config()?;
    config.env.get()?.expose().get("PRIMARY_REGION").cloned()
}

impl Lead {
    async fn tell(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        machine: &Machine,
        region: &RegionCode,
    ) -> Result<(), StepError> {
        let writer = self.0.writer(permit);
        // It stays in or out of the pool as it is.
        let options = UpdateOptions {
            cordoned: machine.cordoned.copied().unwrap_or(false),
            ..UpdateOptions::default()
        };
        let change = |config: &mut fly_types::wire::MachineConfig| {
            if let Some(env) = config.env.get_mut() {
                env.expose_mut().insert("PRIMARY_REGION".to_owned(), region.to_string());
            }
        };
        let id = &machine.id;
        let updated = match leases::of(cx)? {
            Some(held) => {
                held.change(&writer, id, async |machine| machine.update(&options, change).await)
                    .await
            }
            None => writer.machine(&self.0.app, id).update(&options, change).await,
        };
        updated.map_err(|error| write_error(&error))?;
        self.0.wait(id, &[MachineState::Started], Duration::from_mins(5)).await
    }

    /// Brings Machines into the pool, or takes them out.
    async fn pool(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        ids: &[MachineId],
        cordoned: bool,
    ) -> Result<(), StepError> {
        let writer = self.0.writer(permit);
        for machine in self.0.look(ids).await? {
            if machine.cordoned.copied().unwrap_or(false) == cordoned {
                continue;
            }
            let id = &machine.id;
            let result = match leases::of(cx)? {
                Some(held) => {
                    held.change(&writer, id, async |machine| {
                        if cordoned { machine.cordon().await } else { machine.uncordon().await }
                    })
                    .await
                }
                None if cordoned => writer.machine(&self.0.app, id).cordon().await,
                None => writer.machine(&self.0.app, id).uncordon().await,
            };
            result.map_err(|error| write_error(&error))?;
        }
        Ok(())
    }

    /// Nobody is served meanwhile; afterwards, whatever came of it, those of `back` are.
    async fn go(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        (members, to): (&[MachineId], &RegionCode),
        back: &[MachineId],
    ) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let machines = self.0.look(members).await?;
        let told = |machine: &Machine| primary_region(machine).as_deref() == Some(to.as_str());
        let result = if machines.iter().all(told) {
            Ok(())
        } else {
            Box::pin(self.flip(cx, permit, &params, members, to)).await
        };
        self.pool(cx, permit, back, false).await?;
        result
    }

    async fn flip(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        params: &Params,
        members: &[MachineId],
        to: &RegionCode,
    ) -> Result<(), StepError> {
        let folder = params.folder.as_str();
        // Whoever leads next must have everything before the first one is touched.
        wait_in_sync(&self.0, members, folder, BACK).await?;
        let open: Vec<MachineId> = params.far.iter().chain(&params.old).cloned().collect();
        self.pool(cx, permit, &present(&self.0, &open).await?, true).await?;
        let mut primary = wait_in_sync(&self.0, members, folder, BACK).await?.id;
        let mut machines = self.0.look(members).await?;
        machines.sort_by_key(|machine| (machine.id == primary, machine.region.get() != Some(to)));
        for machine in machines {
            if primary_region(&machine).as_deref() == Some(to.as_str()) {
                continue;
            }
            if machine.id == primary {
                wait_still(&self.0, members, folder, QUIET).await?;
            }
            cx.note(&format!("{} is told that {to} is the primary region", machine.id));
            self.tell(cx, permit, &machine, to).await?;
            primary = wait_in_sync(&self.0, members, folder, BACK).await?.id;
        }
        Ok(())
    }

    async fn leads(&self, params: &Params) -> Result<bool, StepError> {
        // Old nodes may rest by now, should this be looked at again.
        let machines = self.0.look(&params.members).await?;
        let there = |machine: &&Machine| {
            machine.region.get() == Some(&params.to)
                || machine.state.get() == Some(&MachineState::Started)
        };
        let members: Vec<MachineId> =
            machines.iter().filter(there).map(|machine| machine.id.clone()).collect();
        let primary = in_sync(&self.0, &members, &params.folder, false).await?;
        let machine = self.0.look(&[primary.id]).await?;
        Ok(machine.first().and_then(|machine| machine.region.get()) == Some(&params.to))
    }
}

#[async_trait]
impl StepKind for Lead {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let machines = self.0.look(&params.members).await?;
        let regions: Vec<Option<String>> = machines.iter().map(primary_region).collect();
        let all =
            |region: &RegionCode| regions.iter().all(|one| one.as_deref() == Some(region.as_str()));
        let far = self.0.look(&params.far).await?;
        let paused = far.iter().any(|machine| machine.cordoned.copied().unwrap_or(false));
        Ok(if all(&params.to) && !paused {
            Observed::Underway
        } else if all(&params.from) {
            Observed::pending()
        } else {
            Observed::Partial
        })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        self.go(cx, permit, (&params.members, &params.to), &params.far).await
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        while !matches!(self.leads(&params).await, Ok(true)) {
            self.0.pause(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        if !self.leads(&params).await? {
            return Err(StepError::failed(format!(
                "the primary of app {} is not in {}",
                self.0.app, params.to
            )));
        }
        Ok(Outputs::none().with("primary_region", params.to.to_string()))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let members = present(&self.0, &params.members).await?;
        let open: Vec<MachineId> = params.far.iter().chain(&params.old).cloned().collect();
        let open = present(&self.0, &open).await?;
        self.go(cx, permit, (&members, &params.from), &open).await
    }
}
