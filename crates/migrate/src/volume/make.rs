//! `volume_make`: a new volume, empty, forked or restored, made once whatever is lost or killed.
//!
//! Volumes carry no marks and their names repeat. So what is there is written down before the first try: a volume of this name,
//! region and size that was not there then, and that no Machine of that time has, is ours.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::{NewVolume, Reason, VolumeSource};
use fly_types::state::VolumeState;
use fly_types::wire::{Guest, Volume};
use fly_types::{RegionCode, VolumeId};
use jiff::SignedDuration;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use crate::errors::{read_error, write_error};
use crate::platform::{LIST_LAG, Platform};

/// Name of the kind.
pub(crate) const MAKE: &str = "volume_make";
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Make(pub(crate) Arc<Platform>);

#[derive(Debug, Deserialize)]
struct Params {
    name: String,
    region: RegionCode,
    size_gb: i64,
    #[serde(default)]
    fork: Option<VolumeId>,
    #[serde(default)]
    snapshot: Option<String>,
    /// Size of the Machine that will use it, so that its host has room for both.
    #[serde(default)]
    compute: Option<Guest>,
    #[serde(default)]
    retention_days: Option<i64>,
}

impl Params {
    fn fits(&self, volume: &Volume) -> bool {
        volume.name.text() == Some(self.name.as_str())
            && volume.region.get() == Some(&self.region)
            && volume.size_gb.copied() == Some(self.size_gb)
            && volume.state.get().is_none_or(VolumeState::is_live)
    }
}

/// Waits until a volume is finished, and says what it is. Each state that it comes through is told.
async fn settled(
    platform: &Platform,
    cx: &StepContext<'_>,
    id: &VolumeId,
) -> Result<Volume, StepError> {
    let mut last = String::new();
    loop {
        let found = platform.client.volume(&platform.app, id).await;
        let volume = found.map_err(|error| read_error(&error))?.value;
        match volume.state.get() {
            Some(VolumeState::Created) => return Ok(volume),
            Some(state) if !state.is_live() => {
                return Err(StepError::stale(format!(
                    "volume {id} of app {} is {state}: somebody deletes it",
                    platform.app
                ))
                .hint("undo, then plan again"));
            }
            state => {
                let word = state.map_or("of unknown state", VolumeState::as_str);
                if word != last {
                    cx.note(&format!("volume {id} is {word}{}", explained(word)));
                    word.clone_into(&mut last);
                }
                platform.pause(PAUSE).await;
            }
        }
    }
}

/// What goes on in a state (Machines API reference, section 7).
fn explained(state: &str) -> &'static str {
    match state {
        "enabling_remote_export" => ": the original's host prepares to send it",
        "hydrating" => ": it is filled over the network, at the pace of what the original holds",
        "restoring" => ": the snapshot is being copied",
        _ => "",
    }
}

/// Deletes a volume and waits until it is on its way out. While a Machine that is being destroyed has it, that takes a while.
pub(crate) async fn delete(
    platform: &Platform,
    permit: &Permit,
    id: &VolumeId,
) -> Result<(), StepError> {
    let writer = platform.writer(permit);
    for left in (0..60).rev() {
        match writer.delete_volume(&platform.app, id).await {
            Ok(_) => break,
            Err(error) if error.reason.passes() && left > 0 => platform.pause(PAUSE).await,
            Err(error) => return Err(write_error(&error)),
        }
    }
    while is_live(platform, id).await? {
        platform.pause(PAUSE).await;
    }
    Ok(())
}

/// Whether a volume is there and not on its way out.
pub(crate) async fn is_live(platform: &Platform, id: &VolumeId) -> Result<bool, StepError> {
    match platform.client.volume(&platform.app, id).await {
        Ok(found) => Ok(found.value.state.get().is_none_or(VolumeState::is_live)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(read_error(&error)),
    }
}

fn texts(outputs: &Outputs, name: &str) -> Vec<String> {
    let list = outputs.get(name).and_then(|value| Vec::<String>::deserialize(value).ok());
    list.unwrap_or_default()
}

impl Make {
    async fn volumes(&self) -> Result<Vec<Volume>, StepError> {
        let found = self.0.client.volumes(&self.0.app).await;
        Ok(found.map_err(|error| read_error(&error))?.value)
    }

    /// Ours, if it is there. Lists may leave out for seconds what was just made.
    async fn find(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Option<Volume>, StepError> {
        if cx.before().is_empty() {
            return Ok(None);
        }
        let (known, machines) = (texts(cx.before(), "volumes"), texts(cx.before(), "machines"));
        loop {
            let mut ours: Vec<Volume> = self.volumes().await?;
            ours.retain(|volume| {
                let holder = volume.attached_machine_id.get().map(ToString::to_string);
                params.fits(volume)
                    && !known.contains(&volume.id.to_string())
                    // The platform may have moved a volume to another host, under a new id, together with its Machine.
                    && holder.is_none_or(|id| !machines.contains(&id))
            });
            if ours.len() > 1 {
                let ids: Vec<String> = ours.iter().map(|one| one.id.to_string()).collect();
                return Err(StepError::unsafe_state(format!(
                    "several new volumes of app {} could be the one of step `{}`: {}",
                    self.0.app,
                    cx.step.id,
                    ids.join(", ")
                ))
                .hint("look at each of them, destroy what nobody needs, then resume"));
            }
            let young = cx.began_at().is_some_and(|began| {
                let lag = SignedDuration::try_from(LIST_LAG).unwrap_or_default();
                cx.now().duration_since(began) < lag
            });
            match ours.pop() {
                None if young => self.0.pause(PAUSE).await,
                found => return Ok(found),
            }
        }
    }

    async fn ours(&self, cx: &StepContext<'_>, params: &Params) -> Result<VolumeId, StepError> {
        // Not from the outputs: after an undo that was cut off they name the one that is gone.
        let found = self.find(cx, params).await?;
        found.map(|volume| volume.id).ok_or_else(|| {
            StepError::stale(format!(
                "the new volume {} of app {} in {} is not there any more",
                params.name, self.0.app, params.region
            ))
            .hint("undo, then plan again")
        })
    }
}

#[async_trait]
impl StepKind for Make {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        if self.find(cx, &params).await?.is_some() {
            return Ok(Observed::Underway);
        }
        let ids = |volume: &Volume| volume.id.to_string();
        let volumes: Vec<String> = self.volumes().await?.iter().map(ids).collect();
        let machines = self.0.machines().await?;
        let machines: Vec<String> = machines.iter().map(|one| one.id.to_string()).collect();
        let before = Outputs::none().with("volumes", volumes).with("machines", machines);
        Ok(Observed::Pending { before })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let source = match (&params.fork, &params.snapshot) {
            (Some(id), _) => VolumeSource::Fork(id.clone()),
            (None, Some(id)) => VolumeSource::Snapshot(id.clone()),
            (None, None) => VolumeSource::Empty,
        };
        let new = NewVolume {
            size_gb: Some(params.size_gb),
            source,
            snapshot_retention: params.retention_days,
            compute: params.compute.clone(),
            ..NewVolume::new(params.name.clone(), params.region.clone())
        };
        if self.listed(cx, &params).await? {
            return Ok(());
        }
        let made = self.0.writer(permit).create_volume(&self.0.app, &new).await;
        made.map(|_| ()).map_err(|error| match &error.reason {
            Reason::NoCapacity(_) => {
                let told = write_error(&error);
                StepError {
                    hint: Some(format!(
                        "resume later, or undo and plan again into another region than {}: a volume needs a host there with room for it and its Machine",
                        params.region
                    )),
                    ..told
                }
            }
            _ => write_error(&error),
        })
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let id = self.ours(cx, &params).await?;
        settled(&self.0, cx, &id).await.map(|_| ())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let id = self.ours(cx, &params).await?;
        let volume = settled(&self.0, cx, &id).await?;
        if volume.region.get() != Some(&params.region) {
            return Err(StepError::unsafe_state(format!(
                "volume {id} of app {} is not in {}",
                self.0.app, params.region
            )));
        }
        Ok(Outputs::none()
            .with("volume", id.to_string())
            .with("zone", volume.zone.text().unwrap_or("unknown")))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        match self.find(cx, &params).await? {
            Some(volume) => delete(&self.0, permit, &volume.id).await,
            None => Ok(()),
        }
    }
}

impl Make {
    /// The same as `find` without waiting for lists: used right before a create, which looks again by itself.
    async fn listed(&self, cx: &StepContext<'_>, params: &Params) -> Result<bool, StepError> {
        let known = texts(cx.before(), "volumes");
        let volumes = self.volumes().await?;
        Ok(volumes.iter().any(|one| params.fits(one) && !known.contains(&one.id.to_string())))
    }
}

/// `volume_drop`: deletes a volume that only served the run.
pub(crate) struct Drop(pub(crate) Arc<Platform>);

/// Name of the kind.
pub(crate) const DROP: &str = "volume_drop";

#[derive(Deserialize)]
struct DropParams {
    volume: VolumeId,
}

#[async_trait]
impl StepKind for Drop {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: DropParams = cx.parse()?;
        let live = is_live(&self.0, &params.volume).await?;
        Ok(if live { Observed::pending() } else { Observed::Done })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: DropParams = cx.parse()?;
        delete(&self.0, permit, &params.volume).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: DropParams = cx.parse()?;
        if is_live(&self.0, &params.volume).await? {
            return Err(StepError::failed(format!(
                "volume {} of app {} is still there",
                params.volume, self.0.app
            )));
        }
        Ok(Outputs::none())
    }
}
