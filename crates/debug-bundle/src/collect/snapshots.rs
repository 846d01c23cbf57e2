//! Snapshots of each volume: what could be restored.

use async_trait::async_trait;

use super::each::each;
use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Snapshots;

static SPEC: Spec = Spec {
    id: "snapshots",
    title: "snapshots of volumes",
    version: 1,
    requires: &["volumes"],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/apps/{app}/volumes/{volume}/snapshots",
        times: "1 per volume",
        permission: "read the app",
    }],
    files: &["volumes/<id>/snapshots.json"],
    bytes: 20_000,
    limit: SECOND.saturating_mul(15),
    pool: Pool::Api,
    value: 45,
};

#[async_trait]
impl Collector for Snapshots {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let volumes = around.found.volumes.get().map_or(&[][..], Vec::as_slice);
        let ids = volumes.iter().map(|volume| volume.id.clone()).collect();
        let outcome = each(ids, "volumes", |id| async move {
            let answer = job.note(around.client.snapshots(&around.app, &id).await)?;
            let path = format!("volumes/{}/snapshots.json", safe_component(id.as_str()));
            job.json(&path, &answer.body)
        });
        Ok(outcome.await)
    }
}
