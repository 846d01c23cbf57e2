//! What a run shares: the key, the rules that are on, the values found so far, the counts.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::address::Addresses;
use crate::error::RedactError;
use crate::fields::Fields;
use crate::format::Format;
use crate::key::{self, PseudonymKey};
use crate::kind::Kind;
use crate::known::{self, Known};
use crate::options::{Identities, Mode, Options};
use crate::replace::{self, Tally};
use crate::report::{Dropped, FileReport, PseudonymCount, Report, Status};
use crate::rules::{R, RULES_VERSION};
use crate::scan::{self, Found, Learn, Scanner, Span};
use crate::stream::Stream;

/// Most distinct pseudonyms that are counted, and most that are listed.
const COUNTED: usize = 100_000;
const LISTED: usize = 10_000;

/// Finds and replaces secrets. Cheap to clone; clones share what they learn and count.
#[derive(Clone)]
pub struct Redactor {
    inner: Arc<Engine>,
}

struct Engine {
    key: PseudonymKey,
    identities: Identities,
    off: Vec<R>,
    fields: Arc<Vec<Vec<String>>>,
    scanner: Scanner,
    /// Values that the caller made known.
    known: RwLock<Known>,
    longest_spaced: AtomicUsize,
    /// Values that some file showed to be secret.
    found: RwLock<Known>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    files: BTreeMap<String, FileReport>,
    pseudonyms: HashMap<(Kind, u64), (&'static str, u64)>,
    not_counted: u64,
}

impl Redactor {
    /// Builds the rule tables. Fails on an unknown rule id only.
    pub fn new(options: Options) -> Result<Self, RedactError> {
        let mut off = Vec::new();
        for id in &options.off {
            match R::ALL.iter().find(|rule| rule.id() == *id) {
                Some(rule) => off.push(*rule),
                None => return Err(RedactError::NoSuchRule { id: (*id).to_owned() }),
            }
        }
        let addresses = Addresses::new(options.key.clone());
        let scanner = Scanner::new(&off, options.identities, addresses)?;
        Ok(Self {
            inner: Arc::new(Engine {
                key: options.key,
                identities: options.identities,
                off,
                fields: Arc::new(options.fields),
                scanner,
                known: RwLock::new(Known::default()),
                longest_spaced: AtomicUsize::new(0),
                found: RwLock::new(Known::default()),
                counts: Mutex::new(Counts::default()),
            }),
        })
    }

    /// Makes a value known: it is replaced wherever it stands, also in base64, percent, JSON-escaped and hex form. Values of
    /// fewer than six bytes and common words are not taken (`false`). Call it before the first file: what comes later is looked for
    /// only from then on, and in the second sweep. Names (`Kind::App` and the like) are ignored unless [`Identities::names`] says otherwise.
    pub fn add_known(&self, kind: Kind, value: impl AsRef<[u8]>) -> bool {
        if kind.is_identity() && self.inner.identities.names == Mode::Keep {
            return false;
        }
        let value = value.as_ref();
        let (kind, prefix) = if kind == Kind::Secret {
            scan::classify(value)
        } else {
            (kind, scan::classify(value).1)
        };
        let mut known = self.inner.known.write().unwrap_or_else(PoisonError::into_inner);
        // A list of tokens is also each of them.
        if value.contains(&b',') && kind != Kind::Secret {
            for part in value.split(|byte| *byte == b',') {
                let (kind, prefix) = scan::classify(part.trim_ascii());
                known.add(&self.inner.key, kind, prefix, part);
            }
        }
        let taken = known.add(&self.inner.key, kind, prefix, value);
        known.index();
        self.inner.longest_spaced.store(known.longest_spaced, Ordering::Relaxed);
        taken
    }

    /// Redacts what is written to it, before it reaches `sink`. `name` is the file's path in the bundle; it is redacted in reports.
    pub fn stream<W: Write>(&self, name: &str, format: Format, sink: W) -> Stream<W> {
        Stream::new(self.clone(), name, format, sink, 0)
    }

    /// Redacts a whole file in memory.
    pub fn redact(
        &self,
        name: &str,
        format: Format,
        input: &[u8],
    ) -> Result<(Vec<u8>, FileReport), RedactError> {
        let mut out = Vec::with_capacity(input.len());
        let mut stream = self.stream(name, format, &mut out);
        stream.feed_nested(input)?;
        let report = stream.finish()?;
        Ok((out, report))
    }

    /// Like [`Redactor::redact`], but an error gives the stub that takes the file's place, and its report.
    pub fn redact_or_stub(
        &self,
        name: &str,
        format: Format,
        input: &[u8],
    ) -> (Vec<u8>, FileReport) {
        match self.redact(name, format, input) {
            Ok(done) => done,
            Err(error) => self.stub(name, &error),
        }
    }

    /// What to write in place of a file that could not be redacted, and the report that says so. One line of JSON.
    pub fn stub(&self, name: &str, error: &RedactError) -> (Vec<u8>, FileReport) {
        let mut report = FileReport::new(self.redact_str(name), Format::Auto);
        report.status = Status::RedactionFailed;
        report.reason = Some(self.redact_str(&error.to_string()));
        self.record(report.clone());
        (self.stub_text(name, error), report)
    }

    pub(crate) fn stub_text(&self, name: &str, error: &RedactError) -> Vec<u8> {
        let stub = serde_json::json!({ "redaction_failed": {
            "file": self.redact_str(name), "code": error.code(), "reason": self.redact_str(&error.to_string()) } });
        format!("{stub}\n").into_bytes()
    }

    /// Redacts a line of a log, an error, an argument, a file name. Never fails. Values found in files count too.
    pub fn redact_str(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut spans = self.scan(bytes, Format::Text, true).spans;
        spans.retain(|span| !self.is_off(span.rule));
        self.find_known(bytes, &Known::default(), true, &mut spans);
        if spans.is_empty() {
            return text.to_owned();
        }
        replace::merge(&mut spans);
        let mut out = Vec::with_capacity(text.len());
        let mut tally = Tally::new(FileReport::new(String::new(), Format::Text));
        replace::write(self, bytes, &spans, &mut out, &mut tally, false);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Second pass: looks in a file that is already redacted for every value known or found anywhere.
    pub fn sweep(&self, name: &str, input: &[u8]) -> Result<(Vec<u8>, FileReport), RedactError> {
        let mut out = Vec::with_capacity(input.len());
        let mut stream = self.sweep_stream(name, &mut out);
        stream.feed_nested(input)?;
        let report = stream.finish()?;
        Ok((out, report))
    }

    /// Second pass over a stream.
    pub fn sweep_stream<W: Write>(&self, name: &str, sink: W) -> Stream<W> {
        Stream::sweeping(self.clone(), name, sink)
    }

    /// Whether `input` holds a value that is known or was found anywhere, in any of its forms. Pseudonyms do not count.
    pub fn holds_known(&self, input: &[u8]) -> bool {
        let mut spans = Vec::new();
        self.find_known(input, &Known::default(), true, &mut spans);
        !spans.is_empty()
    }

    /// Names the key without revealing it.
    pub fn key_id(&self) -> String {
        self.inner.key.id()
    }

    /// Everything done so far.
    pub fn report(&self) -> Report {
        let left_out = read(&self.inner.found).left_out + read(&self.inner.known).left_out;
        let counts = self.counts();
        let files: Vec<FileReport> = counts.files.values().cloned().collect();
        let mut pseudonyms: Vec<PseudonymCount> = counts
            .pseudonyms
            .iter()
            .map(|((kind, hash), (prefix, count))| PseudonymCount {
                pseudonym: key::render(*kind, prefix, *hash),
                kind: kind.word(),
                count: *count,
            })
            .collect();
        pseudonyms
            .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.pseudonym.cmp(&b.pseudonym)));
        let unlisted = pseudonyms.len().saturating_sub(LISTED) as u64;
        pseudonyms.truncate(LISTED);
        Report {
            schema: "fly-redaction/1",
            rules_version: RULES_VERSION,
            key_id: self.key_id(),
            identities: self.inner.identities,
            rules_off: self.inner.off.iter().map(|rule| rule.id()).collect(),
            rules: Report::rule_counts(&files),
            dropped: files
                .iter()
                .filter_map(|file| {
                    file.reason
                        .as_ref()
                        .map(|reason| Dropped { name: file.name.clone(), reason: reason.clone() })
                })
                .collect(),
            files,
            pseudonyms,
            pseudonyms_left_out: unlisted + counts.not_counted,
            values_left_out: left_out,
            verification: None,
        }
    }

    pub(crate) fn record(&self, report: FileReport) {
        let mut counts = self.counts();
        // The second sweep adds to what the first pass said.
        match counts.files.get_mut(&report.name) {
            Some(earlier) if report.swept > 0 || report.total() == 0 && earlier.total() > 0 => {
                earlier.add_sweep(&report);
            }
            _ => {
                counts.files.insert(report.name.clone(), report);
            }
        }
    }

    pub(crate) fn scan(&self, bytes: &[u8], format: Format, last: bool) -> Found {
        self.inner.scanner.scan(bytes, format, last)
    }

    pub(crate) fn is_off(&self, rule: R) -> bool {
        self.inner.scanner.is_off(rule)
    }

    pub(crate) fn fields(&self, format: Format) -> Option<Fields> {
        let json = matches!(format, Format::Json | Format::Ndjson);
        (json && !self.inner.fields.is_empty())
            .then(|| Fields::new(self.inner.fields.clone(), format == Format::Ndjson))
    }

    pub(crate) fn longest_spaced(&self) -> usize {
        self.inner.longest_spaced.load(Ordering::Relaxed)
    }

    /// The pseudonym of what a span covers, counted.
    pub(crate) fn pseudonym(&self, span: &Span, source: &[u8]) -> String {
        let value = span.value.as_deref().unwrap_or(source);
        let hash = self.inner.key.hash(span.kind.word(), value);
        let mut counts = self.counts();
        let full = counts.pseudonyms.len() >= COUNTED;
        match counts.pseudonyms.get_mut(&(span.kind, hash)) {
            Some((_, count)) => *count += 1,
            None if full => counts.not_counted += 1,
            None => {
                counts.pseudonyms.insert((span.kind, hash), (span.prefix, 1));
            }
        }
        key::render(span.kind, span.prefix, hash)
    }

    /// Keeps the values of spans for later windows of the same stream.
    pub(crate) fn learn(&self, bytes: &[u8], spans: &[Span], learned: &mut Known) {
        for span in spans {
            if span.learn == Learn::No || self.is_off(span.rule) {
                continue;
            }
            let value = span.value.as_deref().unwrap_or(&bytes[span.start..span.end]);
            if span.learn == Learn::Yes || known::is_odd(value) {
                learned.add(&self.inner.key, span.kind, span.prefix, value);
            }
        }
        learned.index();
    }

    /// Keeps what a stream learned for the second sweep.
    pub(crate) fn learn_all(&self, learned: Known) {
        if !learned.is_empty() {
            self.inner.found.write().unwrap_or_else(PoisonError::into_inner).add_all(learned);
        }
    }

    /// Adds the places of known values: the caller's, this stream's, and with `all` every file's.
    pub(crate) fn find_known(
        &self,
        bytes: &[u8],
        learned: &Known,
        all: bool,
        spans: &mut Vec<Span>,
    ) {
        let before = spans.len();
        read(&self.inner.known).find(bytes, spans);
        learned.find(bytes, spans);
        if all {
            if read(&self.inner.found).is_behind() {
                self.inner.found.write().unwrap_or_else(PoisonError::into_inner).index();
            }
            read(&self.inner.found).find(bytes, spans);
        }
        if spans.len() > before {
            let protected = scan::protected(bytes);
            let mut at = 0;
            spans.retain(|span| {
                at += 1;
                at <= before
                    || !self.is_off(span.rule)
                        && !protected.iter().any(|(from, to)| span.start < *to && *from < span.end)
            });
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(known: &RwLock<Known>) -> std::sync::RwLockReadGuard<'_, Known> {
    known.read().unwrap_or_else(PoisonError::into_inner)
}
