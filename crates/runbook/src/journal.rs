//! The journal of a run as text: one JSON line a record, each with a checksum over itself and all before it.
//!
//! What may be wrong with it and what that means: bytes after the last complete record are a *torn tail*, left by a kill in the middle
//! of a write, and are cut off. Anything wrong before that is corruption and refused. A journal is never repaired by guessing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::canonical::sha256_hex;
use crate::event::Event;

/// Format that is written here, and the newest that is read.
pub const JOURNAL_VERSION: u64 = 1;

/// A record with its number and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 0, without gaps.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    sum: &'a str,
    #[serde(borrow)]
    record: &'a RawValue,
}

/// A checksum chain: each line's sum covers the sum before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(String);

impl Default for Chain {
    fn default() -> Self {
        Self("runbook journal".to_owned())
    }
}

impl Chain {
    fn next(&self, record: &str) -> Self {
        let mut hex = sha256_hex(&[self.0.as_bytes(), b"\n", record.as_bytes()]);
        hex.truncate(32);
        Self(hex)
    }

    /// The line for a record, with its newline, and the chain after it.
    ///
    /// # Errors
    /// If the record does not serialise.
    pub fn line(&self, record: &Record) -> Result<(String, Self), String> {
        let text = serde_json::to_string(record).map_err(|error| error.to_string())?;
        let next = self.next(&text);
        Ok((format!("{{\"sum\":\"{}\",\"record\":{text}}}\n", next.0), next))
    }
}

/// A journal that was read.
#[derive(Debug)]
pub struct Read {
    /// Its records.
    pub records: Vec<Record>,
    /// Their lines, without newline.
    pub lines: Vec<String>,
    /// The chain after the last.
    pub chain: Chain,
    /// Length of the sound part in bytes; what follows is a torn tail.
    pub sound: u64,
    /// Whether something follows.
    pub torn: bool,
}

/// Reads a journal.
///
/// # Errors
/// Says which line is damaged, or that the format is newer.
pub fn read(bytes: &[u8]) -> Result<Read, String> {
    let mut read = Read {
        records: Vec::new(),
        lines: Vec::new(),
        chain: Chain::default(),
        sound: 0,
        torn: false,
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            read.torn = true;
            break;
        };
        let number = read.records.len();
        let parsed = std::str::from_utf8(&rest[..end])
            .ok()
            .and_then(|text| serde_json::from_str::<Line<'_>>(text).ok().map(|line| (text, line)));
        let Some((text, line)) = parsed else {
            // A file system may leave a hole where the last write was cut. Only the very end may look like that.
            if rest[end + 1..].is_empty() && is_holed(&rest[..end]) {
                read.torn = true;
                break;
            }
            return Err(format!("line {} is damaged", number + 1));
        };
        let next = read.chain.next(line.record.get());
        if next.0 != line.sum {
            return Err(format!("line {} does not match its checksum", number + 1));
        }
        let record = decode(line.record.get(), number)?;
        read.records.push(record);
        read.lines.push(text.to_owned());
        read.chain = next;
        read.sound += end as u64 + 1;
        rest = &rest[end + 1..];
    }
    Ok(read)
}

/// Whether a line is zeros from its first zero on.
fn is_holed(line: &[u8]) -> bool {
    let first = line.iter().position(|byte| *byte == 0);
    first.is_some_and(|first| line[first..].iter().all(|byte| *byte == 0))
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    version: Option<u64>,
}

fn decode(text: &str, number: usize) -> Result<Record, String> {
    if number == 0
        && let Ok(Version { version: Some(version) }) = serde_json::from_str(text)
        && version > JOURNAL_VERSION
    {
        return Err(format!(
            "format {version} is newer than {JOURNAL_VERSION}, which this version reads"
        ));
    }
    let record: Record = serde_json::from_str(text)
        .map_err(|error| format!("line {} is not understood: {error}", number + 1))?;
    if record.number != number as u64 {
        return Err(format!("line {} has number {}", number + 1, record.number));
    }
    Ok(record)
}
