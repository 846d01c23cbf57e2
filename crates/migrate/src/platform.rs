//! What the steps of a move share: the client, the app, and how one waits. Made once per process; nothing is remembered in it.

use std::sync::Arc;
use std::time::Duration;

use fly_api::{Client, Command, MachineFilter, WriteAccess, Writer};
use fly_types::wire::{ExecResult, Machine};
use fly_types::{AppName, MachineId};
use futures_util::future::BoxFuture;
use runbook::approval::Permit;
use runbook::error::StepError;

use crate::errors::{read_error, wait_error, write_error};
use crate::guards::Guards;

/// Waits for so long. In a test the simulator's clock moves instead.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// One app at Fly.io.
#[derive(Clone)]
pub struct Platform {
    /// The reading side.
    pub client: Client,
    /// The app.
    pub app: AppName,
    /// Which guards of hazards are on.
    pub guards: Guards,
    pause: Pause,
}

/// Up to so many Machines are read one by one; more by a list.
const FEW: usize = 4;
/// How long lists may leave out what was just made (Machines API reference 2.5: seconds).
pub(crate) const LIST_LAG: Duration = Duration::from_secs(8);

impl Platform {
    /// With the runtime's own sleep.
    pub fn new(client: Client, app: AppName) -> Self {
        Self {
            client,
            app,
            guards: Guards::ALL,
            pause: Arc::new(|time| Box::pin(tokio::time::sleep(time))),
        }
    }

    /// With other guards, for tests of them.
    #[must_use]
    pub fn guarded_by(mut self, guards: Guards) -> Self {
        self.guards = guards;
        self
    }

    /// With another way to wait.
    #[must_use]
    pub fn pause_with(mut self, pause: Pause) -> Self {
        self.pause = pause;
        self
    }

    pub(crate) async fn pause(&self, time: Duration) {
        (self.pause)(time).await;
    }

    /// The writing side. Only the executor lends a permit, and only for an approved plan.
    pub(crate) fn writer(&self, _: &Permit) -> Writer {
        #[expect(
            clippy::disallowed_methods,
            reason = "the permit is the executor's proof that the plan was approved"
        )]
        let access = WriteAccess::approved("an approved plan");
        self.client.writer(access)
    }

    /// Runs a command that only reads inside a Machine.
    pub(crate) async fn inspect(
        &self,
        id: &MachineId,
        words: &[&str],
    ) -> Result<ExecResult, StepError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the commands of this crate that come here only read; a change needs a permit"
        )]
        let writer = self.client.writer(WriteAccess::approved("a command that only reads"));
        let command = Command::new(words.iter().copied());
        let result = writer.machine(&self.app, id).exec(&command).await;
        result.map(|answer| answer.value).map_err(|error| write_error(&error))
    }

    /// One Machine; none if it does not exist, or is destroyed.
    pub(crate) async fn machine(&self, id: &MachineId) -> Result<Option<Machine>, StepError> {
        match self.client.machine(&self.app, id).await {
            Ok(found) => Ok(Some(found.value).filter(is_there)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(read_error(&error)),
        }
    }

    /// All Machines that exist.
    pub(crate) async fn machines(&self) -> Result<Vec<Machine>, StepError> {
        let found = self.client.machines(&self.app, &MachineFilter::default()).await;
        let mut machines = found.map_err(|error| read_error(&error))?.value;
        machines.retain(is_there);
        Ok(machines)
    }

    /// These Machines, in this order. One that does not exist is an error that names it.
    pub(crate) async fn look(&self, ids: &[MachineId]) -> Result<Vec<Machine>, StepError> {
        let listed = if ids.len() > FEW { self.machines().await? } else { Vec::new() };
        let mut machines = Vec::with_capacity(ids.len());
        for id in ids {
            // Lists lag behind.
            let found = match listed.iter().find(|machine| &machine.id == id) {
                Some(machine) => Some(machine.clone()),
                None => self.machine(id).await?,
            };
            let gone = || {
                StepError::stale(format!(
                    "Machine {id} of app {} does not exist any more",
                    self.app
                ))
                .hint("somebody destroyed it; undo, then plan again")
            };
            machines.push(found.ok_or_else(gone)?);
        }
        Ok(machines)
    }

    /// Waits until a Machine is in one of these states.
    pub(crate) async fn wait(
        &self,
        id: &MachineId,
        states: &[fly_types::state::MachineState],
        deadline: Duration,
    ) -> Result<(), StepError> {
        let wait = fly_api::WaitFor {
            states: states.to_vec(),
            version: None,
            from_event_id: None,
            deadline,
        };
        self.client.wait(&self.app, id, &wait).await.map(|_| ()).map_err(|error| wait_error(&error))
    }
}

fn is_there(machine: &Machine) -> bool {
    machine.state.get().is_none_or(fly_types::state::MachineState::is_active)
}
