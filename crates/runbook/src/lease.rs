//! A lease on the target beyond this host, held for the whole run.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::StepError;
use crate::lock::Holder;
use crate::plan::Target;
use crate::store::RunId;

/// Gives leases, for example from a shared store with fencing numbers.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes the lease for a run. A lease of the same run, left by a dead process, is taken over.
    ///
    /// # Errors
    /// [`crate::error::Failure::Held`] naming the holder if somebody else has it.
    async fn acquire(
        &self,
        target: &Target,
        run: &RunId,
        holder: &Holder,
    ) -> Result<Box<dyn RunLease>, StepError>;
}

/// A lease that is held.
#[async_trait]
pub trait RunLease: Send + Sync {
    /// Grows with each new holder; later writers refuse a smaller one.
    fn fencing(&self) -> u64;

    /// Until when it is good without a refresh.
    fn expires(&self) -> Timestamp;

    /// Keeps it. An error means that it is lost.
    async fn refresh(&self) -> Result<(), StepError>;

    /// Gives it back.
    async fn release(&self) -> Result<(), StepError>;
}
