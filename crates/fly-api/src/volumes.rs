//! Volumes and snapshots, the reading side.

use fly_types::wire::{Snapshot, Volume};
use fly_types::{AppName, VolumeId};

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

impl Client {
    /// The volumes of an app, soft-deleted ones included: `GET /v1/apps/{app}/volumes`.
    pub async fn volumes(&self, app: &AppName) -> Result<Fetched<Vec<Volume>>, ApiError> {
        let request = Request::get(
            Target::Machines,
            "/v1/apps/{app}/volumes",
            &[app.as_str()],
            Action::VolumeList,
            app.as_str(),
        );
        self.send(request).await
    }

    /// One volume.
    pub async fn volume(&self, app: &AppName, id: &VolumeId) -> Result<Fetched<Volume>, ApiError> {
        self.send(volume_read("/v1/apps/{app}/volumes/{volume}", app, id, Action::VolumeGet)).await
    }

    /// Snapshots of a volume, also of a deleted one whose id is known.
    pub async fn snapshots(
        &self,
        app: &AppName,
        id: &VolumeId,
    ) -> Result<Fetched<Vec<Snapshot>>, ApiError> {
        self.send(volume_read(
            "/v1/apps/{app}/volumes/{volume}/snapshots",
            app,
            id,
            Action::SnapshotList,
        ))
        .await
    }
}

fn volume_read(template: &'static str, app: &AppName, id: &VolumeId, action: Action) -> Request {
    Request::get(Target::Machines, template, &[app.as_str(), id.as_str()], action, id.as_str())
}
