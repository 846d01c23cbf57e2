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
    /// Writes the record as JSON. By hand, since a stream has a million of them and they all have one shape.
    pub(crate) fn write(&self, index: usize, out: &mut String) {
        let quote = |text: &str| Value::from(text).to_string();
        let (nanos, instance, region) =
            (self.at.as_nanosecond(), quote(&self.machine), quote(&self.region));
        let message = quote(&self.message);
        out.push_str("{\"id\":\"");
        let _fits = write!(out, "{nanos}-{index}");
        out.push_str("\",\"type\":\"log\",\"attributes\":{\"timestamp\":\"");
        write_timestamp(self.at, out);
        for (name, value) in [("\",\"message\":", &message), (",\"level\":", &quote(&self.level))] {
            out.push_str(name);
            out.push_str(value);
        }
        for lead in [",", ",\"meta\":{"] {
            out.push_str(lead);
            out.push_str("\"instance\":");
            out.push_str(&instance);
            out.push_str(",\"region\":");
            out.push_str(&region);
        }
        out.push_str(",\"event\":{\"provider\":");
        out.push_str(&quote(&self.provider));
        out.push('}');
        if let Some(code) = self.error_code {
            let _fits = write!(out, ",\"error\":{{\"code\":{code},\"message\":{message}}}");
        }
        if let Some(status) = self.status_code {
            let request = json!({
                "request": { "id": format!("{nanos:x}-fra"), "method": "GET", "version": "HTTP/2.0" },
                "response": { "status_code": status },
            });
            let _fits = write!(out, ",\"http\":{request}");
        }
        if let Some(url) = &self.url {
            let _fits = write!(out, ",\"url\":{}", json!({ "full": url }));
        }
        out.push_str("}}}");
    }
}

/// RFC 3339 with nanoseconds, from the days since 1970 (the usual civil calendar algorithm).
fn write_timestamp(at: Timestamp, out: &mut String) {
    let nanos = at.as_nanosecond();
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(0);
    let fraction = nanos.rem_euclid(1_000_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let _fits = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}Z"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_right() {
        for text in [
            "1970-01-01T00:00:00.000000000Z",
            "2024-02-29T23:59:59.999999999Z",
            "2026-11-24T03:04:05.006007008Z",
            "2100-03-01T00:00:00.100000000Z",
            "1969-12-31T23:59:59.500000000Z",
        ] {
            let mut out = String::new();
            write_timestamp(text.parse().unwrap(), &mut out);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn records_are_json() {
        let record = Record {
            at: "2026-11-24T03:04:05.006007008Z".parse().unwrap(),
            message: "tab\t \"quoted\" \u{1b}[0m é".to_owned(),
            level: "info".to_owned(),
            machine: "148e21ea7e4389".to_owned(),
            region: "fra".to_owned(),
            provider: "proxy".to_owned(),
            error_code: Some(1),
            status_code: Some(502),
            url: Some("https://x/?a=\"b\"".to_owned()),
        };
        let mut out = String::new();
        record.write(7, &mut out);
        let value: Value = serde_json::from_str(&out).unwrap();
        let attributes = &value["attributes"];
        assert_eq!(attributes["message"], record.message.as_str());
        assert_eq!(attributes["timestamp"], "2026-11-24T03:04:05.006007008Z");
        assert_eq!(attributes["meta"]["error"]["code"], 1);
        assert_eq!(attributes["meta"]["http"]["response"]["status_code"], 502);
        assert_eq!(attributes["meta"]["event"]["provider"], "proxy");
        assert_eq!(attributes["meta"]["region"], attributes["region"]);
    }

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
