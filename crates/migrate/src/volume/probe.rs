//! Steps that look from inside: `volume_probe` mounts a new volume in a helper and asks it; `volume_mounted` asks a Machine of the app.
//!
//! What `exec` says is judged in the act, which can be repeated at any time and leaves nothing behind.

use std::sync::Arc;

use async_trait::async_trait;
use fly_types::{MachineId, RegionCode, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::helper::{Helper, MOUNT, exec, mounted};
use super::script;
use crate::platform::Platform;

/// Name of the kind that tries a new volume.
pub(crate) const PROBE: &str = "volume_probe";
/// Name of the kind that asks a Machine of the app.
pub(crate) const MOUNTED: &str = "volume_mounted";
/// Name of the kind that writes out what a Machine has not written yet.
pub(crate) const SYNC: &str = "volume_sync";

pub(crate) struct Probe(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    mark: String,
    region: RegionCode,
    volume: VolumeId,
    image: String,
}

impl Probe {
    fn helper<'a>(&'a self, cx: &StepContext<'_>, params: &'a Params) -> Helper<'a> {
        Helper { platform: &self.0, mark: &params.mark, name: format!("{}.probe", cx.step.id) }
    }

    /// Writes a file, reads it back, removes it. The volume is new: nobody else has it.
    async fn writable(&self, permit: &Permit, machine: &MachineId) -> Result<(), StepError> {
        let line = script::probe(MOUNT);
        match exec(&self.0, &self.0.writer(permit), machine, &line).await? {
            Some(said) if said.code == 0 && said.out == script::PROBED => Ok(()),
            said => Err(StepError::unsafe_state(format!(
                "the new volume of app {} is mounted, but {}",
                self.0.app,
                said.map_or("writing on it does not end".to_owned(), |said| format!(
                    "what is written on it cannot be read back: {}",
                    said.err.trim()
                ))
            ))
            .hint("undo, which deletes it, and plan again")),
        }
    }
}

#[async_trait]
impl StepKind for Probe {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let there = self.helper(cx, &params).find().await?.is_some();
        Ok(if there { Observed::Partial } else { Observed::pending() })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let helper = self.helper(cx, &params);
        let look = async {
            let machine = helper
                .start(permit, &params.image, &params.region, &params.volume, "sleep inf")
                .await?;
            let writer = self.0.writer(permit);
            mounted(&self.0, &writer, &machine.id, MOUNT).await?;
            self.writable(permit, &machine.id).await
        };
        // Also after a failure nothing of it may stay; what is said is the first problem.
        let looked = look.await;
        looked.and(helper.remove(permit).await)
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        match self.helper(cx, &params).find().await? {
            None => Ok(Outputs::none()),
            Some(left) => Err(StepError::failed(format!(
                "helper Machine {} of app {} is still there",
                left.id, self.0.app
            ))),
        }
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        self.helper(cx, &params).remove_later(cx, permit).await
    }
}

/// Asks a Machine whether a path is a mount, or makes it write out everything.
pub(crate) struct Ask {
    pub(crate) platform: Arc<Platform>,
    pub(crate) sync: bool,
}

#[derive(Deserialize)]
struct AskParams {
    machine: MachineId,
    #[serde(default)]
    path: String,
}

#[async_trait]
impl StepKind for Ask {
    async fn observe(&self, _: &StepContext<'_>) -> Result<Observed, StepError> {
        Ok(Observed::pending())
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: AskParams = cx.parse()?;
        let writer = self.platform.writer(permit);
        if !self.sync {
            return mounted(&self.platform, &writer, &params.machine, &params.path)
                .await
                .map(|_| ());
        }
        match exec(&self.platform, &writer, &params.machine, "sync").await? {
            Some(said) if said.code == 0 => Ok(()),
            said => Err(StepError::failed(format!(
                "`sync` in Machine {} of app {} {}",
                params.machine,
                self.platform.app,
                said.map_or("did not end in time".to_owned(), |said| format!("ended with {}: {}", said.code, said.err.trim()))
            ))
            .hint("stop the Machine before the copy, or plan again with --no-sync and know that the last seconds may be missing")),
        }
    }

    async fn verify(&self, _: &StepContext<'_>) -> Result<Outputs, StepError> {
        Ok(Outputs::none())
    }
}
