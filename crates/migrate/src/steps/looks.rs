//! Steps that only look: nothing is done, nothing is taken back, all is in one check.

use async_trait::async_trait;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;

/// A check.
#[async_trait]
pub(crate) trait Look: Send + Sync {
    /// Looks, once. What it found goes to the journal.
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError>;

    /// Waits until looking makes sense.
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let _ = cx;
        Ok(())
    }
}

/// A check as a kind of step.
pub(crate) struct Looks<T>(pub(crate) T);

#[async_trait]
impl<T: Look> StepKind for Looks<T> {
    async fn observe(&self, _: &StepContext<'_>) -> Result<Observed, StepError> {
        Ok(Observed::Underway)
    }

    async fn act(&self, _: &StepContext<'_>, _: &Permit) -> Result<(), StepError> {
        Ok(())
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        self.0.ready(cx).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        self.0.look(cx).await
    }
}
