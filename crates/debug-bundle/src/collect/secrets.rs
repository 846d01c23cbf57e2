//! Names and digests of the secrets. Values are never asked for, and the platform never gives them.

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Secrets;

static SPEC: Spec = Spec {
    id: "secrets",
    title: "names and digests of the secrets, never values",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/secrets",
        times: "1",
        permission: "read the app",
    }],
    files: &["app/secrets.json"],
    bytes: 5000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 60,
};

#[async_trait]
impl Collector for Secrets {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.secrets(&around.app).await)?;
        job.json("app/secrets.json", &answer.body)?;
        Ok(Outcome::OK)
    }
}
