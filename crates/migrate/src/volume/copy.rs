//! `volume_copy`: every file of one volume onto another, through two helper Machines, and the comparison of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fly_types::wire::Machine;
use fly_types::{RegionCode, VolumeId};
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::helper::{Helper, Job, MOUNT, Said, exec, mounted};
use super::script::{self, SCRATCH};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const COPY: &str = "volume_copy";
/// File systems need some of the space for themselves, and an app needs some to go on.
pub(super) const FULL_PERCENT: i64 = 90;
/// Where the receiver listens, inside the organization's private network.
const PORT: u16 = 7400;
const PAUSE: Duration = Duration::from_secs(5);
/// A Machine is started a moment before its process listens.
const TRIES: u32 = 5;
/// What was sent last may still be written out: so often it is compared.
const LOOKS: u32 = 6;
/// So many pauses without a byte more end a copy: ten minutes.
const STALLED: u32 = 120;

pub(crate) struct Copy(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    mark: String,
    region: RegionCode,
    from: VolumeId,
    to: VolumeId,
    image: String,
}

/// One run of the step, with both helpers there.
struct Between<'a> {
    platform: &'a Platform,
    cx: &'a StepContext<'a>,
    permit: &'a Permit,
    params: &'a Params,
    from: Machine,
    to: Machine,
    /// Kilobytes to copy.
    used_kb: i64,
    jobs: AtomicU32,
}

impl Copy {
    fn helper<'a>(&'a self, cx: &StepContext<'_>, params: &'a Params, role: &str) -> Helper<'a> {
        Helper { platform: &self.0, mark: &params.mark, name: format!("{}.{role}", cx.step.id) }
    }

    fn both<'a>(&'a self, cx: &StepContext<'_>, params: &'a Params) -> [Helper<'a>; 2] {
        [self.helper(cx, params, "sender"), self.helper(cx, params, "receiver")]
    }

    async fn copied(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
        permit: &Permit,
    ) -> Result<(), StepError> {
        let writer = self.0.writer(permit);
        let [sender, receiver] = self.both(cx, params);
        let (image, region) = (&params.image, &params.region);
        let from = sender.start(permit, image, region, &params.from, "sleep inf").await?;
        let listen = script::receive(MOUNT, SCRATCH, PORT);
        let to = receiver.start(permit, image, region, &params.to, &listen).await?;
        let here = mounted(&self.0, &writer, &from.id, MOUNT).await?;
        let there = mounted(&self.0, &writer, &to.id, MOUNT).await?;
        let room = (there.used_kb + there.available_kb) / 100 * FULL_PERCENT;
        if here.used_kb > room {
            return Err(StepError::failed(format!(
                "volume {} of app {} holds {} MB and volume {} takes {} MB ({FULL_PERCENT} % of it): the data does not fit",
                params.from,
                self.0.app,
                here.used_kb / 1024,
                params.to,
                room / 1024
            ))
            .hint("undo, then plan again with a larger --size"));
        }
        let used_kb = here.used_kb;
        let between = Between {
            platform: &self.0,
            cx,
            permit,
            params,
            from,
            to,
            used_kb,
            jobs: AtomicU32::new(0),
        };
        let wanted = between.manifest(true).await?;
        if between.manifest(false).await? != wanted {
            between.send().await?;
            between.compare(&wanted).await?;
        }
        exec(&self.0, &writer, &between.to.id, "sync").await.map(|_| ())
    }
}

impl Between<'_> {
    fn job<'a>(&'a self, sender: bool, script: &'a str) -> Job<'a> {
        let number = self.jobs.fetch_add(1, Ordering::Relaxed);
        let machine = if sender { &self.from.id } else { &self.to.id };
        Job { platform: self.platform, machine, name: format!("job{number}"), script }
    }

    /// One line for everything on a volume.
    async fn manifest(&self, sender: bool) -> Result<String, StepError> {
        let (platform, permit, cx) = (self.platform, self.permit, self.cx);
        let script = script::manifest(MOUNT, SCRATCH);
        let job = self.job(sender, &script);
        cx.note(&format!("reads all files in helper Machine {}", job.machine));
        job.start(permit).await?;
        let said = loop {
            match job.ended(permit).await? {
                Some(said) => break said,
                None => platform.pause(PAUSE).await,
            }
        };
        // Not even the folder itself was seen: two of these would be equal, and prove nothing.
        let blind = said.out.starts_with(script::SUM_OF_NOTHING);
        if said.code == 0 && !said.out.trim().is_empty() && !blind {
            return Ok(said.out);
        }
        Err(StepError::failed(format!(
            "the files in helper Machine {} of app {} could not be read: {}",
            job.machine,
            platform.app,
            said.err.trim()
        ))
        .hint("the image of helpers needs sh, find, stat, sort and sha256sum: see --helper-image"))
    }

    /// Sends everything, once.
    async fn send(&self) -> Result<(), StepError> {
        let (platform, permit) = (self.platform, self.permit);
        let address = self.to.private_ip.text().unwrap_or_default().to_owned();
        let line = script::send(MOUNT, &address, PORT);
        let mut left = TRIES;
        loop {
            let job = self.job(true, &line);
            job.start(permit).await?;
            let said = self.followed(&job).await?;
            if said.code == 0 {
                return Ok(());
            }
            left -= 1;
            if left == 0 {
                return Err(StepError::failed(format!(
                    "sending the files of volume {} of app {} ended with {}: {}",
                    self.params.from,
                    platform.app,
                    said.code,
                    said.err.trim()
                ))
                .hint("resume to send them again; the old volume is untouched"));
            }
            platform.pause(PAUSE).await;
        }
    }

    /// Waits for a send, and says how far it is.
    async fn followed(&self, job: &Job<'_>) -> Result<Said, StepError> {
        let (platform, writer) = (self.platform, self.platform.writer(self.permit));
        let (mut last, mut still) = (0, 0);
        loop {
            if let Some(said) = job.ended(self.permit).await? {
                return Ok(said);
            }
            let there = mounted(platform, &writer, &self.to.id, MOUNT).await?.used_kb;
            // In steps of five per cent: it may take hours.
            let part = (there * 20 / self.used_kb.max(1)).min(20) * 5;
            self.cx.note(&format!("about {part} % of {} MB arrived", self.used_kb / 1024));
            still = if there == last { still + 1 } else { 0 };
            last = there;
            if still >= STALLED {
                return Err(StepError::failed(format!(
                    "for ten minutes nothing more of volume {} of app {} arrived on volume {}",
                    self.params.from, platform.app, self.params.to
                ))
                .hint("resume to send it again; the old volume is untouched"));
            }
            platform.pause(PAUSE).await;
        }
    }

    async fn compare(&self, wanted: &str) -> Result<(), StepError> {
        let (platform, params) = (self.platform, self.params);
        for left in (0..LOOKS).rev() {
            if self.manifest(false).await? == wanted {
                return Ok(());
            }
            if left > 0 {
                platform.pause(PAUSE).await;
            }
        }
        let writer = platform.writer(self.permit);
        let line = script::err("receive", SCRATCH);
        let said = exec(platform, &writer, &self.to.id, &line).await?;
        let said = said.filter(|said| said.code == 0).map(|said| said.out).unwrap_or_default();
        let why = said.lines().last().map(|line| format!(" ({line})")).unwrap_or_default();
        Err(StepError::failed(format!(
            "the files on volumes {} and {} of app {} differ after the copy{why}",
            params.from, params.to, platform.app
        ))
        .hint("resume to copy again; the old volume is untouched"))
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
        // In helpers that a process left which died, its jobs may still run.
        for helper in self.both(cx, &params) {
            helper.remove(permit).await?;
        }
        let mut result = Box::pin(self.copied(cx, &params, permit)).await;
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
