//! The archive: sorted entries, fixed headers, gzip members compressed in parallel, and a name only after verification.
//!
//! The bytes depend on the content, the stem and one time stamp: not on the number of threads, the order of collection, the
//! user, the umask or the time zone. It must not know: what the files mean.

mod gzip;
mod publish;
mod verify;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use tar::{EntryType, Header};

pub use publish::{Draft, PublishError};
pub use verify::{Leaks, VerifyError, verify};

/// Where the bytes of an entry are.
#[derive(Debug, Clone)]
pub enum Source {
    /// On disk.
    File(PathBuf),
    /// Here.
    Bytes(Vec<u8>),
}

/// One file to be packed.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Path below the top-level directory, with safe components: see [`safe_component`].
    pub path: String,
    /// Its content.
    pub source: Source,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Packs entries below `stem/` into `sink`. `mtime` is seconds since 1970, for every entry.
///
/// `manifest.json` comes first, then the other files, each directory before what is in it, all in the order of bytes.
pub fn pack<W: Write>(
    sink: W,
    stem: &str,
    mtime: u64,
    entries: &[Entry],
    threads: usize,
) -> io::Result<W> {
    let mut tar = tar::Builder::new(gzip::ParallelGzip::new(sink, threads));
    for directory in directories(stem, entries) {
        let mut header = header(EntryType::Directory, 0o700, 0, mtime);
        append(&mut tar, &mut header, &format!("{directory}/"), io::empty())?;
    }
    for entry in sorted(entries) {
        let mut header = header(EntryType::Regular, 0o600, entry.bytes, mtime);
        let path = format!("{stem}/{}", entry.path);
        match &entry.source {
            Source::Bytes(bytes) => append(&mut tar, &mut header, &path, bytes.as_slice())?,
            Source::File(place) => {
                // A file that grew since it was measured must not push the entries behind it out of place.
                let file = File::open(place)?.take(entry.bytes);
                append(&mut tar, &mut header, &path, file)?;
            }
        }
    }
    tar.into_inner()?.finish()
}

/// Manifest first, then by path.
fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| {
        let rank = |entry: &Entry| entry.path != "manifest.json";
        rank(a).cmp(&rank(b)).then_with(|| a.path.cmp(&b.path))
    });
    sorted
}

/// Every directory, parents first.
fn directories(stem: &str, entries: &[Entry]) -> BTreeSet<String> {
    let mut found = BTreeSet::from([stem.to_owned()]);
    for entry in entries {
        let slashes = entry.path.match_indices('/');
        found.extend(slashes.map(|(at, _)| format!("{stem}/{}", &entry.path[..at])));
    }
    found
}

fn header(kind: EntryType, mode: u32, size: u64, mtime: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mtime(mtime);
    // Both exist in every ustar header, so these cannot fail.
    let _ = header.set_device_major(0).and_then(|()| header.set_device_minor(0));
    header
}

fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    header: &mut Header,
    path: &str,
    mut content: impl Read,
) -> io::Result<()> {
    let size = header.size()?;
    if header.set_path(path).is_err() {
        // Too long for ustar: the real path goes into a PAX record, a shortened one stays for readers without PAX.
        tar.append_pax_extensions([("path", path.as_bytes())])?;
        let short: String =
            path.chars().rev().take(90).collect::<Vec<_>>().into_iter().rev().collect();
        header.set_path(short.trim_start_matches('/'))?;
    }
    header.set_cksum();
    let mut counted = Counted { inner: &mut content, count: 0 };
    tar.append(header, &mut counted)?;
    if counted.count != size {
        return Err(io::Error::other(format!(
            "{path} has {} bytes instead of {size}: something else writes into the working directory",
            counted.count
        )));
    }
    Ok(())
}

struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// Time of every entry with `--reproducible`: 1980-01-01T00:00:00Z, the oldest that all archivers can show.
pub const FIXED_TIME: u64 = 315_532_800;

/// Name of the top-level directory and, with `.tar.gz`, of the archive.
pub fn stem(app: &str, time: &str, id: &str) -> String {
    safe_component(&format!("fly-debug-{}-{time}-{id}", safe_component(app)))
}

/// A path component that is safe on every system: `[A-Za-z0-9._-]`, not starting with a dot or dash, at most 100 bytes;
/// everything else is percent-escaped or cut.
pub fn safe_component(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || byte == b'_'
            || (matches!(byte, b'.' | b'-') && !safe.is_empty());
        let piece = if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        if safe.len() + piece.len() > 100 {
            break;
        }
        safe.push_str(&piece);
    }
    if safe.is_empty() { "_".to_owned() } else { safe }
}

/// Whether a whole relative path consists of safe components.
pub fn is_safe_path(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|part| {
            (1..=100).contains(&part.len())
                && !part.starts_with(['.', '-'])
                && part.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'%')
                })
        })
}

#[cfg(test)]
mod tests;
