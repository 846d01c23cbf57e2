//! What a run shares: the key, the rules that are on, the values found so far, the counts.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::RedactError;
use crate::format::Format;
use crate::key::PseudonymKey;
use crate::kind::Kind;
use crate::options::Options;
use crate::report::{Dropped, FileReport, PseudonymCount, Report, Status};
use crate::rules::{RULES, RULES_VERSION};
use crate::stream::Stream;

/// Finds and replaces secrets. Cheap to clone; clones share what they learn and count.
#[derive(Clone)]
pub struct Redactor {
    inner: Arc<Engine>,
}

struct Engine {
    options: Options,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Vec<(Kind, Vec<u8>)>,
    files: BTreeMap<String, FileReport>,
    pseudonyms: HashMap<String, (Kind, u64)>,
}

impl Redactor {
    /// Builds the rule tables. Fails on an unknown rule id only.
    pub fn new(options: Options) -> Result<Self, RedactError> {
        for id in &options.off {
            if !RULES.iter().any(|rule| rule.id == *id) {
                return Err(RedactError::NoSuchRule { id: (*id).to_owned() });
            }
        }
        Ok(Self { inner: Arc::new(Engine { options, state: Mutex::new(State::default()) }) })
    }

    /// Makes a value known: it is replaced wherever it stands, also in base64, percent, JSON-escaped and hex form. Values of
    /// fewer than six characters and common words are not taken (`false`).
    pub fn add_known(&self, kind: Kind, value: impl AsRef<[u8]>) -> bool {
        let value = value.as_ref();
        if value.len() < 6 {
            return false;
        }
        self.state().known.push((kind, value.to_vec()));
        true
    }

    /// Redacts what is written to it, before it reaches `sink`. `name` is the file's path in the bundle; it is redacted in reports.
    pub fn stream<W: Write>(&self, name: &str, format: Format, sink: W) -> Stream<W> {
        Stream::new(self.clone(), name, format, sink)
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
        stream
            .write_all(input)
            .map_err(|source| RedactError::Sink { name: self.redact_str(name), source })?;
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
        let name = self.redact_str(name);
        let reason = self.redact_str(&error.to_string());
        let mut report = FileReport::new(name.clone(), Format::Auto);
        report.status = Status::RedactionFailed;
        report.reason = Some(reason.clone());
        let stub = serde_json::json!({ "redaction_failed": { "file": name, "code": error.code(), "reason": reason } });
        self.record(report.clone());
        (format!("{stub}\n").into_bytes(), report)
    }

    /// Redacts a line of a log, an error, an argument, a file name. Never fails: what cannot be redacted is masked whole.
    pub fn redact_str(&self, text: &str) -> String {
        crate::stream::scan_text(self, text)
    }

    /// Second pass: looks in a file that is already redacted for every value known or found anywhere.
    pub fn sweep(&self, name: &str, input: &[u8]) -> Result<(Vec<u8>, FileReport), RedactError> {
        self.redact(name, Format::Text, input)
    }

    /// Second pass over a stream.
    pub fn sweep_stream<W: Write>(&self, name: &str, sink: W) -> Stream<W> {
        self.stream(name, Format::Text, sink)
    }

    /// Whether `input` holds a value that is known or was found anywhere, in any of its forms.
    pub fn holds_known(&self, input: &[u8]) -> bool {
        self.state()
            .known
            .iter()
            .any(|(_, value)| input.windows(value.len()).any(|window| window == value))
    }

    /// Names the key without revealing it.
    pub fn key_id(&self) -> String {
        self.inner.options.key.id()
    }

    /// Everything done so far.
    pub fn report(&self) -> Report {
        let state = self.state();
        let files: Vec<FileReport> = state.files.values().cloned().collect();
        let mut pseudonyms: Vec<PseudonymCount> = state
            .pseudonyms
            .iter()
            .map(|(pseudonym, (kind, count))| PseudonymCount {
                pseudonym: pseudonym.clone(),
                kind: kind.word(),
                count: *count,
            })
            .collect();
        pseudonyms
            .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.pseudonym.cmp(&b.pseudonym)));
        Report {
            schema: "fly-redaction/1",
            rules_version: RULES_VERSION,
            key_id: self.key_id(),
            identities: self.inner.options.identities,
            rules_off: self.inner.options.off.clone(),
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
            pseudonyms_left_out: 0,
            values_left_out: 0,
            verification: None,
        }
    }

    pub(crate) fn record(&self, report: FileReport) {
        self.state().files.insert(report.name.clone(), report);
    }

    pub(crate) fn key(&self) -> &PseudonymKey {
        &self.inner.options.key
    }

    pub(crate) fn known(&self) -> Vec<(Kind, Vec<u8>)> {
        self.state().known.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
