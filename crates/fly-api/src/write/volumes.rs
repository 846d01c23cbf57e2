//! Volumes, changed.

use fly_types::state::VolumeState;
use fly_types::wire::{CreateVolume, ExtendVolume, ExtendedVolume, Guest, UpdateVolume, Volume};
use fly_types::{AppName, RegionCode, VolumeId};
use http::Method;

use super::create::{CREATE_TIMEOUT, size_text, some};
use super::error::{Context, Reason, WriteError};
use super::machines::done;
use super::{Writer, once};
use crate::call::{CallRecord, Fetched};
use crate::request::{Action, Class, Request, Target};

const ALL: &str = "/v1/apps/{app}/volumes";
const ONE: &str = "/v1/apps/{app}/volumes/{volume}";

/// What a new volume holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum VolumeSource {
    /// An empty file system.
    #[default]
    Empty,
    /// The content of a snapshot (`vs_…`). The volume must be at least as large as the one that it was taken of.
    Snapshot(String),
    /// A copy of a volume as it is now, of the same app, also across regions. It never follows the original.
    Fork(VolumeId),
}

/// A volume to make. Names need not be unique.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVolume {
    /// Up to 30 lower-case letters, digits and underscores.
    pub name: String,
    /// Exactly one region; the platform takes no aliases here.
    pub region: RegionCode,
    /// Size; without one, that of the source, or the platform's default.
    pub size_gb: Option<i64>,
    /// What it holds.
    pub source: VolumeSource,
    /// Encrypted at rest; the platform's default is yes.
    pub encrypted: Option<bool>,
    /// `ext4` or `raw`.
    pub fstype: Option<String>,
    /// On a host of its own among volumes of this name; the platform's default is yes.
    pub require_unique_zone: Option<bool>,
    /// The same among all volumes of the app.
    pub unique_zone_app_wide: Option<bool>,
    /// Days, 1 to 60.
    pub snapshot_retention: Option<i64>,
    /// Daily snapshots.
    pub auto_backup: Option<bool>,
    /// The size of the Machine that will use it, so that a host with room for both is chosen. Without it the Machine may
    /// find no room (scope [`crate::CapacityScope::VolumePlacement`]).
    pub compute: Option<Guest>,
    /// The image of that Machine.
    pub compute_image: Option<String>,
}

impl NewVolume {
    /// An empty volume with the platform's defaults.
    pub fn new(name: impl Into<String>, region: RegionCode) -> Self {
        Self {
            name: name.into(),
            region,
            size_gb: None,
            source: VolumeSource::Empty,
            encrypted: None,
            fstype: None,
            require_unique_zone: None,
            unique_zone_app_wide: None,
            snapshot_retention: None,
            auto_backup: None,
            compute: None,
            compute_image: None,
        }
    }

    fn fits(&self, volume: &Volume) -> bool {
        volume.name.text() == Some(self.name.as_str())
            && volume.region.get() == Some(&self.region)
            && self.size_gb.is_none_or(|size| volume.size_gb.copied() == Some(size))
            && volume.state.get().is_none_or(VolumeState::is_live)
    }
}

/// A volume that exists now because of this request.
#[derive(Debug, Clone)]
pub struct CreatedVolume {
    /// The volume as last read. It may still be filled: see [`crate::Client::wait_volume`].
    pub volume: Volume,
    /// The answer was lost and it was found in the list.
    pub found: bool,
    /// The calls it took.
    pub calls: Vec<CallRecord>,
}

pub(crate) fn create_request(app: &AppName, new: &NewVolume) -> Request {
    let (snapshot, fork) = match &new.source {
        VolumeSource::Empty => (None, None),
        VolumeSource::Snapshot(id) => (Some(id.clone()), None),
        VolumeSource::Fork(id) => (None, Some(id.clone())),
    };
    let body = CreateVolume {
        name: new.name.clone().into(),
        region: new.region.clone().into(),
        size_gb: some(new.size_gb),
        encrypted: some(new.encrypted),
        fstype: some(new.fstype.clone()),
        require_unique_zone: some(new.require_unique_zone),
        unique_zone_app_wide: some(new.unique_zone_app_wide),
        snapshot_id: some(snapshot),
        source_volume_id: some(fork),
        snapshot_retention: some(new.snapshot_retention),
        auto_backup_enabled: some(new.auto_backup),
        compute: some(new.compute.clone()),
        compute_image: some(new.compute_image.clone()),
        ..CreateVolume::default()
    };
    let class = Class::Unsafe;
    Request::new(
        Method::POST,
        Target::Machines,
        ALL,
        &[app.as_str()],
        class,
        Action::VolumeCreate,
        app.as_str(),
    )
    .json(&body)
    .timeout(CREATE_TIMEOUT)
}

pub(super) fn request(
    method: Method,
    template: &'static str,
    app: &AppName,
    id: &VolumeId,
    class: Class,
    action: Action,
) -> Request {
    let values = [app.as_str(), id.as_str()];
    Request::new(method, Target::Machines, template, &values, class, action, id.as_str())
}

pub(super) fn context(verb: &str, app: &AppName, id: &VolumeId) -> Context {
    Context { volume: Some(id.clone()), ..Context::new(format!("{verb} volume {id} of app {app}")) }
}

impl Writer {
    /// Makes a volume: empty, from a snapshot, or as a fork: `POST /v1/apps/{app}/volumes`.
    ///
    /// Volumes have no metadata and their names repeat, so "once" is less certain than with Machines. When the answer is
    /// lost, a volume of this name, region and size that was not in the list before is taken for it; only when none
    /// shows up for the time of [`Writer::look_for`] is the create repeated, once. Two that fit are
    /// [`Reason::Ambiguous`], with their ids. Calls for one app through one client take turns; another tool that makes
    /// an equal volume in the same seconds is not told apart.
    pub async fn create_volume(
        &self,
        app: &AppName,
        new: &NewVolume,
    ) -> Result<CreatedVolume, WriteError> {
        let from = match &new.source {
            VolumeSource::Empty => String::new(),
            VolumeSource::Snapshot(id) => format!(" from snapshot {id}"),
            VolumeSource::Fork(id) => format!(" as a fork of {id}"),
        };
        let context = Context {
            region: Some(new.region.to_string()),
            size: new.compute.as_ref().and_then(size_text),
            volume: match &new.source {
                VolumeSource::Fork(id) => Some(id.clone()),
                _ => None,
            },
            own_zone: new.require_unique_zone == Some(true)
                || new.unique_zone_app_wide == Some(true),
            ..Context::new(format!(
                "create volume {} of app {app} in {}{from}",
                new.name, new.region
            ))
        };
        let request = create_request(app, new);
        let _turn = self.client.turn(app.as_str()).await;
        let made = once::once(
            context.clone(),
            self.look_for,
            || self.client.volumes(app),
            |volume| volume.id.to_string(),
            |volume| new.fits(volume),
            || self.act::<Volume>(request.clone(), context.clone()),
        )
        .await?;
        Ok(CreatedVolume { volume: made.value, found: made.found, calls: made.calls })
    }

    /// Changes retention (days, 1 to 60) and daily snapshots, the only two things that can change:
    /// `PUT …/volumes/{volume}`.
    pub async fn update_volume(
        &self,
        app: &AppName,
        id: &VolumeId,
        snapshot_retention: Option<i64>,
        auto_backup: Option<bool>,
    ) -> Result<Fetched<Volume>, WriteError> {
        let body = UpdateVolume {
            snapshot_retention: some(snapshot_retention),
            auto_backup_enabled: some(auto_backup),
            ..UpdateVolume::default()
        };
        let request =
            request(Method::PUT, ONE, app, id, Class::Idempotent, Action::VolumeUpdate).json(&body);
        self.act(request, context("update", app, id)).await
    }

    /// Grows it: `PUT …/extend`. Volumes never shrink. One that has the size already is extended.
    pub async fn extend_volume(
        &self,
        app: &AppName,
        id: &VolumeId,
        size_gb: i64,
    ) -> Result<Fetched<ExtendedVolume>, WriteError> {
        let template = "/v1/apps/{app}/volumes/{volume}/extend";
        let body = ExtendVolume { size_gb: size_gb.into(), ..ExtendVolume::default() };
        let request =
            request(Method::PUT, template, app, id, Class::Idempotent, Action::VolumeExtend)
                .json(&body);
        let error = match self.act(request, context("extend", app, id)).await {
            Err(error) if matches!(error.reason, Reason::Invalid(_) | Reason::Unknown) => error,
            other => return other,
        };
        // A repetition is refused once the first try has worked.
        match self.client.volume(app, id).await {
            Ok(now) if now.value.size_gb.copied() == Some(size_gb) => Ok(now.map(|volume| {
                ExtendedVolume { volume: volume.into(), ..ExtendedVolume::default() }
            })),
            _ => Err(error),
        }
    }

    /// Deletes it: `DELETE …/volumes/{volume}`; for 24 h Fly.io can bring it back. One that is gone is deleted.
    /// [`Reason::VolumeBound`] while a Machine has it, until that Machine's destruction is complete.
    pub async fn delete_volume(
        &self,
        app: &AppName,
        id: &VolumeId,
    ) -> Result<Fetched<Option<Volume>>, WriteError> {
        let request =
            request(Method::DELETE, ONE, app, id, Class::Idempotent, Action::VolumeDelete);
        match self.act(request, context("delete", app, id)).await {
            Err(error) if error.reason == Reason::NotFound => Ok(done(error, None)),
            other => other,
        }
    }
}
