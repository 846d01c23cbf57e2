//! The leases on the Machines that are moved away: as long as a run holds them, no deploy changes these Machines.

use std::sync::Arc;

use async_trait::async_trait;
use fly_api::{Lease, LeaseRequest, LeaseState, MachineWriter, Reason, Writer};
use fly_types::{AppName, MachineId};
use futures_util::StreamExt as _;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use runbook::session::{Opened, Session, SessionContext, SessionKind};
use serde::Deserialize;
use tokio::sync::RwLock;

use crate::errors::write_error;
use crate::platform::Platform;

/// Name of the session kind, and of the one session of its kind in a plan.
pub(crate) const LEASES: &str = "leases";
/// Life of a lease. A crash blocks deploys for so long at most.
pub(crate) const TTL_SECONDS: u64 = 30;
/// Leases that are taken beside each other.
const AT_ONCE: usize = 8;

/// Opens leases on all Machines that it is given.
pub(crate) struct Leases(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machines: Vec<MachineId>,
}

/// The open leases. A Machine that was destroyed has none.
pub(crate) struct Held {
    leases: RwLock<Vec<Lease>>,
    app: AppName,
    description: String,
}

impl Held {
    /// The Machine for a change, under its lease if we have one.
    pub(crate) async fn change<T>(
        &self,
        writer: &Writer,
        id: &MachineId,
        work: impl AsyncFnOnce(MachineWriter<'_>) -> T,
    ) -> T {
        let leases = self.leases.read().await;
        let machine = writer.machine(&self.app, id);
        match leases.iter().find(|lease| lease.machine() == id) {
            Some(lease) => work(machine.under(lease)).await,
            None => work(machine).await,
        }
    }
}

/// The leases of a step that names them; none for a step on Machines of our own.
pub(crate) fn of<'a>(cx: &'a StepContext<'_>) -> Result<Option<&'a Held>, StepError> {
    let id = LEASES.into();
    if cx.step.sessions.contains(&id) { cx.session::<Held>(&id).map(Some) } else { Ok(None) }
}

#[async_trait]
impl SessionKind for Leases {
    async fn open(
        &self,
        cx: &SessionContext<'_>,
        earlier: Option<&Outputs>,
        permit: &Permit,
    ) -> Result<Opened, StepError> {
        let params: Params = serde_json::from_value(cx.params.clone())
            .map_err(|error| StepError::failed(format!("parameters of session leases: {error}")))?;
        let writer = self.0.writer(permit);
        let description = format!("fly-migrate run {}", cx.run);
        let wanted = LeaseRequest {
            ttl: std::time::Duration::from_secs(cx.spec.ttl_seconds),
            ..LeaseRequest::new(description.clone())
        };
        let (platform, writer, wanted) = (&self.0, &writer, &wanted);
        // The first one alone: of two that begin at once, one has all and not each a half.
        let mut machines = params.machines.into_iter();
        let mut leases = Vec::new();
        if let Some(first) = machines.next() {
            leases.extend(acquire(platform, writer, first, wanted).await?);
        }
        let tasks: Vec<_> =
            machines.map(|id| async move { acquire(platform, writer, id, wanted).await }).collect();
        let mut taking = futures_util::stream::iter(tasks).buffer_unordered(AT_ONCE);
        let mut problem = None;
        while let Some(taken) = taking.next().await {
            match taken {
                Ok(lease) => leases.extend(lease),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        drop(taking);
        let held = Held { leases: RwLock::new(leases), app: self.0.app.clone(), description };
        if let Some(problem) = problem {
            // What was had is given back at once, so that nobody waits for it.
            held.close().await?;
            return Err(problem);
        }
        Ok(Opened { session: Arc::new(held), continues: earlier.is_some() })
    }
}

async fn acquire(
    platform: &Platform,
    writer: &Writer,
    id: MachineId,
    wanted: &LeaseRequest,
) -> Result<Option<Lease>, StepError> {
    let error = match writer.machine(&platform.app, &id).lease(wanted).await {
        Ok(lease) => return Ok(Some(lease)),
        Err(error) => error,
    };
    match &error.reason {
        // Nothing left to protect; the step that needs it says so better.
        Reason::NotFound => Ok(None),
        Reason::LeaseHeld(by) => {
            let found = platform.client.machine_lease(&platform.app, &id).await.ok();
            let what = found
                .as_ref()
                .and_then(|found| found.value.lease()?.description.text())
                .map(|text| format!(" for `{text}`"))
                .unwrap_or_default();
            Err(StepError::held(format!(
                "the lease of Machine {id} is held by {}{what} until {}",
                by.owner, by.expires_at
            ))
            .hint(format!(
                "wait for it to end (a deploy holds leases for seconds), or, if its holder is dead, `fly machine leases clear {id} -a {}`",
                platform.app
            )))
        }
        _ => Err(write_error(&error)),
    }
}

#[async_trait]
impl Session for Held {
    fn public(&self) -> Outputs {
        Outputs::none().with("description", self.description.clone())
    }

    async fn refresh(&self) -> Result<(), StepError> {
        // Each lease refreshes itself; here its word is taken.
        for lease in self.leases.read().await.iter() {
            if let LeaseState::Lost(why) = lease.state() {
                return Err(StepError::stale(format!(
                    "the lease of Machine {} of app {} was lost: {why}",
                    lease.machine(),
                    self.app
                ))
                .hint("look who changed it, then resume"));
            }
        }
        Ok(())
    }

    async fn close(&self) -> Result<(), StepError> {
        let leases = std::mem::take(&mut *self.leases.write().await);
        let mut problem = None;
        for lease in leases {
            if let Err(error) = lease.release().await {
                problem = Some(write_error(&error));
            }
        }
        problem.map_or(Ok(()), Err)
    }
}
