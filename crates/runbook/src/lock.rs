//! One writer per target on this host, and who that is.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// A process that works on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process.
    pub fn here(since: Timestamp) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { pid: std::process::id(), host, since }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {}", self.pid, self.host, self.since)
    }
}

/// Why there is no lock.
#[derive(Debug)]
pub enum LockError {
    /// Somebody has it.
    Held(Box<Holder>),
    /// It could not be tried.
    Failed(String),
}

/// A lock that ends when this is dropped, or the process dies.
pub trait Lock: Send + Sync {}

struct FileLock {
    file: File,
}

impl Lock for FileLock {}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing releases it anyway, unless a child inherited the descriptor.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Takes the lock of a file, which then names the holder. The file stays: removing it would let two processes lock two files of one name.
pub(crate) fn take(path: &Path, holder: &Holder) -> Result<Box<dyn Lock>, LockError> {
    let failed = |error: std::io::Error| LockError::Failed(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            // The holder may be between locking and writing; it is named as unknown then.
            let holder = serde_json::from_str(&text).unwrap_or_else(|_| Holder {
                pid: 0,
                host: "unknown".to_owned(),
                since: Timestamp::UNIX_EPOCH,
            });
            return Err(LockError::Held(Box::new(holder)));
        }
        Err(error) => return Err(failed(error.into())),
    }
    let text =
        serde_json::to_string(holder).map_err(|error| LockError::Failed(error.to_string()))?;
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    Ok(Box::new(FileLock { file }))
}
