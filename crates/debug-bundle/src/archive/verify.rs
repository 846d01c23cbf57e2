//! Reads a finished archive again, as a stranger would: structure, names, hashes, leaks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::leak;
use crate::staging::hex;

/// What the scanner looks for besides its own anchors.
pub struct Leaks<'a> {
    /// Knows our own secrets.
    pub scanner: &'a leak::Scanner,
    /// Whether a stretch of a file (path, bytes) holds a value that the redactor met; asked for stretches with an overlap.
    pub holds_known: &'a (dyn Fn(&str, &[u8]) -> bool + Sync),
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Files, the manifest included.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// SHA-256 of the archive itself.
    pub sha256: String,
}

/// Why an archive is not good. Never quotes what it found.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read to its end.
    #[error("the archive cannot be read back")]
    Read(#[from] io::Error),
    /// An entry that must not be there, or is not where it should be.
    #[error("the archive has a wrong entry {path}: {what}")]
    Entry {
        /// Path in the archive.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A file that is not there.
    #[error("the archive lacks {path}")]
    Missing {
        /// Path below the top-level directory.
        path: String,
    },
    /// A file with other content than the manifest says.
    #[error("{path} in the archive is not what the manifest says")]
    Hash {
        /// Path below the top-level directory.
        path: String,
    },
    /// A secret is in it.
    #[error("{path} in the archive still holds a secret ({kind}, line {line})")]
    Leak {
        /// Path below the top-level directory.
        path: String,
        /// What it looks like.
        kind: &'static str,
        /// Line, from 1.
        line: u64,
    },
}

/// Walks the archive at `path`. `expected` maps each path below `stem/` to its SHA-256.
pub fn verify(
    path: &Path,
    stem: &str,
    expected: &BTreeMap<String, String>,
    leaks: &Leaks<'_>,
) -> Result<Verified, VerifyError> {
    let file = Hashing { inner: File::open(path)?, hash: Sha256::new() };
    let reader = BufReader::with_capacity(256 << 10, file);
    let mut archive = tar::Archive::new(MultiGzDecoder::new(reader));
    let mut missing = expected.clone();
    let (mut files, mut bytes) = (0, 0);
    let mut first = true;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let raw = entry.path_bytes().into_owned();
        let full = String::from_utf8_lossy(&raw).into_owned();
        let wrong = |what| VerifyError::Entry { path: full.clone(), what };
        let header = entry.header();
        if header.uid()? != 0 || header.gid()? != 0 {
            return Err(wrong("it has an owner"));
        }
        match header.entry_type() {
            tar::EntryType::Directory => {
                let inside = full.trim_end_matches('/');
                let below = inside.strip_prefix(stem).map(|rest| rest.trim_start_matches('/'));
                if !below.is_some_and(|rest| rest.is_empty() || super::is_safe_path(rest)) {
                    return Err(wrong("it lies outside the top-level directory"));
                }
                continue;
            }
            tar::EntryType::Regular => {}
            _ => return Err(wrong("it is neither a file nor a directory")),
        }
        let inside = full
            .strip_prefix(stem)
            .and_then(|rest| rest.strip_prefix('/'))
            .filter(|rest| super::is_safe_path(rest))
            .ok_or_else(|| {
                wrong("it lies outside the top-level directory or has an unsafe name")
            })?;
        if std::mem::take(&mut first) && inside != "manifest.json" {
            return Err(wrong("it stands before the manifest"));
        }
        let expected =
            missing.remove(inside).ok_or_else(|| wrong("the manifest does not know it"))?;
        let (seen, length) = read_entry(&mut entry, inside, leaks)?;
        if seen != expected {
            return Err(VerifyError::Hash { path: inside.to_owned() });
        }
        files += 1;
        bytes += length;
    }
    if let Some(path) = missing.into_keys().next() {
        return Err(VerifyError::Missing { path });
    }
    // Behind the last entry the padding must be padding, and the last member must be whole: its checksum stands at its end.
    let mut rest = archive.into_inner();
    let mut padding = [0; 4096];
    loop {
        match rest.read(&mut padding)? {
            0 => break,
            count if padding[..count].iter().all(|byte| *byte == 0) => {}
            _ => {
                let path = "(behind the end)".to_owned();
                return Err(VerifyError::Entry { path, what: "nothing may be there" });
            }
        }
    }
    let mut reader = rest.into_inner();
    io::copy(&mut reader, &mut io::sink())?;
    Ok(Verified { files, bytes, sha256: hex(&reader.into_inner().hash.finalize()) })
}

/// Bytes of a stretch that are looked at together with the next one, so that nothing hides at the border.
const OVERLAP: usize = 16 << 10;
const STRETCH: usize = 1 << 20;

fn read_entry(
    entry: &mut impl Read,
    path: &str,
    leaks: &Leaks<'_>,
) -> Result<(String, u64), VerifyError> {
    let mut hash = Sha256::new();
    let mut length = 0;
    let mut line = 1;
    let mut window: Vec<u8> = Vec::with_capacity(STRETCH + OVERLAP);
    let fail = |kind, line| VerifyError::Leak { path: path.to_owned(), kind, line };
    if let Some(hit) = leaks.scanner.find(path.as_bytes()) {
        return Err(fail(hit.kind, 0));
    }
    loop {
        let before = window.len();
        (&mut *entry).take(STRETCH as u64).read_to_end(&mut window)?;
        let fresh = &window[before..];
        hash.update(fresh);
        length += fresh.len() as u64;
        if let Some(hit) = leaks.scanner.find(&window) {
            return Err(fail(hit.kind, line + feeds(&window[..hit.at])));
        }
        if (leaks.holds_known)(path, &window) {
            return Err(fail("a value that was redacted elsewhere", line));
        }
        if fresh.is_empty() {
            return Ok((hex(&hash.finalize()), length));
        }
        let keep = window.len().min(OVERLAP);
        let gone = window.len() - keep;
        line += feeds(&window[..gone]);
        window.drain(..gone);
    }
}

fn feeds(bytes: &[u8]) -> u64 {
    crate::staging::feeds(bytes) as u64
}

struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
