//! The directory in which a bundle grows. Only redacted bytes ever reach it.
//!
//! Mode 0700, in the cache directory or the directory of temporary files, removed when the value is dropped and by the second
//! signal. It must not know: where bytes come from, how they are packed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ops_cli::{Leftovers, Registered};
use redact::{Format, Redactor, Stream};
use sha2::{Digest, Sha256};

use crate::manifest::{FileRecord, Truncation};

/// The staging directory.
#[derive(Debug)]
pub struct Staging {
    // Dropped in this order: gone from the disk first, then from the list of leftovers.
    directory: tempfile::TempDir,
    _registered: Registered,
}

/// Why a file could not be staged. What had been written of it is gone.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// The disk refused.
    #[error("cannot write {path} in the working directory")]
    Disk {
        /// Path in the bundle.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The redactor refused; a stub is in the file's place.
    #[error("{path} could not be redacted: {reason}")]
    Redaction {
        /// Path in the bundle.
        path: String,
        /// Why.
        reason: String,
    },
}

/// A file that is being written, through the redactor.
pub struct OpenFile {
    path: String,
    target: PathBuf,
    stream: Stream<BufWriter<File>>,
    source_bytes: u64,
}

impl Staging {
    /// A fresh directory below the first of `places` that takes one.
    pub fn new(places: &[PathBuf], leftovers: &Leftovers) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "no place for temporary files");
        for place in places {
            let mut builder = tempfile::Builder::new();
            builder.prefix("debug-bundle-");
            #[cfg(unix)]
            let private = {
                use std::os::unix::fs::PermissionsExt;
                fs::Permissions::from_mode(0o700)
            };
            #[cfg(unix)]
            builder.permissions(private);
            let make = || {
                let directory = builder.tempdir_in(place)?;
                Ok((directory.path().to_owned(), directory))
            };
            match leftovers.make(make) {
                Ok((registered, directory)) => {
                    return Ok(Self { directory, _registered: registered });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Where a file of the bundle is on disk.
    pub fn locate(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Starts a file.
    pub fn open(
        &self,
        redactor: &Redactor,
        path: &str,
        format: Format,
    ) -> Result<OpenFile, StagingError> {
        let target = self.locate(path);
        let file = create(self.directory.path(), &target).map_err(|source| disk(path, source))?;
        let stream = redactor.stream(path, format, BufWriter::new(file));
        Ok(OpenFile { path: path.to_owned(), target, stream, source_bytes: 0 })
    }

    /// Writes a whole file.
    pub fn write(
        &self,
        redactor: &Redactor,
        path: &str,
        format: Format,
        content: &[u8],
    ) -> Result<FileRecord, StagingError> {
        let mut file = self.open(redactor, path, format)?;
        file.write(content)?;
        file.finish(redactor)
    }

    /// Second pass over a staged file: every value known by now is looked for. Says what the file is afterwards.
    pub fn sweep(&self, redactor: &Redactor, record: &mut FileRecord) -> Result<(), StagingError> {
        let path = record.path.clone();
        let target = self.locate(&path);
        let swept = target.with_extension("swept");
        let pass = || -> Result<u64, StagingError> {
            let mut input = File::open(&target).map_err(|source| disk(&path, source))?;
            let output =
                create(self.directory.path(), &swept).map_err(|source| disk(&path, source))?;
            let mut stream = redactor.sweep_stream(&path, BufWriter::new(output));
            let mut buffer = vec![0; 256 << 10];
            loop {
                let count = input.read(&mut buffer).map_err(|source| disk(&path, source))?;
                if count == 0 {
                    break;
                }
                stream.write_all(&buffer[..count]).map_err(|source| refused(&path, source))?;
            }
            let report = stream.finish().map_err(|error| StagingError::Redaction {
                path: path.clone(),
                reason: error.to_string(),
            })?;
            fs::rename(&swept, &target).map_err(|source| disk(&path, source))?;
            Ok(report.total())
        };
        match pass() {
            Ok(found) => {
                record.redactions += found;
                measure(&target, record).map_err(|source| disk(&path, source))
            }
            Err(error) => {
                let _gone = fs::remove_file(&swept);
                let stub = stub(&error);
                fs::write(&target, stub).map_err(|source| disk(&path, source))?;
                measure(&target, record).map_err(|source| disk(&path, source))?;
                Err(error)
            }
        }
    }
}

impl OpenFile {
    /// Path in the bundle.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StagingError> {
        self.source_bytes += bytes.len() as u64;
        self.stream.write_all(bytes).map_err(|source| refused(&self.path, source))
    }

    /// Gives the file up and removes what there is of it.
    pub fn abandon(self) {
        drop(self.stream);
        let _gone = fs::remove_file(&self.target);
    }

    /// Ends the file. On an error its stub is there, or nothing.
    pub fn finish(self, redactor: &Redactor) -> Result<FileRecord, StagingError> {
        let mut record = FileRecord {
            path: self.path.clone(),
            bytes: 0,
            lines: 0,
            sha256: String::new(),
            media_type: media_type(&self.path).to_owned(),
            source_bytes: self.source_bytes,
            truncation: Truncation::default(),
            redactions: 0,
        };
        match self.stream.finish() {
            Ok(report) => {
                record.redactions = report.total();
                measure(&self.target, &mut record).map_err(|source| disk(&self.path, source))?;
                Ok(record)
            }
            Err(redact::RedactError::Sink { source, .. }) => {
                let _gone = fs::remove_file(&self.target);
                Err(disk(&self.path, source))
            }
            Err(error) => {
                let (stub, _) = redactor.stub(&self.path, &error);
                fs::write(&self.target, stub).map_err(|source| disk(&self.path, source))?;
                Err(StagingError::Redaction { path: self.path, reason: error.to_string() })
            }
        }
    }
}

/// The record of a file that exists as bytes only.
pub fn describe(path: &str, content: &[u8]) -> FileRecord {
    FileRecord {
        path: path.to_owned(),
        bytes: content.len() as u64,
        lines: lines(feeds(content), content.last()),
        sha256: hex(&Sha256::digest(content)),
        media_type: media_type(path).to_owned(),
        source_bytes: 0,
        truncation: Truncation::default(),
        redactions: 0,
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn measure(target: &Path, record: &mut FileRecord) -> io::Result<()> {
    let mut file = File::open(target)?;
    let mut hash = Sha256::new();
    let (mut bytes, mut feeds, mut last) = (0, 0, None);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        let piece = &buffer[..count];
        hash.update(piece);
        bytes += count as u64;
        feeds += self::feeds(piece);
        last = piece.last().copied();
    }
    record.bytes = bytes;
    record.lines = lines(feeds, last.as_ref());
    record.sha256 = hex(&hash.finalize());
    Ok(())
}

/// Line feeds.
#[expect(clippy::naive_bytecount, reason = "fast enough beside the hash, and no crate more")]
pub fn feeds(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn lines(feeds: usize, last: Option<&u8>) -> u64 {
    feeds as u64 + u64::from(last.is_some_and(|byte| *byte != b'\n'))
}

/// A new file. Directories below `root` are made; `root` itself is not: when a second signal has removed it, it stays removed.
fn create(root: &Path, target: &Path) -> io::Result<File> {
    let below = target.parent().and_then(|folder| folder.strip_prefix(root).ok());
    let mut folder = root.to_owned();
    for part in below.into_iter().flat_map(Path::components) {
        folder.push(part);
        #[cfg_attr(not(unix), expect(unused_mut, reason = "no modes there"))]
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        match builder.create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(target)
}

fn stub(error: &StagingError) -> Vec<u8> {
    let reason = match error {
        StagingError::Disk { .. } => "the working directory could not be written",
        StagingError::Redaction { .. } => "the second pass failed",
    };
    format!("{}\n", serde_json::json!({ "redaction_failed": { "reason": reason } })).into_bytes()
}

fn disk(path: &str, source: io::Error) -> StagingError {
    StagingError::Disk { path: path.to_owned(), source }
}

/// What a write through the redactor says: its own refusals come as [`io::ErrorKind::InvalidData`].
fn refused(path: &str, source: io::Error) -> StagingError {
    if source.kind() == io::ErrorKind::InvalidData {
        StagingError::Redaction { path: path.to_owned(), reason: source.to_string() }
    } else {
        disk(path, source)
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json") => "application/json",
        Some("ndjson") => "application/x-ndjson",
        Some("md") => "text/markdown",
        _ => "text/plain",
    }
}
