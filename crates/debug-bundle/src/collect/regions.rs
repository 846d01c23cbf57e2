//! The regions of the platform.

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Regions;

static SPEC: Spec = Spec {
    id: "regions",
    title: "regions of the platform",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/platform/regions",
        times: "1",
        permission: "any token",
    }],
    files: &["platform/regions.json"],
    bytes: 10000,
    limit: SECOND.saturating_mul(10),
    pool: Pool::Api,
    value: 10,
};

#[async_trait]
impl Collector for Regions {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.regions().await)?;
        job.json("platform/regions.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
