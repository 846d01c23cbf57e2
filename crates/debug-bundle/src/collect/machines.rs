//! The Machines with configuration, events and checks: one call, taken apart into a directory per Machine.

use async_trait::async_trait;
use serde_json::Value;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Machines;

static SPEC: Spec = Spec {
    id: "machines",
    title: "Machines with configuration, events and checks",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/machines",
        times: "1",
        permission: "read the app",
    }],
    files: &["machines/list.json", "machines/<id>/{machine,checks}.json"],
    bytes: 200_000,
    limit: SECOND.saturating_mul(20),
    pool: Pool::Api,
    value: 100,
};

/// Machines that get a directory of their own; the list has them all.
const MOST_DIRECTORIES: usize = 500;

#[async_trait]
impl Collector for Machines {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let filter = fly_api::MachineFilter::default();
        let answer = job.note(around.client.machines(&around.app, &filter).await)?;
        job.json("machines/list.json", &answer.body)?;
        let machines: Vec<Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        for machine in machines.iter().take(MOST_DIRECTORIES) {
            let Some(id) = machine.get("id").and_then(Value::as_str) else { continue };
            let folder = format!("machines/{}", safe_component(id));
            job.value(&format!("{folder}/machine.json"), machine)?;
            let checks = machine.get("checks").cloned().unwrap_or(Value::Array(Vec::new()));
            job.value(&format!("{folder}/checks.json"), &checks)?;
        }
        // Set once per run: this collector runs once.
        let _ = around.found.machines.set(answer.value);
        Ok(Outcome::OK)
    }
}
