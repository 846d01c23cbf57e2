//! `manifest.json`: who collected what, how long it took, how it ended, what was cut, and the hash of every file.
//!
//! The format carries a version: readers refuse a newer major and ignore fields that they do not know. It must not know:
//! how anything is collected or packed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the format.
pub const SCHEMA: &str = "fly-debug-bundle/1";

/// RFC 3339 in UTC with milliseconds, in both directions.
pub mod stamp {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// The text of an instant.
    pub fn text(at: Timestamp) -> String {
        at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(*at))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How a collector ended. Closed: a reader can rely on these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything that was asked for is there.
    Ok,
    /// It is there, shortened; `truncation` of the files says how.
    OkTruncated,
    /// Not tried: left out by an option, or an input is missing.
    Skipped,
    /// The token is missing, wrong or not enough.
    Denied,
    /// The app or thing does not exist.
    NotFound,
    /// Does not exist here, e.g. no flyctl.
    Unsupported,
    /// Ran out of time; what came in until then is kept.
    Timeout,
    /// The platform refused more calls.
    RateLimited,
    /// Stopped by a signal; what came in until then is kept.
    Canceled,
    /// Any other failure.
    Failed,
    /// A file could not be redacted; a stub stands in its place.
    RedactionFailed,
}

impl Status {
    /// The word in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkTruncated => "ok_truncated",
            Self::Skipped => "skipped",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Unsupported => "unsupported",
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::RedactionFailed => "redaction_failed",
        }
    }

    /// Whether its data can be used.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Ok | Self::OkTruncated)
    }

    /// Whether something was lost that a better day would have brought.
    pub fn is_loss(self) -> bool {
        !matches!(self, Self::Ok | Self::OkTruncated | Self::Skipped | Self::Unsupported)
    }
}

/// Why a collector did not end with `ok`: a short code for programs, words for people. Both are redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// E.g. `option`, `missing_input`, `http_403`, `panic`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Reason {
    /// A reason.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// What was cut out of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Truncation {
    /// What was done.
    pub kind: Cut,
    /// Bytes (of texts) or items (of lists) kept from the beginning.
    pub kept_head: u64,
    /// Bytes or items kept from the end.
    pub kept_tail: u64,
    /// Bytes that are missing, where known.
    pub cut_bytes: u64,
    /// Lines or items that are missing, where known.
    pub cut_lines: u64,
    /// The limit that was reached, in bytes.
    pub cap: u64,
    /// In words, where the numbers do not tell it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a file was shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// It is whole.
    #[default]
    None,
    /// Beginning and end are kept.
    HeadTail,
    /// The end is kept.
    Tail,
    /// Items from the beginning and the end of a list are kept.
    Sampled,
    /// The file was left out.
    Dropped,
}

/// One file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path below the top-level directory.
    pub path: String,
    /// Size in the bundle.
    pub bytes: u64,
    /// Line feeds in it, plus one for a last line without.
    pub lines: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
    /// Media type.
    pub media_type: String,
    /// Size before redaction and cutting; 0 where the tool made it itself.
    pub source_bytes: u64,
    /// What was cut.
    pub truncation: Truncation,
    /// Replacements in it, both passes.
    pub redactions: u64,
}

/// One call of an API, retries included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// HTTP method.
    pub method: String,
    /// Host and path with placeholders.
    pub url: String,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// `fly-request-id` of the last answer: what support asks for.
    pub request_id: Option<String>,
    /// `fly-trace-id` of the last answer.
    pub trace_id: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// Milliseconds spent waiting for our own rate limit.
    pub throttle_ms: u64,
    /// When it started.
    #[serde(with = "stamp")]
    pub started_at: Timestamp,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// Size of the last answer.
    pub response_bytes: u64,
    /// Short code when it failed; `unfinished` when it was given up.
    pub error: Option<String>,
}

/// What one collector did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectorRecord {
    /// Its id.
    pub id: String,
    /// What it collects.
    pub title: String,
    /// Grows when its files change shape.
    pub version: u32,
    /// Collectors whose data it needs.
    pub requires: Vec<String>,
    /// How it ended.
    pub status: Status,
    /// Why, unless `ok`.
    pub reason: Option<Reason>,
    /// When it started; null when it never did.
    #[serde(default)]
    pub started_at: Option<String>,
    /// Milliseconds between being ready and being started.
    pub queue_ms: u64,
    /// Milliseconds from start to end.
    pub run_ms: u64,
    /// Calls that were sent again.
    pub retries: u64,
    /// Milliseconds spent waiting for our own rate limit.
    pub throttle_ms: u64,
    /// Program and arguments, for subprocesses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<Vec<String>>,
    /// Calls.
    pub requests: Vec<RequestRecord>,
    /// Calls not listed because there were too many.
    #[serde(default)]
    pub requests_left_out: u64,
    /// Exit status of the last subprocess.
    pub exit_code: Option<i32>,
    /// Signal that ended the last subprocess.
    pub signal: Option<i32>,
    /// Its error output, apart from its output.
    pub stderr_file: Option<String>,
    /// Its files.
    pub files: Vec<FileRecord>,
    /// Analyzers that read this data.
    pub enables: Vec<String>,
    /// Those of them that could not judge because it is missing.
    pub lost_findings: Vec<String>,
}

/// State of the whole bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleStatus {
    /// Every collector that was wanted has its data.
    Complete,
    /// Interrupted or out of time.
    Partial,
    /// Some collectors failed.
    Degraded,
}

impl BundleStatus {
    /// The word in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Degraded => "degraded",
        }
    }
}

/// Which program made the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// Time window of the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRecord {
    /// Oldest instant asked for.
    #[serde(with = "stamp")]
    pub since: Timestamp,
    /// Newest instant asked for.
    #[serde(with = "stamp")]
    pub until: Timestamp,
}

/// How far the clock of this machine is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ClockRecord {
    /// Theirs minus ours, in milliseconds, good to about a second; null when nobody answered.
    pub offset_ms: Option<i64>,
    /// Whose clocks it was compared with.
    pub source: Vec<String>,
}

/// Limits of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Requests in flight per API host.
    pub per_api_host: u32,
    /// Requests in flight per probed host.
    pub per_probed_host: u32,
    /// flyctl processes at a time.
    pub flyctl_processes: u32,
    /// Largest archive, in bytes.
    pub max_archive_bytes: u64,
    /// Largest log, in bytes.
    pub max_log_bytes: u64,
    /// Milliseconds kept for packing and verifying.
    pub reserve_ms: u64,
}

/// How the bundle was redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionRecord {
    /// What happens to identities.
    pub mode: String,
    /// Version of the rules.
    pub rules_version: String,
    /// Names the pseudonym key without revealing it.
    pub key_id: String,
}

/// The machine that collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Operating system.
    pub os: String,
    /// Processor.
    pub arch: String,
    /// Whether it looks like a CI run.
    pub ci: bool,
    /// Whether a person watched.
    pub tty: bool,
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// 8 hex digits.
    pub bundle_id: String,
    /// Name of the top-level directory.
    pub stem: String,
    /// The program.
    pub tool: Maker,
    /// The command line, redacted.
    pub argv: Vec<String>,
    /// Start of the collection.
    #[serde(with = "stamp")]
    pub started_at: Timestamp,
    /// End of the collection.
    #[serde(with = "stamp")]
    pub finished_at: Timestamp,
    /// Time window of the logs.
    pub window: WindowRecord,
    /// The app.
    pub app: String,
    /// Its organization, where it could be found out.
    pub org: Option<String>,
    /// State of the whole.
    pub status: BundleStatus,
    /// Why it is partial.
    pub partial_reason: Option<String>,
    /// Time for the whole run, in milliseconds.
    pub deadline_ms: u64,
    /// The collectors that decided how long it took, in order.
    pub critical_path: Vec<String>,
    /// The clock.
    pub clock: ClockRecord,
    /// Limits.
    pub limits: Limits,
    /// Redaction.
    pub redaction: RedactionRecord,
    /// The host.
    pub host: HostRecord,
    /// Collectors by status, files, bytes, requests.
    pub counts: BTreeMap<String, u64>,
    /// Every collector, in the order of the registry.
    pub collectors: Vec<CollectorRecord>,
    /// Files that the tool itself wrote about the run. This file is not among them: it cannot hold its own hash.
    pub files: Vec<FileRecord>,
}

impl Manifest {
    /// Reads a manifest, refusing one of a newer major version.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_slice(text)?;
        if head.schema != SCHEMA {
            return Err(ManifestError::Schema { found: head.schema });
        }
        Ok(serde_json::from_slice(text)?)
    }

    /// Every file but the manifest itself, with its record.
    pub fn all_files(&self) -> impl Iterator<Item = &FileRecord> {
        self.collectors
            .iter()
            .flat_map(|collector| &collector.files)
            .chain(&self.files)
            .filter(|file| file.truncation.kind != Cut::Dropped)
    }
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON of this shape.
    #[error("it is not a bundle's manifest")]
    Shape(#[from] serde_json::Error),
    /// Another version.
    #[error("it has the format '{found}', and this program reads '{SCHEMA}'")]
    Schema {
        /// What it says.
        found: String,
    },
}
