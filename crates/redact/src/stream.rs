//! The writer that stands between a collector and its file: windows, cut where nothing straddles the cut.

use std::io::{self, Write};

use crate::engine::Redactor;
use crate::error::RedactError;
use crate::fields::Fields;
use crate::format::{self, Format, Sniffed};
use crate::known::Known;
use crate::nested::Nested;
use crate::replace::{self, Tally};
use crate::report::FileReport;
use crate::rules::R;
use crate::scan::{Found, Learn, Shape, Span};
use crate::window::{Skip, safe_cut};

/// Bytes looked at to tell text from the rest.
const HEAD: usize = 8 << 10;
/// Bytes scanned at once.
const WINDOW: usize = 256 << 10;
/// Longest construct that is held back.
const LONGEST: usize = 1 << 20;

/// A writer that redacts. Nothing is complete before [`Stream::finish`]; dropping it unfinished loses the rest.
pub struct Stream<W: Write> {
    redactor: Redactor,
    /// As given; printed only redacted.
    name: String,
    format: Format,
    sink: W,
    body: Body,
    /// Set by the first error: everything after it is refused.
    failed: bool,
    depth: u8,
}

enum Body {
    /// Not enough bytes yet to know what it is.
    Head(Vec<u8>),
    Text(Box<Text>),
    Nested(Box<Nested>),
    /// A type that is not handled; the reason.
    Refused(&'static str),
}

/// What a text stream carries from window to window.
pub(crate) struct Text {
    format: Format,
    held: Vec<u8>,
    /// How many bytes the next window is to have. Grows while a construct is open.
    target: usize,
    skip: Option<Skip>,
    fields: Option<Fields>,
    learned: Known,
    tally: Tally,
    /// Second sweep: known values only.
    sweep: bool,
    out: Vec<u8>,
}

impl<W: Write> Stream<W> {
    pub(crate) fn new(redactor: Redactor, name: &str, format: Format, sink: W, depth: u8) -> Self {
        Self {
            redactor,
            name: name.to_owned(),
            format,
            sink,
            body: Body::Head(Vec::new()),
            failed: false,
            depth,
        }
    }

    pub(crate) fn sweeping(redactor: Redactor, name: &str, sink: W) -> Self {
        let text = Text::new(&redactor, name, Format::Text, true);
        Self {
            redactor,
            name: name.to_owned(),
            format: Format::Text,
            sink,
            body: Body::Text(Box::new(text)),
            failed: false,
            depth: 0,
        }
    }

    /// Scans what is left, writes it, and reports. On an error throw away what the sink got.
    pub fn finish(mut self) -> Result<FileReport, RedactError> {
        let report = self.end()?;
        if self.depth == 0 {
            self.redactor.record(report.clone());
        }
        Ok(report)
    }

    /// [`Stream::finish`] without the record: for streams inside others.
    pub(crate) fn end(&mut self) -> Result<FileReport, RedactError> {
        if let Body::Head(_) = self.body {
            self.begin()?;
        }
        let name = self.redactor.redact_str(&self.name);
        let report = match &mut self.body {
            Body::Text(text) => {
                text.pump(&self.redactor, true);
                let written = self.sink.write_all(&text.out);
                text.out.clear();
                written.map_err(|source| RedactError::Sink { name: name.clone(), source })?;
                self.redactor.learn_all(std::mem::take(&mut text.learned));
                text.report()
            }
            Body::Nested(nested) => {
                let mut out = Vec::new();
                let report = nested.finish(&self.redactor, &name, self.depth, &mut out)?;
                self.sink
                    .write_all(&out)
                    .map_err(|source| RedactError::Sink { name: name.clone(), source })?;
                report
            }
            Body::Refused(reason) => return Err(RedactError::Unreadable { name, reason }),
            Body::Head(_) => FileReport::new(name.clone(), self.format),
        };
        self.sink.flush().map_err(|source| RedactError::Sink { name, source })?;
        Ok(report)
    }

    /// Takes bytes with the error as it is, for callers inside the crate.
    pub(crate) fn feed_nested(&mut self, bytes: &[u8]) -> Result<(), RedactError> {
        if let Body::Head(head) = &mut self.body {
            head.extend_from_slice(bytes);
            if head.len() < HEAD { Ok(()) } else { self.begin() }
        } else {
            self.feed(bytes)
        }
    }

    pub(crate) fn sink_mut(&mut self) -> &mut W {
        &mut self.sink
    }

    pub(crate) fn into_sink(self) -> W {
        self.sink
    }

    /// Decides what the stream is, once there is enough of it.
    fn begin(&mut self) -> Result<(), RedactError> {
        let Body::Head(head) = &mut self.body else { return Ok(()) };
        let head = std::mem::take(head);
        self.body = match format::sniff(&self.name, self.format, &head) {
            Sniffed::Text(format) => {
                Body::Text(Box::new(Text::new(&self.redactor, &self.name, format, false)))
            }
            Sniffed::Archive(archive) => Body::Nested(Box::new(Nested::new(archive, &self.name))),
            Sniffed::Unreadable(reason) => Body::Refused(reason),
        };
        self.feed(&head)
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), RedactError> {
        match &mut self.body {
            Body::Text(text) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let taken = text.take(rest);
                    rest = &rest[taken..];
                    text.pump(&self.redactor, false);
                    if !text.out.is_empty() {
                        let written = self.sink.write_all(&text.out);
                        text.out.clear();
                        written.map_err(|source| RedactError::Sink {
                            name: self.redactor.redact_str(&self.name),
                            source,
                        })?;
                    }
                }
                Ok(())
            }
            Body::Nested(nested) => {
                let mut out = Vec::new();
                nested.write(&self.redactor, bytes, self.depth, &mut out)?;
                self.sink.write_all(&out).map_err(|source| RedactError::Sink {
                    name: self.redactor.redact_str(&self.name),
                    source,
                })
            }
            Body::Refused(reason) => {
                Err(RedactError::Unreadable { name: self.redactor.redact_str(&self.name), reason })
            }
            Body::Head(_) => Ok(()),
        }
    }
}

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::Error::other("an earlier error ended this redaction"));
        }
        let result = self.feed_nested(bytes);
        self.failed = result.is_err();
        match result {
            Ok(()) => Ok(bytes.len()),
            // A refused type is told by `finish`, so that a copy loop does not hide the reason.
            Err(RedactError::Unreadable { .. }) => {
                self.failed = false;
                Ok(bytes.len())
            }
            Err(RedactError::Sink { source, .. }) => Err(source),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Does nothing: what is held back is held back for a reason.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Text {
    pub(crate) fn new(redactor: &Redactor, name: &str, format: Format, sweep: bool) -> Self {
        let report = FileReport::new(redactor.redact_str(name), format);
        let fields = (!sweep).then(|| redactor.fields(format)).flatten();
        Self {
            format,
            held: Vec::new(),
            target: WINDOW,
            skip: None,
            fields,
            learned: Known::default(),
            tally: Tally::new(report),
            sweep,
            out: Vec::new(),
        }
    }

    /// Takes as much as the window needs, so that windows do not depend on how the input was cut.
    fn take(&mut self, bytes: &[u8]) -> usize {
        if let Some(skip) = &mut self.skip {
            let (used, done) = skip.advance(bytes);
            let skipped = &bytes[..used];
            for _ in memchr::memchr_iter(b'\n', skipped) {
                self.out.push(b'\n');
            }
            self.tally.passed(skipped);
            self.tally.removed += used as u64;
            if done {
                self.skip = None;
            }
            return used;
        }
        let taken = bytes.len().min(self.target.saturating_sub(self.held.len()));
        self.held.extend_from_slice(&bytes[..taken]);
        taken
    }

    fn report(&mut self) -> FileReport {
        let empty = Tally::new(FileReport::new(String::new(), self.format));
        std::mem::replace(&mut self.tally, empty).finish()
    }

    /// Scans and writes whole windows; with `last` everything.
    pub(crate) fn pump(&mut self, redactor: &Redactor, last: bool) {
        while last && !self.held.is_empty() || self.held.len() >= self.target {
            let mut held = std::mem::take(&mut self.held);
            if last && std::str::from_utf8(&held).is_err() {
                held = String::from_utf8_lossy(&held).into_owned().into_bytes();
            }
            let used = self.window(redactor, &held, last);
            if used == 0 {
                self.held = held;
                if self.target < LONGEST {
                    self.target *= 2;
                    continue;
                }
                self.mask_open(redactor);
                continue;
            }
            held.drain(..used);
            self.held = held;
            self.target = WINDOW.max(self.held.len() + 1);
        }
    }

    /// One window. Returns how many bytes were dealt with; 0 means that more are needed.
    fn window(&mut self, redactor: &Redactor, bytes: &[u8], last: bool) -> usize {
        let (mut found, named) = self.find(redactor, bytes, last);
        let limit = match found.open {
            Some(open) => open.at,
            None => bytes.len(),
        };
        let spaced = self.learned.longest_spaced.max(redactor.longest_spaced());
        let limit =
            if last || spaced == 0 { limit } else { limit.min(bytes.len().saturating_sub(spaced)) };
        let limit = named.map_or(limit, |open| limit.min(open));
        let cut = if last { bytes.len() } else { safe_cut(bytes, limit, &found.spans) };
        if cut == 0 {
            return 0;
        }
        // Broken characters are mended line by line, so that positions in the rest stay.
        let window = &bytes[..cut];
        if std::str::from_utf8(window).is_err() {
            let mended = String::from_utf8_lossy(window).into_owned().into_bytes();
            let (found, _) = self.find(redactor, &mended, last);
            self.write(redactor, &mended, found);
        } else {
            found.spans.retain(|span| span.end <= cut);
            self.write(redactor, window, found);
        }
        if let Some(fields) = &mut self.fields {
            fields.advance(window);
        }
        cut
    }

    fn find(&self, redactor: &Redactor, bytes: &[u8], last: bool) -> (Found, Option<usize>) {
        if self.sweep {
            return (Found::default(), None);
        }
        let mut found = redactor.scan(bytes, self.format, last);
        let mut open = None;
        if let Some(fields) = &self.fields {
            open = fields.clone().spans(bytes, &mut found.spans).filter(|_| !last);
        }
        (found, open)
    }

    fn write(&mut self, redactor: &Redactor, bytes: &[u8], mut found: Found) {
        if !self.sweep {
            redactor.learn(bytes, &found.spans, &mut self.learned);
        }
        found.spans.retain(|span| !redactor.is_off(span.rule));
        redactor.find_known(bytes, &self.learned, self.sweep, &mut found.spans);
        replace::merge(&mut found.spans);
        replace::write(redactor, bytes, &found.spans, &mut self.out, &mut self.tally, self.sweep);
    }

    /// A construct has been open for a mebibyte: it is masked whole, from its first secret byte to whatever ends it.
    fn mask_open(&mut self, redactor: &Redactor) {
        let held = std::mem::take(&mut self.held);
        self.target = WINDOW;
        let (found, _) = self.find(redactor, &held, false);
        let (mask, until) = found
            .open
            .map_or((0, crate::scan::Until::Run), |open| (open.mask.min(held.len()), open.until));
        // What stands before it is scanned as if it were all.
        let before = &held[..mask];
        if !before.is_empty() {
            let mended = String::from_utf8_lossy(before).into_owned().into_bytes();
            let (found, _) = self.find(redactor, &mended, true);
            self.write(redactor, &mended, found);
        }
        let skip = Skip::new(until);
        let span = Span {
            start: mask,
            end: held.len(),
            from: mask,
            rule: R::Keyed,
            kind: crate::kind::Kind::Secret,
            prefix: "",
            value: None,
            shape: Shape::Plain,
            learn: Learn::No,
        };
        let quote = skip
            .quotes()
            .map_or_else(Vec::new, |slashes| [&vec![b'\\'; slashes][..], b"\""].concat());
        self.out.extend_from_slice(&quote);
        self.out.extend_from_slice(redactor.pseudonym(&span, &held[mask..]).as_bytes());
        self.out.extend_from_slice(&quote);
        self.tally.hit(&Span { end: mask, ..span }, false);
        if let Some(fields) = &mut self.fields {
            fields.advance(&held);
        }
        self.skip = Some(skip);
        let mut rest = &held[mask..];
        if matches!(until, crate::scan::Until::Run | crate::scan::Until::Line) {
            // All that is here belongs to it: no end was found.
            for _ in memchr::memchr_iter(b'\n', rest) {
                self.out.push(b'\n');
            }
            self.tally.passed(rest);
            self.tally.removed += rest.len() as u64;
            return;
        }
        while !rest.is_empty() {
            let taken = self.take(rest);
            // Nothing can stand still: a run that ends at once leaves at least its first byte to the text.
            rest = &rest[taken..];
            if self.skip.is_none() {
                self.held.extend_from_slice(rest);
                break;
            }
        }
    }
}
