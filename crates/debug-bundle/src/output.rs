//! Where the archive goes: a directory, a file that does not exist yet, or a stream.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ops_cli::{CliError, Leftovers, Ui};

use crate::archive::{Draft, PublishError};

/// A checked destination.
#[derive(Clone)]
pub enum Output {
    /// A file of the bundle's own name in this directory.
    Directory(PathBuf),
    /// This file, which does not exist.
    File(PathBuf),
    /// Standard output, after verification; the draft lies in the directory.
    Stdout {
        /// Where the draft lies.
        draft: PathBuf,
        /// Where the bytes go.
        ui: Ui,
    },
    /// A pipe or device, after verification.
    Device {
        /// Where the draft lies.
        draft: PathBuf,
        /// The pipe or device.
        path: PathBuf,
    },
}

impl Output {
    /// Checks `--output` before anything is requested: the directory must be there and take files, the file must not exist.
    pub fn resolve(
        typed: Option<&Path>,
        directory: &Path,
        scratch: &[PathBuf],
        ui: &Ui,
        leftovers: &Leftovers,
    ) -> Result<Self, CliError> {
        let draft = || scratch.first().cloned().unwrap_or_else(|| directory.to_owned());
        let output = match typed {
            Some(path) if path == Path::new("-") => Self::Stdout { draft: draft(), ui: ui.clone() },
            None => Self::Directory(directory.to_owned()),
            Some(path) => {
                let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
                let path = directory.join(path);
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => Self::Directory(path),
                    Ok(metadata) if metadata.is_file() => {
                        return Err(CliError::usage(format!("{} exists already", path.display()))
                            .hint("an archive never replaces a file; name another one, or a directory"));
                    }
                    Ok(_) => Self::Device { draft: draft(), path },
                    Err(_) if slash => {
                        return Err(CliError::usage(format!(
                            "there is no directory {}",
                            path.display()
                        ))
                        .hint("make it first, or name another with --output"));
                    }
                    Err(_) => Self::File(path),
                }
            }
        };
        let folder = output.folder();
        if !folder.is_dir() {
            return Err(CliError::usage(format!("there is no directory {}", folder.display()))
                .hint("make it first, or name another with --output"));
        }
        // Rather now than after a minute of collecting.
        drop(Draft::create(&folder, leftovers)?);
        Ok(output)
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::Directory(folder)
            | Self::Stdout { draft: folder, .. }
            | Self::Device { draft: folder, .. } => folder.clone(),
            Self::File(path) => match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        }
    }

    /// Whether data goes to standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout { .. })
    }

    /// A draft where the archive can be renamed from, or streamed.
    pub fn draft(&self, leftovers: &Leftovers) -> Result<Draft, CliError> {
        Ok(Draft::create(&self.folder(), leftovers)?)
    }

    /// Gives the verified draft its name, or streams it. The answer is its path.
    pub fn publish(&self, draft: Draft, stem: &str) -> Result<Option<PathBuf>, CliError> {
        match self {
            Self::Directory(folder) => {
                let path = folder.join(format!("{stem}.tar.gz"));
                draft.publish(&path)?;
                Ok(Some(path))
            }
            Self::File(path) => {
                draft.publish(path)?;
                Ok(Some(path.clone()))
            }
            Self::Stdout { ui, .. } => {
                stream(&draft, |bytes| ui.bytes(bytes))?;
                Ok(None)
            }
            Self::Device { path, .. } => {
                let cannot = |error: io::Error| {
                    CliError::nothing_done(format!("cannot write to {}", path.display()))
                        .caused_by(error)
                };
                let mut target = OpenOptions::new().write(true).open(path).map_err(cannot)?;
                stream(&draft, |bytes| target.write_all(bytes).map_err(cannot))?;
                Ok(Some(path.clone()))
            }
        }
    }
}

fn stream(
    draft: &Draft,
    mut write: impl FnMut(&[u8]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    use std::io::Read;
    let cannot = |error: io::Error| {
        CliError::nothing_done("cannot read the finished archive").caused_by(error)
    };
    let mut file = File::open(draft.path()).map_err(cannot)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer).map_err(cannot)? {
            0 => return Ok(()),
            count => write(&buffer[..count])?,
        }
    }
}

impl ops_cli::Explain for PublishError {
    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Exists { .. } => "name another file with --output",
            _ if self.is_full() => {
                "the disk is full: free some space, choose another directory with --output, or stream with --output -"
            }
            Self::Create { .. } => {
                "choose a directory that you may write with --output DIR, or stream with --output -"
            }
            Self::Write { .. } | Self::Rename { .. } => {
                "nothing was kept; choose another directory with --output"
            }
        };
        vec![hint.to_owned()]
    }
}
