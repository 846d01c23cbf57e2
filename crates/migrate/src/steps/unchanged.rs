//! `unchanged`: the last look before the cutover. A deploy that ran meanwhile stops the run here.

use std::sync::Arc;

use async_trait::async_trait;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::facts::DriftClass;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;
use crate::inventory::facts::{Scope, facts_now};
use crate::inventory::observe;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const UNCHANGED: &str = "unchanged";

pub(crate) struct Unchanged(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    scope: Scope,
}

#[async_trait]
impl Look for Unchanged {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let now = observe(&self.0.client, &self.0.app, cx.now()).await;
        let now = now.map_err(|error| crate::errors::read_error(&error.source))?;
        let drift = cx.plan.facts.drift(&facts_now(cx.plan, &now, &params.scope)?);
        let (stale, benign): (Vec<_>, Vec<_>) = drift
            .into_iter()
            .filter(|one| !cx.is_ours(&one.fact))
            .partition(|one| one.class == DriftClass::Stale);
        if !stale.is_empty() {
            let words: Vec<String> = stale.iter().map(ToString::to_string).collect();
            return Err(StepError::stale(format!(
                "app {} was changed by somebody else meanwhile: {}",
                self.0.app,
                words.join("; ")
            ))
            .hint("stop deploys of the app; undo, then plan again"));
        }
        Ok(Outputs::none().with("harmless_changes", u64::try_from(benign.len()).unwrap_or(0)))
    }
}
