//! The events of each Machine. The list of Machines holds the last few only, too few to see a crash loop.

use async_trait::async_trait;
use fly_types::state::MachineState;
use fly_types::wire::{EventType, Machine};

use super::each::each;
use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Events;

static SPEC: Spec = Spec {
    id: "events",
    title: "the last 50 events of Machines that had an exit or do not run",
    version: 1,
    requires: &["machines"],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/machines/{id}/events",
        times: "1 per Machine that had an exit or does not run",
        permission: "read the app",
    }],
    files: &["machines/<id>/events.json"],
    bytes: 60_000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 97,
};

/// Events asked for; the platform gives no more (Machines API reference, section 6).
const MOST: u32 = 50;

#[async_trait]
impl Collector for Events {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let machines = around.found.machines.get().map_or(&[][..], Vec::as_slice);
        let eventful =
            machines.iter().filter(|machine| is_eventful(machine)).map(|it| it.id.clone());
        let outcome = each(eventful.collect(), "Machines", |id| async move {
            let answer = job.note(around.client.machine_events(&around.app, &id, MOST).await)?;
            job.json(&format!("machines/{}/events.json", safe_component(id.as_str())), &answer.body)
        });
        Ok(outcome.await)
    }
}

/// Whether the last few events may not tell all.
fn is_eventful(machine: &Machine) -> bool {
    let had_exit = || {
        machine.events.items().iter().any(|event| event.event_type.get() == Some(&EventType::Exit))
    };
    machine.state.get() != Some(&MachineState::Started) || had_exit()
}
