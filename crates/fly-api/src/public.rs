//! Public pages: incidents and the status page. No token; a failure means unknown, never "down".

use std::time::Duration;

use fly_types::wire::{IncidentList, StatusPage};

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// These pages answer at once or are not worth waiting for.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Client {
    /// Unresolved incidents, from the list that flyctl polls.
    pub async fn incidents(&self) -> Result<Fetched<IncidentList>, ApiError> {
        let request =
            Request::get(Target::Incidents, "/v1/incidents", &[], Action::Public, "incidents")
                .timeout(TIMEOUT);
        self.send(request).await
    }

    /// Overall state, components and incidents of the status page (Statuspage v2 `summary.json`).
    pub async fn status_summary(&self) -> Result<Fetched<StatusPage>, ApiError> {
        let request =
            Request::get(Target::Status, "/api/v2/summary.json", &[], Action::Public, "status")
                .timeout(TIMEOUT);
        self.send(request).await
    }
}
