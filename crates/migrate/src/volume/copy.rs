//! `volume_copy`: every file of one volume onto another, through two helper Machines, and the comparison of both.
//!
//! A Machine mounts one volume, so the files go over the private network: `tar` into `nc` on one side, `nc` into `tar` on the other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::{MachineId, RegionCode, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::helper::{Helper, MOUNT, exec, mounted};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const COPY: &str = "volume_copy";
/// Where the receiver listens, inside the organization's private network.
const PORT: u16 = 7400;
const PAUSE: Duration = Duration::from_secs(5);
/// Comparisons after a copy that ended, and after one that goes on longer than `exec` waits (an hour).
const LOOKS: u32 = 6;
const LOOKS_WHEN_LONG: u32 = 720;

pub(crate) struct Copy(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    mark: String,
    region: RegionCode,
    from: VolumeId,
    to: VolumeId,
    image: String,
}

/// One line over all files: their paths and contents. Owners and modes are carried by `tar`, and not compared.
fn digest_line() -> String {
    format!("cd {MOUNT} && find . -type f -exec sha256sum {{}} + | sort | sha256sum")
}

impl Copy {
    fn helper<'a>(&'a self, cx: &StepContext<'_>, params: &'a Params, role: &str) -> Helper<'a> {
        Helper { platform: &self.0, mark: &params.mark, name: format!("{}.{role}", cx.step.id) }
    }

    fn both<'a>(&'a self, cx: &StepContext<'_>, params: &'a Params) -> [Helper<'a>; 2] {
        [self.helper(cx, params, "sender"), self.helper(cx, params, "receiver")]
    }

    async fn files(&self, permit: &Permit, machine: &MachineId) -> Result<String, StepError> {
        let said = exec(&self.0, &self.0.writer(permit), machine, &digest_line()).await?;
        match said {
            Some(said) if said.code == 0 && !said.out.trim().is_empty() => Ok(said.out),
            Some(said) => Err(StepError::failed(format!(
                "the files of helper Machine {machine} of app {} could not be read: {}",
                self.0.app,
                said.err.trim()
            ))),
            None => Err(StepError::failed(format!(
                "reading all files in helper Machine {machine} of app {} takes longer than `exec` waits",
                self.0.app
            ))
            .hint("the volume is too large for this: undo, and copy by hand with the commands of the plan")),
        }
    }

    async fn copied(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
        permit: &Permit,
    ) -> Result<(), StepError> {
        let writer = self.0.writer(permit);
        let [sender, receiver] = self.both(cx, params);
        let from =
            sender.start(permit, &params.image, &params.region, &params.from, "sleep inf").await?;
        let listen = format!("while true; do nc -l -p {PORT} | tar -C {MOUNT} -xf -; done");
        let to = receiver.start(permit, &params.image, &params.region, &params.to, &listen).await?;
        let here = mounted(&self.0, &writer, &from.id, MOUNT).await?;
        let there = mounted(&self.0, &writer, &to.id, MOUNT).await?;
        if here.used_kb > there.available_kb {
            return Err(StepError::failed(format!(
                "volume {} of app {} holds {} MB and volume {} has room for {} MB: the data does not fit",
                params.from,
                self.0.app,
                here.used_kb / 1024,
                params.to,
                there.available_kb / 1024
            ))
            .hint("undo, then plan again with a larger --size"));
        }
        let address = to.private_ip.text().unwrap_or_default();
        let wanted = self.files(permit, &from.id).await?;
        if self.files(permit, &to.id).await? != wanted {
            let line = format!("tar -C {MOUNT} -cf - . | nc -w 60 {address} {PORT}");
            let sent = exec(&self.0, &writer, &from.id, &line).await?;
            if let Some(said) = sent.as_ref().filter(|said| said.code != 0) {
                return Err(StepError::failed(format!(
                    "sending the files of volume {} of app {} ended with {}: {}",
                    params.from,
                    self.0.app,
                    said.code,
                    said.err.trim()
                ))
                .hint("resume to send them again"));
            }
            let mut left = if sent.is_some() { LOOKS } else { LOOKS_WHEN_LONG };
            while self.files(permit, &to.id).await? != wanted {
                left -= 1;
                if left == 0 {
                    return Err(StepError::failed(format!(
                        "the files on volumes {} and {} of app {} differ after the copy",
                        params.from, params.to, self.0.app
                    ))
                    .hint("resume to copy again; the old volume is untouched"));
                }
                self.0.pause(PAUSE).await;
            }
        }
        exec(&self.0, &writer, &to.id, "sync").await.map(|_| ())
    }
}

#[async_trait]
impl StepKind for Copy {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        for helper in self.both(cx, &params) {
            if helper.find().await?.is_some() {
                return Ok(Observed::Partial);
            }
        }
        Ok(Observed::pending())
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let mut result = self.copied(cx, &params, permit).await;
        for helper in self.both(cx, &params) {
            result = result.and(helper.remove(permit).await);
        }
        result
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        for helper in self.both(cx, &params) {
            if let Some(left) = helper.find().await? {
                return Err(StepError::failed(format!(
                    "helper Machine {} of app {} is still there",
                    left.id, self.0.app
                )));
            }
        }
        Ok(Outputs::none())
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        for helper in self.both(cx, &params) {
            helper.remove_later(cx, permit).await?;
        }
        Ok(())
    }
}
