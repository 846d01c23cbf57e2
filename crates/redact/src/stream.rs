//! The writer that stands between a collector and its file.

use std::io::{self, Write};

use crate::engine::Redactor;
use crate::error::RedactError;
use crate::format::Format;
use crate::kind::Kind;
use crate::report::FileReport;

/// A writer that redacts. Nothing is complete before [`Stream::finish`]; dropping it unfinished loses the rest.
pub struct Stream<W: Write> {
    redactor: Redactor,
    name: String,
    format: Format,
    sink: W,
    held: Vec<u8>,
}

impl<W: Write> Stream<W> {
    pub(crate) fn new(redactor: Redactor, name: &str, format: Format, sink: W) -> Self {
        Self { redactor, name: name.to_owned(), format, sink, held: Vec::new() }
    }

    /// Scans what is left, writes it, and reports. On an error throw away what the sink got.
    pub fn finish(mut self) -> Result<FileReport, RedactError> {
        let name = self.redactor.redact_str(&self.name);
        let mut report = FileReport::new(name.clone(), self.format);
        let text = String::from_utf8_lossy(&self.held).into_owned();
        let out = scan_text(&self.redactor, &text);
        if out != text {
            report.rules.insert("fly-macaroon", 1);
        }
        self.sink
            .write_all(out.as_bytes())
            .and_then(|()| self.sink.flush())
            .map_err(|source| RedactError::Sink { name, source })?;
        self.redactor.record(report.clone());
        Ok(report)
    }
}

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// First version: macaroons, URL passwords and known values.
pub(crate) fn scan_text(redactor: &Redactor, text: &str) -> String {
    let mut out = text.to_owned();
    for (kind, value) in redactor.known() {
        let value = String::from_utf8_lossy(&value).into_owned();
        out = out.replace(&value, &redactor.key().pseudonym(kind, "", value.as_bytes()));
    }
    while let Some(at) = out.find("://").and_then(|scheme| {
        let rest = &out[scheme + 3..];
        let end = rest.find(['/', ' ', '\n', '"']).unwrap_or(rest.len());
        let host = rest[..end].rfind('@')?;
        let colon = rest[..host].find(':')?;
        (!rest[colon + 1..].starts_with('‹')).then_some((scheme + 4 + colon, scheme + 3 + host))
    }) {
        let pseudonym = redactor.key().pseudonym(Kind::Secret, "", &out.as_bytes()[at.0..at.1]);
        out.replace_range(at.0..at.1, &pseudonym);
    }
    while let Some(at) = ["fm2_", "fm1r_", "fm1a_", "fo1_"].iter().find_map(|prefix| {
        out.match_indices(prefix).map(|(at, _)| at).find(|at| !out[..*at].ends_with(':'))
    }) {
        let end = out[at..]
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+/=_-".contains(c))
            .map_or(out.len(), |n| at + n);
        let prefix = &out[at..=at + out[at..].find('_').unwrap_or(0)];
        let pseudonym = redactor.key().pseudonym(Kind::FlyToken, prefix, &out.as_bytes()[at..end]);
        out.replace_range(at..end, &pseudonym);
    }
    out
}
