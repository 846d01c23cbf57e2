//! Unresolved incidents, from the list that flyctl polls. Public.

use async_trait::async_trait;

use super::{Call, Collector, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Incidents;

static SPEC: Spec = Spec {
    id: "incidents",
    title: "unresolved incidents",
    version: 1,
    requires: &[],
    needs: &[],
    calls: &[Call { what: "GET incidents.flyio.net/v1/incidents", times: "1", permission: "none" }],
    files: &["platform/incidents.json"],
    bytes: 10000,
    limit: SECOND.saturating_mul(10),
    pool: Pool::Api,
    value: 90,
};

#[async_trait]
impl Collector for Incidents {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.incidents().await)?;
        job.json("platform/incidents.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
