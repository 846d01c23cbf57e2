//! The app: status, owner, host name, platform version (GraphQL), and as REST shows it.

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct App;

static SPEC: Spec = Spec {
    id: "app",
    title: "the app itself",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "POST api.fly.io/graphql (app)",
        times: "1",
        permission: "read the app",
    }],
    files: &["app/app.json"],
    bytes: 2000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 95,
};

#[async_trait]
impl Collector for App {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.graphql_app(&around.app).await)?;
        job.json("app/app.json", &answer.body)?;
        // Set once per run: this collector runs once.
        let _ = around.found.app.set(answer.value);
        Ok(Outcome::OK)
    }
}
