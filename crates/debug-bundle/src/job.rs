//! What one collector has done so far, kept outside the collector, so that it survives the collector's end by deadline,
//! signal or panic.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fly_api::{ApiError, CallRecord, ErrorKind, Fetched};
use jiff::Timestamp;
use redact::{Format, Redactor};
use serde::Serialize;

use crate::collect::Outcome;
use crate::manifest::{Cut, FileRecord, Reason, RequestRecord, Status, Truncation};
use crate::staging::{OpenFile, Staging, StagingError};

/// Calls that a manifest lists per collector; the rest is counted.
const MOST_REQUESTS: usize = 200;

/// The work of one collector. Cheap to clone.
#[derive(Clone)]
pub struct Job {
    staging: Arc<Staging>,
    redactor: Redactor,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: Vec<FileRecord>,
    open: Vec<OpenFile>,
    requests: Vec<RequestRecord>,
    left_out: u64,
    retries: u64,
    throttle_ms: u64,
    commands: Vec<Vec<String>>,
    exit_code: Option<i32>,
    signal: Option<i32>,
    stderr_file: Option<String>,
    trouble: Option<Outcome>,
}

/// Everything a job leaves behind.
#[derive(Default)]
pub struct Done {
    /// Finished files.
    pub files: Vec<FileRecord>,
    /// Calls.
    pub requests: Vec<RequestRecord>,
    /// Calls that were counted only.
    pub requests_left_out: u64,
    /// Calls that were sent again.
    pub retries: u64,
    /// Milliseconds in our own rate limit.
    pub throttle_ms: u64,
    /// Subprocesses.
    pub commands: Vec<Vec<String>>,
    /// Exit status of the last subprocess.
    pub exit_code: Option<i32>,
    /// Signal of the last subprocess.
    pub signal: Option<i32>,
    /// Where its error output is.
    pub stderr_file: Option<String>,
    /// The worst that happened to a file.
    pub trouble: Option<Outcome>,
}

impl Done {
    /// Whether a file was shortened.
    pub fn is_cut(&self) -> bool {
        self.files.iter().any(|file| file.truncation.kind != Cut::None)
    }
}

impl Job {
    /// A job that has done nothing.
    pub fn new(staging: Arc<Staging>, redactor: Redactor) -> Self {
        Self { staging, redactor, state: Arc::default() }
    }

    /// Writes a JSON document as it was received.
    pub fn json(&self, path: &str, body: &[u8]) -> Result<(), Outcome> {
        match crate::sample::sample(body, crate::sample::CAP) {
            None => self.file(path, Format::Json, body, None),
            Some((fewer, cut)) => self.file(path, Format::Json, &fewer, Some(cut)),
        }
    }

    /// Writes a value as JSON.
    pub fn value<T: Serialize + ?Sized>(&self, path: &str, value: &T) -> Result<(), Outcome> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| {
            Outcome::new(Status::Failed, Reason::new("encode", error.to_string()))
        })?;
        text.push(b'\n');
        self.file(path, Format::Json, &text, None)
    }

    /// Writes a text.
    pub fn text(&self, path: &str, text: &[u8]) -> Result<(), Outcome> {
        self.file(path, Format::Text, text, None)
    }

    /// Writes a file whole.
    pub fn file(
        &self,
        path: &str,
        format: Format,
        content: &[u8],
        truncation: Option<Truncation>,
    ) -> Result<(), Outcome> {
        let written = self.staging.write(&self.redactor, path, format, content);
        self.keep(path, written, truncation)
    }

    /// Starts a file that grows; [`Job::append`] adds to it, and whatever ends the collector ends it properly.
    pub fn begin(&self, path: &str, format: Format) -> Result<(), Outcome> {
        match self.staging.open(&self.redactor, path, format) {
            Ok(file) => {
                self.state().open.push(file);
                Ok(())
            }
            Err(error) => self.keep(path, Err(error), None),
        }
    }

    /// Adds to a file that was begun.
    pub fn append(&self, path: &str, bytes: &[u8]) -> Result<(), Outcome> {
        let mut state = self.state();
        let Some(at) = state.open.iter().position(|file| file.path() == path) else {
            return Err(Outcome::new(
                Status::Canceled,
                Reason::new("closed", "the file was ended"),
            ));
        };
        let Err(error) = state.open[at].write(bytes) else { return Ok(()) };
        state.open.swap_remove(at).abandon();
        drop(state);
        self.keep(path, Err(error), None)
    }

    /// Ends a file that was begun.
    pub fn end(&self, path: &str, truncation: Option<Truncation>) -> Result<(), Outcome> {
        let mut state = self.state();
        let Some(at) = state.open.iter().position(|file| file.path() == path) else {
            return Ok(());
        };
        let file = state.open.swap_remove(at);
        drop(state);
        let written = file.finish(&self.redactor);
        self.keep(path, written, truncation)
    }

    fn keep(
        &self,
        path: &str,
        written: Result<FileRecord, StagingError>,
        truncation: Option<Truncation>,
    ) -> Result<(), Outcome> {
        let mut state = self.state();
        match written {
            Ok(mut record) => {
                if let Some(truncation) = truncation {
                    record.truncation = truncation;
                }
                state.files.push(record);
                Ok(())
            }
            Err(error) => {
                let message = ops_cli::chain(&error).join(": ");
                let outcome = match error {
                    StagingError::Disk { .. } => {
                        Outcome::new(Status::Failed, Reason::new("disk", message).hint(Some(
                            "free space in the working directory, or set TMPDIR or XDG_CACHE_HOME to another disk".to_owned(),
                        )))
                    }
                    StagingError::Redaction { .. } => {
                        // The stub is in the file's place and belongs to the bundle.
                        let stub = std::fs::read(self.staging.locate(path)).unwrap_or_default();
                        if !stub.is_empty() {
                            state.files.push(crate::staging::describe(path, &stub));
                        }
                        Outcome::new(Status::RedactionFailed, Reason::new("redaction", message))
                    }
                };
                state.trouble.get_or_insert(outcome.clone());
                Err(outcome)
            }
        }
    }

    /// Takes the calls of an answer into the record and hands the answer on; an error becomes an outcome.
    pub fn note<T>(&self, answer: Result<Fetched<T>, ApiError>) -> Result<Fetched<T>, Outcome> {
        match answer {
            Ok(fetched) => {
                for call in &fetched.calls {
                    self.call(call);
                }
                Ok(fetched)
            }
            Err(error) => {
                self.call(&error.call);
                Err(outcome(&error))
            }
        }
    }

    fn call(&self, call: &CallRecord) {
        self.request(RequestRecord {
            method: call.method.to_owned(),
            url: call.url_template.clone(),
            status: call.status,
            request_id: call.request_id.clone(),
            trace_id: call.trace_id.clone(),
            attempts: call.attempts,
            throttle_ms: call.throttle_ms,
            started_at: call.started_at,
            duration_ms: call.duration_ms,
            response_bytes: call.response_bytes,
            error: call.error.clone(),
        });
    }

    /// Takes one call into the record.
    pub fn request(&self, record: RequestRecord) {
        let mut state = self.state();
        state.retries += u64::from(record.attempts.saturating_sub(1));
        state.throttle_ms += record.throttle_ms;
        if state.requests.len() < MOST_REQUESTS {
            state.requests.push(record);
        } else {
            state.left_out += 1;
        }
    }

    /// Takes a subprocess into the record and keeps its error output.
    pub fn ran(&self, transcript: &exec::Transcript, stderr_file: &str) {
        let mut command = vec![transcript.program.clone()];
        command.extend(transcript.args.iter().cloned());
        let said = &transcript.stderr_excerpt;
        let kept = !said.is_empty() && self.text(stderr_file, said.as_bytes()).is_ok();
        let mut state = self.state();
        state.commands.push(command);
        state.exit_code = match transcript.ending {
            exec::Ending::Exited { code } => Some(code),
            _ => None,
        };
        state.signal = match transcript.ending {
            exec::Ending::Signalled { signal } => Some(signal),
            exec::Ending::TimedOut { killed } | exec::Ending::Cancelled { killed } => {
                Some(if killed { 9 } else { 15 })
            }
            exec::Ending::Exited { .. } => None,
        };
        if kept {
            state.stderr_file = Some(stderr_file.to_owned());
        }
    }

    /// When the work is over, for whatever reason: ends open files and takes everything out.
    pub fn close(&self) -> Done {
        loop {
            let Some(file) = self.state().open.pop() else { break };
            let path = file.path().to_owned();
            let cut = Truncation {
                kind: Cut::HeadTail,
                note: Some("the rest did not arrive in time".to_owned()),
                ..Truncation::default()
            };
            let written = file.finish(&self.redactor);
            let _in_trouble = self.keep(&path, written, Some(cut));
        }
        let mut state = self.state();
        let state = std::mem::take(&mut *state);
        let mut files = state.files;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Done {
            files,
            requests: state.requests,
            requests_left_out: state.left_out,
            retries: state.retries,
            throttle_ms: state.throttle_ms,
            commands: state.commands,
            exit_code: state.exit_code,
            signal: state.signal,
            stderr_file: state.stderr_file,
            trouble: state.trouble,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error of the API means for a collector.
pub fn outcome(error: &ApiError) -> Outcome {
    let status = if error.is_denied() {
        Status::Denied
    } else if error.is_not_found() {
        Status::NotFound
    } else if error.is_rate_limited() {
        Status::RateLimited
    } else if error.is_timeout() {
        Status::Timeout
    } else {
        Status::Failed
    };
    let code = match &error.kind {
        ErrorKind::Status(answer) => format!("http_{}", answer.status),
        ErrorKind::Transport(transport) => transport.kind().code().to_owned(),
        ErrorKind::Decode { .. } => "decode".to_owned(),
        ErrorKind::GraphQl { .. } => "graphql".to_owned(),
        ErrorKind::Deadline => "deadline".to_owned(),
        _ => "api".to_owned(),
    };
    let message = ops_cli::chain(error).join(": ");
    Outcome::new(status, Reason::new(code, message).hint(error.hint()))
}

/// The record of a call that was still under way when its collector ended.
pub fn unfinished(
    method: &str,
    url: &str,
    started_at: Timestamp,
    duration_ms: u64,
) -> RequestRecord {
    RequestRecord {
        method: method.to_owned(),
        url: url.to_owned(),
        status: None,
        request_id: None,
        trace_id: None,
        attempts: 1,
        throttle_ms: 0,
        started_at,
        duration_ms,
        response_bytes: 0,
        error: Some("unfinished".to_owned()),
    }
}
