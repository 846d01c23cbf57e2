//! `stop` and `start` of Machines. What stood still before stays so, also after an undo.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::Stop;
use fly_types::MachineId;
use fly_types::state::MachineState;
use fly_types::wire::Machine;
use futures_util::StreamExt as _;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::traffic::{ids_in, present};
use crate::errors::write_error;
use crate::leases;
use crate::platform::Platform;

/// Name of the kind that starts.
pub(crate) const START: &str = "start";
/// Name of the kind that stops.
pub(crate) const STOP: &str = "stop";
/// Machines that are changed beside each other.
const AT_ONCE: usize = 8;
/// Seconds in which a state that leads to another one does so, beyond the time limit of a stop.
const SETTLES: u64 = 60;
/// How long a start or a stop may take beyond the Machine's own time limit.
const SLACK: Duration = Duration::from_mins(5);

pub(crate) struct Power {
    pub(crate) platform: Arc<Platform>,
    pub(crate) run: bool,
}

#[derive(Deserialize)]
struct Params {
    machines: Vec<MachineId>,
    /// How long a stop may take until it becomes a kill.
    #[serde(default)]
    stop_seconds: Option<u64>,
}

/// Runs work for each Machine, several beside each other; the first error, after all are through.
pub(crate) async fn each<F>(
    ids: Vec<MachineId>,
    work: impl Fn(MachineId) -> F,
) -> Result<(), StepError>
where
    F: Future<Output = Result<(), StepError>>,
{
    let tasks: Vec<F> = ids.into_iter().map(work).collect();
    let results: Vec<Result<(), StepError>> =
        futures_util::stream::iter(tasks).buffer_unordered(AT_ONCE).collect().await;
    results.into_iter().collect()
}

fn runs(machine: &Machine) -> bool {
    let rests = [
        MachineState::Created,
        MachineState::Stopped,
        MachineState::Suspended,
        MachineState::Failed,
        MachineState::Stopping,
        MachineState::Suspending,
    ];
    machine.state.get().is_some_and(|state| !rests.contains(state))
}

impl Power {
    async fn differ(&self, ids: &[MachineId]) -> Result<Vec<MachineId>, StepError> {
        let machines = self.platform.look(ids).await?;
        Ok(machines
            .into_iter()
            .filter(|machine| runs(machine) != self.run)
            .map(|machine| machine.id)
            .collect())
    }

    async fn set(
        &self,
        cx: &StepContext<'_>,
        permit: &Permit,
        ids: Vec<MachineId>,
        run: bool,
    ) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let stop = Stop { signal: None, timeout: params.stop_seconds.map(Duration::from_secs) };
        let writer = self.platform.writer(permit);
        let (held, writer, stop, app) = (leases::of(cx)?, &writer, &stop, &self.platform.app);
        // A Machine that is just stopping cannot be started; one that is being updated, neither.
        let patience = SETTLES + params.stop_seconds.unwrap_or(0);
        each(ids, |id| async move {
            let mut waited = 0;
            // One that was just made cannot be started before it is prepared.
            while run && waited < patience && self.is_made(&id).await? {
                waited += 1;
                self.platform.pause(Duration::from_secs(1)).await;
            }
            loop {
                let result = match held {
                    Some(held) => {
                        held.change(writer, &id, async |machine| {
                            if run {
                                machine.start().await.map(|_| ())
                            } else {
                                machine.stop(stop).await.map(|_| ())
                            }
                        })
                        .await
                    }
                    None if run => writer.machine(app, &id).start().await.map(|_| ()),
                    None => writer.machine(app, &id).stop(stop).await.map(|_| ()),
                };
                match result {
                    Err(error) if error.reason.passes() && waited < patience => {
                        waited += 1;
                        self.platform.pause(Duration::from_secs(1)).await;
                    }
                    other => return other.map_err(|error| write_error(&error)),
                }
            }
        })
        .await
    }

    async fn is_made(&self, id: &MachineId) -> Result<bool, StepError> {
        let machine = self.platform.machine(id).await?;
        Ok(machine.is_some_and(|machine| machine.state.get() == Some(&MachineState::Created)))
    }

    async fn reached(
        &self,
        cx: &StepContext<'_>,
        ids: Vec<MachineId>,
        run: bool,
    ) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let deadline = SLACK + Duration::from_secs(params.stop_seconds.unwrap_or(0));
        let states: &[MachineState] = if run {
            &[MachineState::Started]
        } else {
            &[MachineState::Stopped, MachineState::Suspended]
        };
        each(ids, |id| async move {
            match self.platform.machine(&id).await? {
                // At rest in another way: never started, or failed.
                Some(machine)
                    if !run
                        && matches!(
                            machine.state.get(),
                            Some(MachineState::Created | MachineState::Failed)
                        ) =>
                {
                    Ok(())
                }
                _ => self.platform.wait(&id, states, deadline).await,
            }
        })
        .await
    }
}

#[async_trait]
impl StepKind for Power {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let differ = self.differ(&params.machines).await?;
        // On its way counts as there only once it has arrived.
        Ok(super::seen(cx, &differ, Observed::Underway))
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let differ = self.differ(&params.machines).await?;
        self.set(cx, permit, differ, self.run).await
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        self.reached(cx, params.machines, self.run).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        if let Some(id) = self.differ(&params.machines).await?.first() {
            let word = if self.run { "does not run" } else { "still runs" };
            return Err(StepError::failed(format!(
                "Machine {id} of app {} {word}",
                self.platform.app
            )));
        }
        Ok(Outputs::none().with("machines", u64::try_from(params.machines.len()).unwrap_or(0)))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let ids = present(&self.platform, &ids_in(cx.before(), "changed")).await?;
        self.set(cx, permit, ids.clone(), !self.run).await?;
        self.reached(cx, ids, !self.run).await
    }
}
