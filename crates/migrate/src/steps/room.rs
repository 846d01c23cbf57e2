//! `preflight_placement`: the target still has room for what is going to be made there. A dry run: nothing is reserved.

use std::sync::Arc;

use async_trait::async_trait;
use fly_types::{OrgSlug, RegionCode};
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;
use crate::inventory::room::{Need, short};
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const ROOM: &str = "preflight_placement";

pub(crate) struct Room(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    /// None if the inventory did not say; then nothing can be asked.
    #[serde(default)]
    org: Option<OrgSlug>,
    region: RegionCode,
    needs: Vec<Need>,
    /// Other regions, the nearest first.
    #[serde(default)]
    fallback: Vec<RegionCode>,
}

#[async_trait]
impl Look for Room {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let Some(org) = &params.org else {
            return Ok(super::gate::unknown("the organization of the app is not known"));
        };
        let found = match short(&self.0.client, org, &params.region, &params.needs).await {
            Ok(found) => found,
            // A token that may change the app need not be allowed to ask this.
            Err(error) => return Ok(super::gate::unknown(&error.to_string())),
        };
        let Some(found) = found else { return Ok(super::gate::passed()) };
        let mut roomy = Vec::new();
        for other in &params.fallback {
            if let Ok(None) = short(&self.0.client, org, other, &params.needs).await {
                roomy.push(other.as_str());
            }
        }
        let advice = match roomy.first() {
            Some(first) => format!(
                "undo, then plan again to a region with room (nearest first: {}): fly-migrate region plan --to {first}",
                roomy.join(" ")
            ),
            None => "resume later; the regions near it have no room either".to_owned(),
        };
        Err(StepError::paused(
            format!("region {} has {found} of app {}", params.region, self.0.app),
            advice,
        ))
    }
}
