//! The volumes of the app.

use async_trait::async_trait;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Volumes;

static SPEC: Spec = Spec {
    id: "volumes",
    title: "volumes",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/volumes",
        times: "1",
        permission: "read the app",
    }],
    files: &["volumes/list.json"],
    bytes: 20000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 80,
};

#[async_trait]
impl Collector for Volumes {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.volumes(&around.app).await)?;
        job.json("volumes/list.json", &answer.body)?;
        let _ = around.found.volumes.set(answer.value);
        Ok(Outcome::OK)
    }
}
