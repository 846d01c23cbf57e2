//! Trouble with single hosts of the app; the public page does not show it (GraphQL).

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct HostIssues;

static SPEC: Spec = Spec {
    id: "hostissues",
    title: "trouble with hosts that carry this app",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "POST api.fly.io/graphql (hostIssues)",
        times: "1",
        permission: "read the app",
    }],
    files: &["platform/host-issues.json"],
    bytes: 2000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 85,
};

#[async_trait]
impl Collector for HostIssues {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.graphql_host_issues(&around.app).await)?;
        job.json("platform/host-issues.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
