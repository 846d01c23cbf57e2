//! `volume_snapshot`: a snapshot taken now and waited for. It is left to expire, also by an undo.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::VolumeId;
use fly_types::wire::Snapshot;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use crate::errors::{read_error, write_error};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const SNAPSHOT: &str = "volume_snapshot";

pub(crate) struct Take(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    volume: VolumeId,
}

impl Take {
    async fn list(&self, volume: &VolumeId) -> Result<Vec<Snapshot>, StepError> {
        let found = self.0.client.snapshots(&self.0.app, volume).await;
        Ok(found.map_err(|error| read_error(&error))?.value)
    }

    /// A snapshot that was not there before the first try.
    async fn ours(&self, cx: &StepContext<'_>) -> Result<Option<Snapshot>, StepError> {
        let params: Params = cx.parse()?;
        let Some(known) = cx.before().get("known") else { return Ok(None) };
        let known = Vec::<String>::deserialize(known).unwrap_or_default();
        let list = self.list(&params.volume).await?;
        Ok(list
            .into_iter()
            .find(|one| one.id.text().is_some_and(|id| !known.iter().any(|old| old == id))))
    }
}

#[async_trait]
impl StepKind for Take {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        if self.ours(cx).await?.is_some() {
            return Ok(Observed::Underway);
        }
        let list = self.list(&params.volume).await?;
        // One that is under way already is taken for ours: the platform makes no second one beside it.
        let finished = list.iter().filter(|one| one.status.text() == Some("created"));
        let known: Vec<String> =
            finished.filter_map(|one| one.id.text().map(str::to_owned)).collect();
        Ok(Observed::Pending { before: Outputs::none().with("known", known) })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        if self.ours(cx).await?.is_some() {
            return Ok(());
        }
        let made = self.0.writer(permit).create_snapshot(&self.0.app, &params.volume).await;
        made.map(|_| ()).map_err(|error| write_error(&error))
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        loop {
            match self.ours(cx).await? {
                Some(one) if one.status.text() == Some("created") => return Ok(()),
                _ => self.0.pause(Duration::from_secs(1)).await,
            }
        }
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        match self.ours(cx).await? {
            Some(one) if one.status.text() == Some("created") => {
                Ok(Outputs::none().with("snapshot", one.id.text().unwrap_or_default()))
            }
            _ => Err(StepError::failed(format!(
                "the new snapshot of volume {} of app {} is not finished",
                params.volume, self.0.app
            ))
            .hint("resume; nothing of the app was changed for it")),
        }
    }
}
