//! Processes of started Machines with the sockets they listen on: whether anything listens where the service expects it.

use async_trait::async_trait;
use fly_types::state::MachineState;

use super::each::each;
use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Ps;

static SPEC: Spec = Spec {
    id: "ps",
    title: "processes and listening sockets of started Machines",
    version: 1,
    requires: &["machines"],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/machines/{id}/ps",
        times: "1 per started Machine",
        permission: "read the app",
    }],
    files: &["machines/<id>/ps.json"],
    bytes: 50_000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 65,
};

#[async_trait]
impl Collector for Ps {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let machines = around.found.machines.get().map_or(&[][..], Vec::as_slice);
        let started = machines
            .iter()
            .filter(|machine| machine.state.get() == Some(&MachineState::Started))
            .map(|machine| machine.id.clone())
            .collect();
        let outcome = each(started, "Machines", |id| async move {
            let answer = job.note(around.client.machine_processes(&around.app, &id).await)?;
            job.json(&format!("machines/{}/ps.json", safe_component(id.as_str())), &answer.body)
        });
        Ok(outcome.await)
    }
}
