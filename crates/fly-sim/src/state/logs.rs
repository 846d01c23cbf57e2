//! The log of an app: records written in the world, generated streams of any length, and lines that the simulation
//! itself writes. Pages are computed when asked for, so a stream of 200 MB costs no memory.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::ids::mix;

/// Log records live about seven days on the platform; the first page looks one day back.
const FIRST_PAGE_WINDOW_SECONDS: i64 = 86_400;

#[derive(Debug, Default)]
pub(crate) struct LogBook {
    /// By time.
    pub(crate) records: Vec<Record>,
    pub(crate) streams: Vec<Stream>,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) at: Timestamp,
    pub(crate) message: String,
    pub(crate) level: String,
    pub(crate) machine: String,
    pub(crate) region: String,
    pub(crate) provider: String,
    pub(crate) error_code: Option<i64>,
    pub(crate) status_code: Option<i64>,
    pub(crate) url: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) count: u64,
    pub(crate) seed: u64,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) bytes: usize,
    pub(crate) level: String,
    /// (Machine id, region)
    pub(crate) machines: Vec<(String, String)>,
    pub(crate) lines: Vec<String>,
}

pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// Nanoseconds since 1970; absent when there was nothing.
    pub(crate) next: Option<i128>,
}

pub(crate) struct Filter<'a> {
    pub(crate) machine: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
}

impl Filter<'_> {
    fn keeps(&self, record: &Record) -> bool {
        self.machine.is_none_or(|wanted| record.machine == wanted)
            && self.region.is_none_or(|wanted| record.region == wanted)
    }
}

impl LogBook {
    pub(crate) fn write(&mut self, record: Record) {
        let place = self.records.partition_point(|other| other.at <= record.at);
        self.records.insert(place, record);
    }

    /// The page after `token`, or the last `size` records of the past day.
    pub(crate) fn page(
        &self,
        token: Option<i128>,
        filter: &Filter<'_>,
        size: usize,
        now: Timestamp,
    ) -> Page {
        let Some(token) = token else { return self.last_page(filter, size, now) };
        let mut found: Vec<Record> = Vec::new();
        let first = self.records.partition_point(|record| record.at.as_nanosecond() <= token);
        collect(self.records[first..].iter().cloned(), filter, size, now, &mut found);
        for stream in &self.streams {
            let first = stream.first_after(token);
            collect((first..stream.count).map(|n| stream.record(n)), filter, size, now, &mut found);
        }
        found.sort_by_key(|record| record.at);
        cut_front(&mut found, size);
        finish(found)
    }

    fn last_page(&self, filter: &Filter<'_>, size: usize, now: Timestamp) -> Page {
        let from = now.as_nanosecond() - i128::from(FIRST_PAGE_WINDOW_SECONDS) * 1_000_000_000;
        let mut found: Vec<Record> = Vec::new();
        let recent = |record: &Record| record.at.as_nanosecond() > from && record.at <= now;
        let kept = self.records.iter().rev().filter(|r| recent(r) && filter.keeps(r));
        found.extend(kept.take(size).cloned());
        for stream in &self.streams {
            let kept = (stream.first_after(from)..stream.first_after(now.as_nanosecond()))
                .rev()
                .map(|n| stream.record(n))
                .filter(|record| filter.keeps(record));
            found.extend(kept.take(size));
        }
        found.sort_by_key(|record| record.at);
        let surplus = found.len().saturating_sub(size);
        found.drain(..surplus);
        finish(found)
    }
}

/// Takes `size` records and then those of the same instant, since the token is an instant.
fn collect(
    records: impl Iterator<Item = Record>,
    filter: &Filter<'_>,
    size: usize,
    now: Timestamp,
    found: &mut Vec<Record>,
) {
    let before = found.len();
    let mut last = None;
    for record in records {
        if record.at > now || (found.len() - before >= size && last != Some(record.at)) {
            break;
        }
        if filter.keeps(&record) {
            last = Some(record.at);
            found.push(record);
        }
    }
}

fn cut_front(found: &mut Vec<Record>, size: usize) {
    if let Some(border) = size.checked_sub(1).and_then(|last| found.get(last)).map(|r| r.at) {
        found.retain(|record| record.at <= border);
    }
}

fn finish(records: Vec<Record>) -> Page {
    let next = records.last().map(|record| record.at.as_nanosecond());
    Page { records, next }
}

impl Stream {
    fn at(&self, n: u64) -> Timestamp {
        let (from, to) = (self.from.as_nanosecond(), self.to.as_nanosecond());
        let nanos = from + (to - from) * i128::from(n) / i128::from(self.count.max(1));
        Timestamp::from_nanosecond(nanos).unwrap_or(self.from)
    }

    fn first_after(&self, token: i128) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle).as_nanosecond() <= token { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn record(&self, n: u64) -> Record {
        let random = mix(self.seed ^ mix(n));
        let pick = |length: usize, salt: u64| {
            usize::try_from(mix(random ^ salt) % length.max(1) as u64).unwrap_or(0)
        };
        let (machine, region) =
            self.machines.get(pick(self.machines.len(), 1)).cloned().unwrap_or_default();
        let mut message = if self.lines.is_empty() {
            format!(
                "GET /items/{} status=200 duration={}ms request_id={:016x} n={n}",
                random % 100_000,
                random % 900,
                random
            )
        } else {
            self.lines[pick(self.lines.len(), 2)].replace("{n}", &n.to_string())
        };
        while self.lines.is_empty() && message.len() < self.bytes {
            message.push(' ');
            let _fits = write!(message, "{:x}", mix(random ^ message.len() as u64));
        }
        if self.lines.is_empty() {
            message.truncate(self.bytes.max(16));
        }
        Record {
            at: self.at(n),
            message,
            level: self.level.clone(),
            machine,
            region,
            provider: "app".to_owned(),
            error_code: None,
            status_code: None,
            url: None,
        }
    }
}

impl Record {
    pub(crate) fn json(&self, index: usize) -> Value {
        let nanos = self.at.as_nanosecond();
        let mut meta = json!({
            "instance": self.machine, "region": self.region,
            "event": { "provider": self.provider },
        });
        if let Some(code) = self.error_code {
            meta["error"] = json!({ "code": code, "message": self.message });
        }
        if let Some(status) = self.status_code {
            meta["http"] = json!({
                "request": { "id": format!("{nanos:x}-fra"), "method": "GET", "version": "HTTP/2.0" },
                "response": { "status_code": status },
            });
        }
        if let Some(url) = &self.url {
            meta["url"] = json!({ "full": url });
        }
        json!({
            "id": format!("{nanos}-{index}"), "type": "log",
            "attributes": {
                "timestamp": self.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string(),
                "message": self.message, "level": self.level, "instance": self.machine,
                "region": self.region, "meta": meta,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_page_by_page_without_loss() {
        let start: Timestamp = "2026-09-01T11:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        let stream = Stream {
            count: 1003,
            seed: 1,
            from: start,
            to: now,
            bytes: 80,
            level: "info".to_owned(),
            machines: vec![("a".to_owned(), "fra".to_owned()), ("b".to_owned(), "iad".to_owned())],
            lines: Vec::new(),
        };
        let book = LogBook { records: Vec::new(), streams: vec![stream] };
        for filter in [
            Filter { machine: None, region: None },
            Filter { machine: Some("a"), region: None },
            Filter { machine: None, region: Some("iad") },
        ] {
            let mut token = start.as_nanosecond() - 1;
            let mut seen = Vec::new();
            loop {
                let page = book.page(Some(token), &filter, 100, now);
                let Some(next) = page.next else { break };
                assert!(next > token);
                token = next;
                seen.extend(page.records.into_iter().map(|record| record.at));
            }
            let mut unique = seen.clone();
            unique.dedup();
            assert_eq!(seen.len(), unique.len(), "no record twice");
            let wanted = (0..1003).filter(|n| filter.keeps(&book.streams[0].record(*n))).count();
            assert_eq!(seen.len(), wanted);
        }
        let last = book.page(None, &Filter { machine: None, region: None }, 100, now);
        assert_eq!(last.records.len(), 100);
        assert!(last.records.is_sorted_by_key(|record| record.at));
    }
}
