//! Addresses of the app with type and region (GraphQL).

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Ips;

static SPEC: Spec = Spec {
    id: "ips",
    title: "addresses",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "POST api.fly.io/graphql (ipAddresses)",
        times: "1",
        permission: "read the app",
    }],
    files: &["app/ips.json"],
    bytes: 2000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 50,
};

#[async_trait]
impl Collector for Ips {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.graphql_ips(&around.app).await)?;
        job.json("app/ips.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
