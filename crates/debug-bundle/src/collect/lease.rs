//! Leases of Machines that are between two states: who holds them up.

use async_trait::async_trait;
use fly_types::state::MachineState;

use super::each::each;
use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Lease;

static SPEC: Spec = Spec {
    id: "lease",
    title: "leases of Machines that are between two states",
    version: 1,
    requires: &["machines"],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/machines/{id}/lease",
        times: "1 per Machine that is neither started, stopped nor suspended",
        permission: "read the app",
    }],
    files: &["machines/<id>/lease.json"],
    bytes: 2_000,
    limit: SECOND.saturating_mul(10),
    pool: Pool::Api,
    value: 40,
};

#[async_trait]
impl Collector for Lease {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        use MachineState::{Started, Stopped, Suspended};
        let machines = around.found.machines.get().map_or(&[][..], Vec::as_slice);
        let between = machines
            .iter()
            .filter(|it| !matches!(it.state.get(), Some(Started | Stopped | Suspended)))
            .map(|machine| machine.id.clone())
            .collect();
        let outcome = each(between, "Machines", |id| async move {
            let path = format!("machines/{}/lease.json", safe_component(id.as_str()));
            match around.client.machine_lease(&around.app, &id).await {
                // The platform answers 404 when there is no lease.
                Err(error) if error.is_not_found() => {
                    let _no_lease = job.note::<()>(Err(error));
                    job.json(&path, b"null\n")
                }
                answer => {
                    let answer = job.note(answer)?;
                    job.json(&path, &answer.body)
                }
            }
        });
        Ok(outcome.await)
    }
}
