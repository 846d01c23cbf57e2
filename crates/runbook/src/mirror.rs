//! Copies of the journal in other places, such as the target itself or shared storage.

use async_trait::async_trait;

use crate::store::RunId;

/// What a failing mirror means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorPolicy {
    /// Nothing is done that the mirror does not know: its failure stops the run.
    Required,
    /// Its failure is reported, the run goes on, and the next process catches up.
    BestEffort,
}

/// A place that keeps a copy.
#[async_trait]
pub trait Mirror: Send + Sync {
    /// For messages.
    fn name(&self) -> &str;

    /// What its failure means.
    fn policy(&self) -> MirrorPolicy;

    /// How many records of a run it has.
    async fn count(&self, run: &RunId) -> Result<u64, String>;

    /// Keeps record number `number` (from 0) of a run, durably. The same record again is success.
    async fn append(&self, run: &RunId, number: u64, line: &str) -> Result<(), String>;
}
