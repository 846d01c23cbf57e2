//! `watch_health`: the new Machines are looked at for a while after the cutover.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::MachineId;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::health::problem;
use super::looks::Look;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const WATCH: &str = "watch_health";
const PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Watch(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    seconds: u64,
    #[serde(default)]
    machines: Vec<MachineId>,
}

#[async_trait]
impl Look for Watch {
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let mut left = Duration::from_secs(params.seconds);
        // One look may fall into a restart; two in a row do not.
        let mut bad = 0;
        loop {
            match self
                .0
                .look(&params.machines)
                .await?
                .iter()
                .find_map(|one| problem(one, self.0.guards))
            {
                None => bad = 0,
                Some(problem) if bad >= 2 => {
                    return Err(StepError::failed(format!("after the cutover: {problem} in app {}", self.0.app))
                        .hint("look at its logs; `rollback` brings the old Machines back, `resume` watches again"));
                }
                Some(problem) => {
                    bad += 1;
                    cx.note(&problem);
                }
            }
            if left.is_zero() && bad == 0 {
                return Ok(());
            }
            self.0.pause(PAUSE).await;
            left = left.saturating_sub(PAUSE);
        }
    }

    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        match self
            .0
            .look(&params.machines)
            .await?
            .iter()
            .find_map(|one| problem(one, self.0.guards))
        {
            None => Ok(Outputs::none().with("watched_seconds", params.seconds)),
            Some(problem) => Err(StepError::failed(format!("{problem} in app {}", self.0.app))),
        }
    }
}
