//! Asking where there would be room. Nothing is reserved.

use fly_types::wire::{PlacementList, PlacementRequest};
use http::Method;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Class, Request, Target};

impl Client {
    /// A dry run of placing Machines: `POST /v1/platform/placements`. A region without room is missing in the answer.
    /// `org_slug` is required; `count` 0 asks for the organization's limits.
    pub async fn placements(
        &self,
        wanted: &PlacementRequest,
    ) -> Result<Fetched<PlacementList>, ApiError> {
        let subject = wanted.org_slug.text().unwrap_or_default().to_owned();
        let request = Request::new(
            Method::POST,
            Target::Machines,
            "/v1/platform/placements",
            &[],
            // Nothing is reserved, so it is a read.
            Class::Safe,
            Action::Placement,
            subject,
        )
        .json(wanted);
        self.send(request).await
    }
}
