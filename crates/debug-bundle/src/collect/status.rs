//! The public status page with its components.

use async_trait::async_trait;

use super::{Call, Collector, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct StatusPage;

static SPEC: Spec = Spec {
    id: "status",
    title: "public status page",
    version: 1,
    requires: &[],
    needs: &[],
    calls: &[Call {
        what: "GET status.flyio.net/api/v2/summary.json",
        times: "1",
        permission: "none",
    }],
    files: &["platform/status.json"],
    bytes: 30000,
    limit: SECOND.saturating_mul(10),
    pool: Pool::Api,
    value: 75,
};

#[async_trait]
impl Collector for StatusPage {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.status_summary().await)?;
        job.json("platform/status.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
