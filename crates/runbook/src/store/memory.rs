//! Runs in memory: for tests that crash and resume in one process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{RunId, Store};
use crate::lock::{Holder, Lock, LockError};
use crate::plan::Target;

#[derive(Default)]
struct Inner {
    runs: BTreeMap<RunId, (String, Vec<u8>)>,
    locks: BTreeMap<Target, Holder>,
}

/// Shared by its clones.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Inner>>);

impl MemoryStore {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        run: &RunId,
        act: impl FnOnce(&mut (String, Vec<u8>)) -> T,
    ) -> Result<T, String> {
        self.inner().runs.get_mut(run).map(act).ok_or_else(|| format!("there is no run {run}"))
    }
}

struct MemoryLock {
    store: MemoryStore,
    target: Target,
}

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.store.inner().locks.remove(&self.target);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, run: &RunId, plan: &str) -> Result<(), String> {
        self.inner().runs.entry(run.clone()).or_insert_with(|| (plan.to_owned(), Vec::new()));
        Ok(())
    }

    async fn plan(&self, run: &RunId) -> Result<String, String> {
        self.with(run, |(plan, _)| plan.clone())
    }

    async fn journal(&self, run: &RunId) -> Result<Vec<u8>, String> {
        self.with(run, |(_, journal)| journal.clone())
    }

    async fn append(&self, run: &RunId, bytes: &[u8]) -> Result<(), String> {
        self.with(run, |(_, journal)| journal.extend_from_slice(bytes))
    }

    async fn truncate(&self, run: &RunId, length: u64) -> Result<(), String> {
        self.with(run, |(_, journal)| {
            journal.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        })
    }

    async fn runs(&self) -> Result<Vec<RunId>, String> {
        Ok(self.inner().runs.keys().cloned().collect())
    }

    async fn remove(&self, run: &RunId) -> Result<(), String> {
        self.inner().runs.remove(run);
        Ok(())
    }

    async fn lock(&self, target: &Target, holder: &Holder) -> Result<Box<dyn Lock>, LockError> {
        let mut inner = self.inner();
        if let Some(holder) = inner.locks.get(target) {
            return Err(LockError::Held(Box::new(holder.clone())));
        }
        inner.locks.insert(target.clone(), holder.clone());
        Ok(Box::new(MemoryLock { store: self.clone(), target: target.clone() }))
    }
}
