//! Archives inside: unpacked, redacted, packed again. What is nested too deep, grows too much or is too large to be held is refused.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::{GzEncoder, MultiGzDecoder};

use crate::engine::Redactor;
use crate::error::RedactError;
use crate::format::{Archive, Format};
use crate::report::FileReport;
use crate::stream::Stream;

/// How deep archives may lie in one another.
const DEEPEST: u8 = 3;
/// A compressed file may grow by this factor; small ones by more.
const RATIO: u64 = 200;
const FREE: u64 = 8 << 20;
/// Largest tar file and largest result that are held.
const TAR: usize = 12 << 20;

/// An archive that is being written to us.
pub(crate) enum Nested {
    Gzip(Box<Gzip>),
    Tar { name: String, held: Vec<u8> },
}

/// gzip streams: nothing is held but the two windows.
pub(crate) struct Gzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Made at the first bytes, when the depth is known.
    inner: Option<Stream<GzEncoder<Vec<u8>>>>,
    name: String,
    taken: u64,
    given: u64,
}

impl Nested {
    pub(crate) fn new(archive: Archive, name: &str) -> Self {
        match archive {
            Archive::Gzip => Self::Gzip(Box::new(Gzip {
                decoder: MultiGzDecoder::new(Vec::new()),
                inner: None,
                name: name
                    .strip_suffix(".gz")
                    .map_or_else(|| name.replace(".tgz", ".tar"), str::to_owned),
                taken: 0,
                given: 0,
            })),
            Archive::Tar => Self::Tar { name: name.to_owned(), held: Vec::new() },
        }
    }

    pub(crate) fn write(
        &mut self,
        redactor: &Redactor,
        bytes: &[u8],
        depth: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), RedactError> {
        match self {
            Self::Gzip(gzip) => gzip.write(redactor, bytes, depth, out),
            Self::Tar { name, held } => {
                if held.len() + bytes.len() > TAR {
                    return Err(limit(
                        redactor,
                        name,
                        "a tar file inside is too large to be redacted",
                    ));
                }
                held.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    pub(crate) fn finish(
        &mut self,
        redactor: &Redactor,
        name: &str,
        depth: u8,
        out: &mut Vec<u8>,
    ) -> Result<FileReport, RedactError> {
        match self {
            Self::Gzip(gzip) => gzip.finish(redactor, name, depth, out),
            Self::Tar { held, .. } => tar(redactor, held, name, depth, out),
        }
    }
}

impl Gzip {
    fn write(
        &mut self,
        redactor: &Redactor,
        bytes: &[u8],
        depth: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), RedactError> {
        if depth >= DEEPEST {
            return Err(limit(redactor, &self.name, "archives are nested too deep"));
        }
        // Small steps, so that a bomb is noticed before it is large.
        for step in bytes.chunks(4096) {
            self.taken += step.len() as u64;
            self.decoder.write_all(step).map_err(|_| broken(redactor, &self.name))?;
            self.pass(redactor, depth)?;
            if let Some(inner) = &mut self.inner {
                out.append(inner.sink_mut().get_mut());
            }
        }
        Ok(())
    }

    fn pass(&mut self, redactor: &Redactor, depth: u8) -> Result<(), RedactError> {
        let plain = std::mem::take(self.decoder.get_mut());
        self.given += plain.len() as u64;
        if self.given > FREE && self.given > RATIO * self.taken {
            return Err(limit(redactor, &self.name, "a compressed file grows too much"));
        }
        let inner = self.inner.get_or_insert_with(|| {
            let encoder = GzEncoder::new(Vec::new(), Compression::new(6));
            Stream::new(redactor.clone(), &self.name, Format::Auto, encoder, depth + 1)
        });
        inner.feed_nested(&plain)
    }

    fn finish(
        &mut self,
        redactor: &Redactor,
        name: &str,
        depth: u8,
        out: &mut Vec<u8>,
    ) -> Result<FileReport, RedactError> {
        if depth >= DEEPEST {
            return Err(limit(redactor, &self.name, "archives are nested too deep"));
        }
        self.decoder.try_finish().map_err(|_| broken(redactor, &self.name))?;
        self.pass(redactor, depth)?;
        let Some(mut inner) = self.inner.take() else { return Err(broken(redactor, &self.name)) };
        let mut report = inner.end()?;
        let encoder = inner.into_sink();
        out.extend_from_slice(
            &encoder
                .finish()
                .map_err(|source| RedactError::Sink { name: name.to_owned(), source })?,
        );
        name.clone_into(&mut report.name);
        Ok(report)
    }
}

fn limit(redactor: &Redactor, name: &str, limit: &'static str) -> RedactError {
    RedactError::Limit { name: redactor.redact_str(name), limit }
}

fn broken(redactor: &Redactor, name: &str) -> RedactError {
    RedactError::Unreadable { name: redactor.redact_str(name), reason: "the archive is damaged" }
}

/// Every member redacted; one that cannot be is its stub. Links and devices are left out.
fn tar(
    redactor: &Redactor,
    held: &[u8],
    name: &str,
    depth: u8,
    out: &mut Vec<u8>,
) -> Result<FileReport, RedactError> {
    if depth >= DEEPEST {
        return Err(limit(redactor, name, "archives are nested too deep"));
    }
    let damaged = |_: std::io::Error| broken(redactor, name);
    let mut total = FileReport::new(name.to_owned(), Format::Auto);
    let mut builder = tar::Builder::new(out);
    for entry in tar::Archive::new(held).entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        if !kind.is_file() && !kind.is_dir() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(damaged)?;
        let mut redacted = Vec::new();
        if kind.is_file() {
            let mut stream =
                Stream::new(redactor.clone(), &path, Format::Auto, &mut redacted, depth + 1);
            match stream.feed_nested(&content).and_then(|()| stream.end()) {
                Ok(report) => add(&mut total, &report),
                Err(error) => {
                    drop(stream);
                    redacted = redactor.stub_text(&path, &error);
                }
            }
        }
        if builder.get_ref().len() + redacted.len() > 2 * TAR {
            return Err(limit(redactor, name, "a tar file inside is too large to be redacted"));
        }
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(if kind.is_dir() { 0o700 } else { 0o600 });
        header.set_mtime(entry.header().mtime().unwrap_or(0));
        header.set_size(redacted.len() as u64);
        let path = redactor.redact_str(&path);
        let path: std::path::PathBuf = std::path::Path::new(&path)
            .components()
            .filter(|part| matches!(part, std::path::Component::Normal(_)))
            .collect();
        builder.append_data(&mut header, path, redacted.as_slice()).map_err(damaged)?;
    }
    builder.into_inner().map_err(damaged)?;
    Ok(total)
}

fn add(total: &mut FileReport, part: &FileReport) {
    for (rule, count) in &part.rules {
        *total.rules.entry(rule).or_default() += count;
    }
    total.bytes_removed = total
        .bytes_removed
        .saturating_add(part.bytes_removed)
        .checked_next_power_of_two()
        .unwrap_or(u64::MAX);
    if part.bytes_removed == 0 && total.rules.is_empty() {
        total.bytes_removed = 0;
    }
}
