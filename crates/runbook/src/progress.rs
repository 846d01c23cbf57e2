//! What is going on, for whoever shows it.

use crate::journal::Record;
use crate::plan::{Id, Plan};

/// Takes progress; must be quick, and must not fail.
pub trait Progress: Send + Sync {
    /// A record was written.
    fn record(&self, plan: &Plan, record: &Record);

    /// A step says what it waits for.
    fn note(&self, step: &Id, text: &str) {
        let _ = (step, text);
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn record(&self, _: &Plan, _: &Record) {}
}
