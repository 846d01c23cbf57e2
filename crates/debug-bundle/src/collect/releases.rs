//! Releases with image references, newest first (GraphQL; REST has none).

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Releases;

static SPEC: Spec = Spec {
    id: "releases",
    title: "releases with image references",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "POST api.fly.io/graphql (releases)",
        times: "1",
        permission: "read the app",
    }],
    files: &["app/releases.json"],
    bytes: 20000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 70,
};

#[async_trait]
impl Collector for Releases {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.graphql_releases(&around.app, 25).await)?;
        job.json("app/releases.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
