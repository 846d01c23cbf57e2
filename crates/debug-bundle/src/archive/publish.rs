//! From a file with a random name to the final name, in one step and never over something else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use ops_cli::{Leftovers, Registered};

/// An archive that is not finished. Dropped, it is removed from the disk.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    folder: PathBuf,
    published: bool,
    _registered: Registered,
}

/// Why an archive could not be written or named.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No file can be made there.
    #[error("cannot create a file in {}", folder.display())]
    Create {
        /// The directory.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Writing or flushing failed.
    #[error("cannot write the archive in {}", folder.display())]
    Write {
        /// The directory.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something has the name already.
    #[error("{} exists already; it was not replaced", path.display())]
    Exists {
        /// The final path.
        path: PathBuf,
    },
    /// The last step failed.
    #[error("cannot give the archive its name {}", path.display())]
    Rename {
        /// The final path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl PublishError {
    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Create { source, .. }
            | Self::Write { source, .. }
            | Self::Rename { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Exists { .. } => false,
        }
    }
}

impl Draft {
    /// An empty file of mode 0600 with a random name in `folder`.
    pub fn create(folder: &Path, leftovers: &Leftovers) -> Result<Self, PublishError> {
        let fail = |source| PublishError::Create { folder: folder.to_owned(), source };
        let mut last = io::Error::new(io::ErrorKind::AlreadyExists, "no free name");
        for _ in 0..16 {
            let mut random = [0_u8; 8];
            crate::random::fill(&mut random).map_err(fail)?;
            let path = folder.join(format!(".fly-debug-{}.partial", crate::staging::hex(&random)));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt;
                options.mode(0o600);
            }
            match leftovers.make(|| Ok((path.clone(), options.open(&path)?))) {
                Ok((registered, _)) => {
                    return Ok(Self {
                        path,
                        folder: folder.to_owned(),
                        published: false,
                        _registered: registered,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(fail(error)),
            }
        }
        Err(fail(last))
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills it anew and makes sure that the bytes are on the disk. The answer is their number.
    pub fn fill(
        &self,
        write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
    ) -> Result<u64, PublishError> {
        let fail = |source| PublishError::Write { folder: self.folder.clone(), source };
        let file = OpenOptions::new().write(true).truncate(true).open(&self.path).map_err(fail)?;
        let file = write(BufWriter::with_capacity(1 << 20, file))
            .and_then(|writer| writer.into_inner().map_err(io::IntoInnerError::into_error))
            .map_err(fail)?;
        file.sync_all().map_err(fail)?;
        file.metadata().map(|metadata| metadata.len()).map_err(fail)
    }

    /// Gives it its final name, which must be free, and makes sure that the name is on the disk.
    pub fn publish(mut self, target: &Path) -> Result<(), PublishError> {
        match rename_without_replacing(&self.path, target) {
            Ok(()) => self.published = true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(PublishError::Exists { path: target.to_owned() });
            }
            Err(source) => {
                return Err(PublishError::Rename { path: target.to_owned(), source });
            }
        }
        // Not every file system lets a directory be synchronised; the content itself is safe by then.
        let _unsupported = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // A file that is gone already is what is wanted.
            let _gone = fs::remove_file(&self.path);
        }
    }
}

/// `renameat2` with `RENAME_NOREPLACE` where there is one; elsewhere a hard link, which also refuses an existing name, and
/// the removal of the old one.
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            // Old kernels and some file systems (NFS, FUSE) do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // No hard links either (FAT, some network mounts): claim the name first, then replace our own empty file.
        Err(_) => {
            OpenOptions::new().write(true).create_new(true).open(to)?;
            fs::rename(from, to).inspect_err(|_| {
                let _ours = fs::remove_file(to);
            })
        }
    }
}
