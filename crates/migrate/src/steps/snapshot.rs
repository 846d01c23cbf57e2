//! `snapshot_volume`: a last snapshot of a volume that stands still. It is what is left when everything else goes wrong.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::MachineId;
use fly_types::wire::Snapshot as WireSnapshot;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::fork::mounted;
use crate::errors::{read_error, write_error};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const SNAPSHOT: &str = "snapshot_volume";

pub(crate) struct Snapshot(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    machine: MachineId,
    path: String,
}

impl Snapshot {
    async fn list(&self, params: &Params) -> Result<Vec<WireSnapshot>, StepError> {
        let (volume, _) = mounted(&self.0, &params.machine, &params.path).await?;
        let list = self.0.client.snapshots(&self.0.app, &volume).await;
        Ok(list.map_err(|error| read_error(&error))?.value)
    }

    async fn find(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Option<WireSnapshot>, StepError> {
        let Some(known) = cx.before().get("known") else { return Ok(None) };
        let known = Vec::<String>::deserialize(known).unwrap_or_default();
        let list = self.list(params).await?;
        Ok(list
            .into_iter()
            .find(|one| one.id.text().is_some_and(|id| !known.iter().any(|old| old == id))))
    }
}

#[async_trait]
impl StepKind for Snapshot {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        if self.find(cx, &params).await?.is_some() {
            return Ok(Observed::Underway);
        }
        let list = self.list(&params).await?;
        let known: Vec<String> =
            list.iter().filter_map(|one| one.id.text().map(str::to_owned)).collect();
        Ok(Observed::Pending { before: Outputs::none().with("known", known) })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        if self.find(cx, &params).await?.is_some() {
            return Ok(());
        }
        let (volume, _) = mounted(&self.0, &params.machine, &params.path).await?;
        let made = self.0.writer(permit).create_snapshot(&self.0.app, &volume).await;
        made.map(|_| ()).map_err(|error| write_error(&error))
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        loop {
            match self.find(cx, &params).await? {
                Some(found) if found.status.text() == Some("created") => return Ok(()),
                Some(found) if matches!(found.status.text(), Some("failed" | "deleted")) => {
                    return Err(StepError::failed(format!(
                        "the snapshot of the volume of Machine {} of app {} failed",
                        params.machine, self.0.app
                    )));
                }
                _ => self.0.pause(Duration::from_secs(2)).await,
            }
        }
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let found =
            self.find(cx, &params).await?.filter(|one| one.status.text() == Some("created"));
        let found = found.ok_or_else(|| {
            StepError::failed(format!(
                "there is no finished snapshot of the volume of Machine {} of app {}",
                params.machine, self.0.app
            ))
        })?;
        Ok(Outputs::none().with("snapshot", found.id.text().unwrap_or_default()))
    }
}
