//! `drain`: after the cordon, requests that are under way get time to end. How many there are is asked of the metrics
//! (`fly_app_concurrency`, machines-api reference, section 11); where these are not known the whole time is waited.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::{MachineId, OrgSlug};
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const DRAIN: &str = "drain";
/// Metrics are scraped this often: a value may be as old, and from before the cordon.
const SCRAPE: Duration = Duration::from_secs(15);

pub(crate) struct Drain(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    seconds: u64,
    /// The Machines that were cordoned.
    #[serde(default)]
    machines: Vec<MachineId>,
    #[serde(default)]
    org: Option<OrgSlug>,
}

impl Drain {
    /// Requests that are under way on these Machines; an error says why nobody knows.
    async fn under_way(&self, params: &Params) -> Result<f64, String> {
        let org = params.org.as_ref().ok_or("the organization of the app is not known")?;
        let query = format!("fly_app_concurrency{{app=\"{}\"}}", self.0.app);
        let found = self.0.client.metrics(org, &query).await.map_err(|error| error.to_string())?;
        let known: Vec<f64> = found
            .value
            .iter()
            .filter(|sample| {
                let instance = sample.labels.get("instance");
                instance.is_some_and(|id| params.machines.iter().any(|one| one.as_str() == id))
            })
            .map(|sample| sample.value)
            .collect();
        if known.is_empty() {
            return Err("there are no metrics of these Machines".to_owned());
        }
        Ok(known.iter().sum())
    }
}

#[async_trait]
impl Look for Drain {
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let mut left = Duration::from_secs(params.seconds);
        // Two values apart by a scrape: the first may be from before the cordon.
        let mut idle = 0;
        while !left.is_zero() {
            match self.under_way(&params).await {
                Ok(0.0) => idle += 1,
                Ok(count) => {
                    idle = 0;
                    cx.note(&format!(
                        "{count} requests are under way, {} s at most",
                        left.as_secs()
                    ));
                }
                Err(why) => {
                    cx.note(&format!(
                        "how many requests are under way is unknown ({why}): {} s for them",
                        left.as_secs()
                    ));
                    self.0.pause(left).await;
                    return Ok(());
                }
            }
            if idle >= 2 {
                return Ok(());
            }
            let pause = left.min(SCRAPE);
            self.0.pause(pause).await;
            left = left.saturating_sub(pause);
        }
        Ok(())
    }

    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let outputs = Outputs::none().with("at_most_seconds", params.seconds);
        Ok(match self.under_way(&params).await {
            Ok(count) => outputs.with("under_way", count.to_string()),
            Err(why) => outputs.with("under_way", format!("unknown ({why})")),
        })
    }
}
