//! `verify_data`: two Machines that only hold their volumes are asked for the sum of every file; they must agree, and `discard`, which removes the
//! one that served as reference.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::state::{MachineState, VolumeState};
use fly_types::{MachineId, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::fork::delete;
use super::looks::Look;
use crate::errors::{read_error, write_error};
use crate::platform::Platform;

/// Name of the kind that compares.
pub(crate) const DATA: &str = "verify_data";
/// Name of the kind that removes the reference.
pub(crate) const DISCARD: &str = "discard";
/// Name of the kind that waits until a copy is complete.
pub(crate) const HYDRATED: &str = "hydrated";

/// Name of the kind that looks whether there is anything.
pub(crate) const FILES: &str = "files_there";

pub(crate) struct Data(pub(crate) Arc<Platform>);
pub(crate) struct Files(pub(crate) Arc<Platform>);
pub(crate) struct Discard(pub(crate) Arc<Platform>);
pub(crate) struct Hydrated(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    reference: MachineId,
    copy: MachineId,
    path: String,
}

/// Files that differ are named up to so many.
const SHOWN: usize = 5;

/// `SUM  PATH` of every file, sorted.
async fn sums(
    platform: &Platform,
    machine: &MachineId,
    path: &str,
) -> Result<Vec<String>, StepError> {
    let script = format!("cd '{path}' && find . -type f -exec sha256sum {{}} +");
    let result = platform.inspect(machine, &["sh", "-c", &script]).await?;
    let text = |part: Option<&fly_types::wire::Sensitive<String>>| {
        part.map(|text| text.expose().clone()).unwrap_or_default()
    };
    if result.exit_code.copied().unwrap_or(0) != 0 {
        let said = text(result.stderr.get());
        return Err(StepError::failed(format!(
            "the files below {path} of Machine {machine} of app {} cannot be summed: {}",
            platform.app,
            said.lines().next().unwrap_or("no message")
        ))
        .hint("the image needs sh, find and sha256sum"));
    }
    let mut lines: Vec<String> = text(result.stdout.get()).lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

#[async_trait]
impl Look for Data {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let reference = sums(&self.0, &params.reference, &params.path).await?;
        let copy = sums(&self.0, &params.copy, &params.path).await?;
        if reference != copy {
            let differ: Vec<&str> = reference
                .iter()
                .filter(|line| !copy.contains(line))
                .chain(copy.iter().filter(|line| !reference.contains(line)))
                .filter_map(|line| line.split_once("  ").map(|(_, path)| path))
                .take(SHOWN)
                .collect();
            return Err(StepError::unsafe_state(format!(
                "the copy below {} in app {} differs from the original: {} files there, {} here, such as {}",
                params.path,
                self.0.app,
                reference.len(),
                copy.len(),
                differ.join(", ")
            ))
            .hint("the original is untouched and runs again; undo, then plan again"));
        }
        let sum = runbook::canonical::Digest::of(&copy.clone().into());
        Ok(Outputs::none()
            .with("files", u64::try_from(copy.len()).unwrap_or(0))
            .with("sum", sum.to_string()))
    }
}

#[derive(Deserialize)]
struct FilesParams {
    machine: MachineId,
    path: String,
}

#[async_trait]
impl Look for Files {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: FilesParams = cx.parse()?;
        let found = sums(&self.0, &params.machine, &params.path).await?;
        if found.is_empty() {
            return Err(StepError::unsafe_state(format!(
                "the volume that was restored for {} of app {} is empty",
                params.path, self.0.app
            ))
            .hint("undo, then look for an older snapshot: `fly volumes snapshots list`"));
        }
        let sum = runbook::canonical::Digest::of(&found.clone().into());
        Ok(Outputs::none()
            .with("files", u64::try_from(found.len()).unwrap_or(0))
            .with("sum", sum.to_string()))
    }
}

#[derive(Deserialize)]
struct DiscardParams {
    machine: MachineId,
    volume: VolumeId,
}

impl Discard {
    async fn volume_is_there(&self, id: &VolumeId) -> Result<bool, StepError> {
        match self.0.client.volume(&self.0.app, id).await {
            Ok(found) => Ok(found.value.state.get().is_none_or(VolumeState::is_live)),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(read_error(&error)),
        }
    }
}

#[async_trait]
impl StepKind for Discard {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: DiscardParams = cx.parse()?;
        let there = self.0.machine(&params.machine).await?.is_some()
            || self.volume_is_there(&params.volume).await?;
        Ok(if there { Observed::pending() } else { Observed::Done })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: DiscardParams = cx.parse()?;
        if self.0.machine(&params.machine).await?.is_some() {
            let writer = self.0.writer(permit);
            let machine = writer.machine(&self.0.app, &params.machine);
            machine.destroy(true).await.map_err(|error| write_error(&error))?;
            self.0
                .wait(&params.machine, &[MachineState::Destroyed], Duration::from_mins(2))
                .await?;
        }
        if self.volume_is_there(&params.volume).await? {
            delete(&self.0, permit, &params.volume).await?;
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        match self.observe(cx).await? {
            Observed::Done => Ok(Outputs::none()),
            _ => Err(StepError::failed(format!(
                "the reference copy of app {} is still there",
                self.0.app
            ))),
        }
    }
}

#[derive(Deserialize)]
struct HydratedParams {
    volume: VolumeId,
}

#[async_trait]
impl Look for Hydrated {
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        while self.look(cx).await.is_err() {
            self.0.pause(Duration::from_secs(2)).await;
        }
        Ok(())
    }

    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: HydratedParams = cx.parse()?;
        let found = self
            .0
            .client
            .volume(&self.0.app, &params.volume)
            .await
            .map_err(|error| read_error(&error))?;
        match found.value.state.get() {
            Some(VolumeState::Created) => {
                Ok(Outputs::none().with("volume", params.volume.to_string()))
            }
            state => Err(StepError::failed(format!(
                "volume {} of app {} is {}, not yet complete",
                params.volume,
                self.0.app,
                state.map_or("unknown", VolumeState::as_str)
            ))),
        }
    }
}
