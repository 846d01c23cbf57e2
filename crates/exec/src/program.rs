//! Finding programs, and saying clearly why one cannot be used.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// A program that was found and may be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
}

/// Why a program cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No directory of the search path has it.
    #[error("no program named {} in any directory of PATH", names.join(" or "))]
    NotOnPath {
        /// Names that were looked for.
        names: Vec<String>,
    },
    /// The path does not exist, or nobody may look.
    #[error("cannot use {} as a program", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something is there, but it is a directory, a device ….
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A file without permission to execute it.
    #[error("{} may not be executed (try: chmod +x {})", path.display(), path.display())]
    NotExecutable {
        /// The path.
        path: PathBuf,
    },
}

impl Program {
    /// The program at this path.
    pub fn at(path: &Path) -> Result<Self, FindError> {
        let unreadable = |source| FindError::Unreadable { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(FindError::NotAFile { path: path.to_owned() });
        }
        if rustix::fs::access(path, Access::EXEC_OK).is_err() {
            return Err(FindError::NotExecutable { path: path.to_owned() });
        }
        Ok(Self { path: std::path::absolute(path).map_err(unreadable)? })
    }

    /// The first program of this name in a search path.
    pub fn find(name: &str, search: Option<&OsStr>) -> Result<Self, FindError> {
        let missing = || FindError::NotOnPath { names: vec![name.to_owned()] };
        Self::find_all(&[name], search).into_iter().next().ok_or_else(missing)
    }

    /// Every program with one of these names, in the order of names, then of directories. Relative directories of the
    /// search path are left out: what would be run there depends on where one happens to stand.
    pub fn find_all(names: &[&str], search: Option<&OsStr>) -> Vec<Self> {
        let directories = std::env::split_paths(search.unwrap_or_default());
        let absolute = directories.filter(|directory| directory.is_absolute());
        let search = std::env::join_paths(absolute).unwrap_or_else(|_| OsString::new());
        if search.is_empty() {
            return Vec::new();
        }
        let found = names
            .iter()
            .filter_map(|name| which::which_in_all(name, Some(&search), Path::new("/")).ok());
        found.flatten().map(|path| Self { path }).collect()
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
