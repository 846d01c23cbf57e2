//! Files of ours: directories for state, writing that never leaves half a file, temporary files that a signal removes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::diag::CliError;
use crate::env::{self, Env, Variable};

/// Where state, cache and configuration live (XDG base directories; the same on macOS).
#[derive(Debug, Clone, Default)]
pub struct Dirs {
    home: Option<PathBuf>,
    config: Option<PathBuf>,
    state: Option<PathBuf>,
    cache: Option<PathBuf>,
    temporary: Option<PathBuf>,
}

const OWN: &str = "fly-ops";

impl Dirs {
    /// Reads the variables. A relative XDG directory is ignored, as the specification demands.
    pub fn new(environment: &Env) -> Self {
        let absolute = |variable: Variable| {
            environment.raw(variable).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let home = absolute(env::HOME);
        let base = |variable, fallback: &str| {
            absolute(variable)
                .or_else(|| home.as_ref().map(|home| home.join(fallback)))
                .map(|base| base.join(OWN))
        };
        Self {
            config: base(env::XDG_CONFIG_HOME, ".config"),
            state: base(env::XDG_STATE_HOME, ".local/state"),
            cache: base(env::XDG_CACHE_HOME, ".cache"),
            temporary: absolute(env::TMPDIR),
            home,
        }
    }

    /// The home directory.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The directory of a tool's configuration; not created.
    pub fn config(&self) -> Result<&Path, CliError> {
        known(self.config.as_deref(), "configuration", env::XDG_CONFIG_HOME)
    }

    /// The directory of journals and locks, made for the owner only when it is missing.
    pub fn state(&self) -> Result<PathBuf, CliError> {
        private(known(self.state.as_deref(), "state", env::XDG_STATE_HOME)?)
    }

    /// The directory of what can be fetched again, made for the owner only when it is missing.
    pub fn cache(&self) -> Result<PathBuf, CliError> {
        private(known(self.cache.as_deref(), "cache", env::XDG_CACHE_HOME)?)
    }

    /// The directory of temporary files.
    pub fn temporary(&self) -> &Path {
        self.temporary.as_deref().unwrap_or_else(|| Path::new("/tmp"))
    }
}

fn known<'a>(path: Option<&'a Path>, what: &str, variable: Variable) -> Result<&'a Path, CliError> {
    path.ok_or_else(|| {
        CliError::nothing_done(format!("there is no {what} directory: HOME is not set"))
            .hint(format!("set HOME or {} to an absolute path", variable.name))
    })
}

fn private(path: &Path) -> Result<PathBuf, CliError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| {
        CliError::nothing_done(format!("cannot make the directory {}", path.display()))
            .caused_by(error)
            .hint("XDG_STATE_HOME, XDG_CACHE_HOME and XDG_CONFIG_HOME choose other places")
    })?;
    Ok(path.to_owned())
}

/// Writes a whole file or nothing: a temporary file beside it, fsync, rename, fsync of the directory. An existing
/// file's permissions are kept, a symbolic link is followed, a new file gets the usual ones (`umask`).
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), CliError> {
    replace(path, content).map_err(|error| {
        CliError::nothing_done(format!("cannot write {}", path.display()))
            .caused_by(error)
            .hint("the file is as it was before")
    })
}

fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let target = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let permissions = fs::metadata(&target).ok().map(|metadata| metadata.permissions());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".partial");
    #[cfg(unix)]
    let usual = {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(0o666)
    };
    #[cfg(unix)]
    builder.permissions(usual);
    let mut file = builder.tempfile_in(&folder)?;
    file.write_all(content)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // Not every file system lets a directory be synchronised; the content itself is safe by then.
    let _unsupported = fs::File::open(&folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Files and directories that must not outlive the command, whatever ends it. The second signal removes them.
#[derive(Debug, Clone, Default)]
pub struct Leftovers {
    paths: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// Takes a path off the list when it is dropped; the path itself is the owner's business.
#[derive(Debug)]
pub struct Registered {
    list: Leftovers,
    path: PathBuf,
}

impl Leftovers {
    /// Puts a path on the list for as long as the answer lives.
    pub fn register(&self, path: impl Into<PathBuf>) -> Registered {
        let path = path.into();
        self.lock().insert(path.clone());
        Registered { list: self.clone(), path }
    }

    /// Makes something and puts it on the list in one step, so that no signal comes in between.
    pub fn make<T>(
        &self,
        make: impl FnOnce() -> std::io::Result<(PathBuf, T)>,
    ) -> std::io::Result<(Registered, T)> {
        let mut paths = self.lock();
        let (path, made) = make()?;
        paths.insert(path.clone());
        Ok((Registered { list: self.clone(), path }, made))
    }

    /// Removes everything on the list from the disk. As long as the answer lives, nothing more can be put on it: whoever tries
    /// waits, which is what a process wants that is about to end.
    pub fn remove_all(&self) -> impl Drop {
        let mut paths = self.lock();
        for path in std::mem::take(&mut *paths) {
            // A path that is gone is what is wanted; for anything else there is nobody left to tell.
            let _gone = match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => remove_busy(&path),
                _ => fs::remove_file(&path),
            };
        }
        paths
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a directory in which somebody may still be making files: under another name nobody finds it.
fn remove_busy(path: &Path) -> std::io::Result<()> {
    let hidden = path.with_extension("removed");
    if fs::rename(path, &hidden).is_ok() {
        fs::remove_dir_all(&hidden)
    } else {
        fs::remove_dir_all(path)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.list.lock().remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_the_variables() {
        let env = Env::from_pairs([("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "relative")]);
        let dirs = Dirs::new(&env);
        assert_eq!(dirs.config().unwrap(), Path::new("/home/ann/.config/fly-ops"));
        let error = Dirs::new(&Env::default()).state().unwrap_err();
        assert!(error.render().contains("set HOME or XDG_STATE_HOME"), "{}", error.render());
    }

    #[cfg(unix)]
    #[test]
    fn atomic_writes_keep_permissions_and_links_and_leave_nothing_behind() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fly.toml");
        write_atomic(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomic(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
        let error = write_atomic(&folder.path().join("no/such/file"), b"x").unwrap_err();
        assert!(error.to_string().starts_with("cannot write "));
    }

    #[test]
    fn leftovers_are_removed_unless_they_were_taken_off() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, gone) = (folder.path().join("kept"), folder.path().join("gone"));
        fs::write(&kept, "").unwrap();
        fs::create_dir(&gone).unwrap();
        fs::write(gone.join("inside"), "").unwrap();
        let list = Leftovers::default();
        let _stays = list.register(&gone);
        drop(list.register(&kept));
        list.remove_all();
        assert!(kept.exists() && !gone.exists());
    }
}
