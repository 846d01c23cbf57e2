//! `emit_config_diff`: shows the change of fly.toml that makes the move last. The user commits it; this tool never writes fly.toml.

use async_trait::async_trait;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;

/// Name of the kind.
pub(crate) const PATCH: &str = "emit_config_diff";

pub(crate) struct Patch;

#[derive(Deserialize)]
struct Params {
    patch: String,
}

#[async_trait]
impl Look for Patch {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        Ok(Outputs::none().with("patch", params.patch))
    }
}
