//! Runs in a directory: `runs/RUN/plan.json`, `runs/RUN/journal.jsonl`, `locks/TARGET.lock`.
//!
//! Writes block the calling task on purpose: nothing may happen before a record is on disk, and a write without an await in it
//! cannot be cut in two by dropping the future.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{RunId, Store};
use crate::canonical;
use crate::lock::{self, Holder, Lock, LockError};
use crate::plan::Target;

/// A directory of runs, usually below the XDG state directory.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    /// Makes the directory if it is not there. Only the owner may read it.
    ///
    /// # Errors
    /// Names the directory.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, String> {
        let root = root.into();
        for folder in [root.join("runs"), root.join("locks")] {
            private_folder(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(Self { root })
    }

    /// Where the journal of a run is, for people.
    pub fn journal_path(&self, run: &RunId) -> PathBuf {
        self.folder(run).join("journal.jsonl")
    }

    fn folder(&self, run: &RunId) -> PathBuf {
        self.root.join("runs").join(run.as_str())
    }
}

#[async_trait]
impl Store for DirectoryStore {
    async fn create(&self, run: &RunId, plan: &str) -> Result<(), String> {
        let folder = self.folder(run);
        named(&folder, private_folder(&folder))?;
        let path = folder.join("plan.json");
        if let Ok(known) = fs::read_to_string(&path)
            && known == plan
        {
            return Ok(());
        }
        let draft = folder.join("plan.json.new");
        named(&draft, write_synced(&draft, plan.as_bytes()))?;
        named(&path, fs::rename(&draft, &path))?;
        named(&folder, sync_folder(&folder))?;
        named(&self.root, sync_folder(&self.root.join("runs")))
    }

    async fn plan(&self, run: &RunId) -> Result<String, String> {
        let path = self.folder(run).join("plan.json");
        named(&path, fs::read_to_string(&path))
    }

    async fn journal(&self, run: &RunId) -> Result<Vec<u8>, String> {
        let path = self.journal_path(run);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            other => named(&path, other),
        }
    }

    async fn append(&self, run: &RunId, bytes: &[u8]) -> Result<(), String> {
        let path = self.journal_path(run);
        let is_new = !path.exists();
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(bytes)?;
            file.sync_data()?;
            if is_new { sync_folder(&self.folder(run)) } else { Ok(()) }
        };
        named(&path, write())
    }

    async fn truncate(&self, run: &RunId, length: u64) -> Result<(), String> {
        let path = self.journal_path(run);
        let cut = || -> io::Result<()> {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(length)?;
            file.sync_all()
        };
        match cut() {
            Err(error) if error.kind() == ErrorKind::NotFound && length == 0 => Ok(()),
            other => named(&path, other),
        }
    }

    async fn runs(&self) -> Result<Vec<RunId>, String> {
        let folder = self.root.join("runs");
        let mut runs = Vec::new();
        for entry in named(&folder, fs::read_dir(&folder))? {
            let name = named(&folder, entry)?.file_name();
            // A folder without a plan died before anything was done in it.
            if let Some(run) = name.to_str().and_then(|name| RunId::parse(name).ok())
                && self.folder(&run).join("plan.json").exists()
            {
                runs.push(run);
            }
        }
        runs.sort();
        Ok(runs)
    }

    async fn remove(&self, run: &RunId) -> Result<(), String> {
        let folder = self.folder(run);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => named(&folder, other),
        }
    }

    async fn lock(&self, target: &Target, holder: &Holder) -> Result<Box<dyn Lock>, LockError> {
        let key = canonical::sha256_hex(&[target.to_string().as_bytes()]);
        lock::take(&self.root.join("locks").join(format!("{}.lock", &key[..16])), holder)
    }
}

fn named<T>(path: &Path, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}

fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
