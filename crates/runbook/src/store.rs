//! Where plans and journals of runs are kept.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::lock::{Holder, Lock, LockError};
use crate::plan::{Plan, Target};

pub mod directory;
pub mod memory;

/// Name of a run: readable, sortable by time, safe as a file name and as a marker on what is created.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// For a plan: its target, when it was made, and the start of its digest. One plan, one run.
    pub fn of(plan: &Plan, digest: &Digest) -> Self {
        let legal =
            |byte: char| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { '-' };
        let name: String = plan.target.name.chars().take(40).map(legal).collect();
        Self(format!("{name}-{}-{}", plan.created_at.strftime("%Y%m%dt%H%M%S"), digest.short()))
    }

    /// What a person typed.
    ///
    /// # Errors
    /// A text that cannot be the name of a run.
    pub fn parse(text: &str) -> Result<Self, String> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 100 || !text.bytes().all(legal) {
            return Err(format!("`{text}` is no name of a run"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keeps runs. Errors are sentences that name the file or object.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps the plan of a new run, durably; nothing is done before. The same plan again is success.
    async fn create(&self, run: &RunId, plan: &str) -> Result<(), String>;

    /// The plan of a run.
    async fn plan(&self, run: &RunId) -> Result<String, String>;

    /// All bytes of the journal of a run; none if it has no record yet.
    async fn journal(&self, run: &RunId) -> Result<Vec<u8>, String>;

    /// Adds bytes to the journal; durable when it returns. Dropping the future must leave all, none, or a torn tail.
    async fn append(&self, run: &RunId, bytes: &[u8]) -> Result<(), String>;

    /// Cuts a torn tail off.
    async fn truncate(&self, run: &RunId, length: u64) -> Result<(), String>;

    /// All runs, by name.
    async fn runs(&self) -> Result<Vec<RunId>, String>;

    /// Forgets a run.
    async fn remove(&self, run: &RunId) -> Result<(), String>;

    /// Becomes the one writer of a target.
    async fn lock(&self, target: &Target, holder: &Holder) -> Result<Box<dyn Lock>, LockError>;
}
