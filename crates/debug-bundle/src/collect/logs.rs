//! The logs of a window, page by page, oldest first.
//!
//! A page holds 100 lines, so a busy app has more pages than there is time. Beginning and end matter most: when the
//! rest of the window does not fit into the time left, reading jumps forward to where it does, and a marker line says which
//! stretch is missing. Of a log that is too large in bytes, beginning and end are kept as well.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::LogWindow;
use fly_types::wire::LogRecord;
use jiff::{SignedDuration, Timestamp};
use redact::Format;
use serde_json::json;
use tokio::time::Instant;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::manifest::{Cut, Reason, Status, Truncation, stamp};
use crate::surroundings::Surroundings;

pub(super) struct Logs;

/// Where the lines are.
pub(crate) const FILE: &str = "logs/platform.ndjson";

static SPEC: Spec = Spec {
    id: "logs",
    title: "logs of the window",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.fly.io/api/v1/apps/{app}/logs",
        times: "1 per 100 lines",
        permission: "read the app's logs",
    }],
    files: &[FILE],
    bytes: 2_000_000,
    limit: SECOND.saturating_mul(25),
    pool: Pool::Api,
    value: 98,
};

/// Share of the time after which the pace is first judged.
const JUDGE_AFTER: f64 = 0.3;

/// What has been read, under a cap in bytes: the beginning is written at once, the end is held.
struct Kept {
    head_room: u64,
    tail_cap: u64,
    head: u64,
    tail: VecDeque<Vec<u8>>,
    tail_bytes: u64,
    cut_bytes: u64,
    cut_lines: u64,
}

impl Kept {
    fn new(cap: u64) -> Self {
        Self {
            head_room: cap / 4,
            tail_cap: cap - cap / 4,
            head: 0,
            tail: VecDeque::new(),
            tail_bytes: 0,
            cut_bytes: 0,
            cut_lines: 0,
        }
    }

    fn push(&mut self, job: &Job, line: Vec<u8>) -> Result<(), Outcome> {
        let size = line.len() as u64;
        if self.tail.is_empty() && self.cut_lines == 0 && self.head + size <= self.head_room {
            self.head += size;
            return job.append(FILE, &line);
        }
        self.tail_bytes += size;
        self.tail.push_back(line);
        while self.tail_bytes > self.tail_cap {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.tail_bytes -= oldest.len() as u64;
            self.cut_bytes += oldest.len() as u64;
            self.cut_lines += 1;
        }
        Ok(())
    }

    fn flush(&mut self, job: &Job) -> Result<(), Outcome> {
        if self.cut_lines > 0 {
            let marker = json!({ "fly_debug_bundle": "cut", "lines": self.cut_lines, "bytes": self.cut_bytes });
            job.append(FILE, format!("{marker}\n").as_bytes())?;
        }
        for line in self.tail.drain(..) {
            job.append(FILE, &line)?;
        }
        Ok(())
    }
}

/// Where reading stands, to judge whether the window can be finished in time.
struct Pace {
    begin: Instant,
    budget: Duration,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    pages: u32,
}

impl Pace {
    fn new(budget: Duration) -> Self {
        Self { begin: Instant::now(), budget, first: None, last: None, pages: 0 }
    }

    fn note(&mut self, records: &[LogRecord]) {
        self.pages += 1;
        for at in records.iter().filter_map(LogRecord::at) {
            self.first.get_or_insert(at);
            self.last = self.last.max(Some(at));
        }
    }

    /// From where on the rest of the window fits into the time left; none when all of it does.
    fn jump(&self, until: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let spent = self.begin.elapsed().as_secs_f64();
        let left = self.budget.as_secs_f64() - spent;
        if spent < self.budget.as_secs_f64() * JUDGE_AFTER || self.pages < 3 {
            return None;
        }
        let (first, last) = (self.first?, self.last?);
        let covered = last.duration_since(first).as_secs_f64().max(0.001);
        let ahead = until.duration_since(last).as_secs_f64();
        // Seconds of log per second of reading, with a margin for a denser end.
        let affordable = covered / spent * left.max(0.0) * 0.6;
        if ahead <= affordable {
            return None;
        }
        let start = until.checked_sub(SignedDuration::try_from_secs_f64(affordable).ok()?).ok()?;
        (start > last).then_some((last, start))
    }
}

#[async_trait]
impl Collector for Logs {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        job.begin(FILE, Format::Ndjson)?;
        let mut kept = Kept::new(around.log_cap);
        let mut gaps: Vec<(Timestamp, Timestamp)> = Vec::new();
        let end = read(around, job, &mut kept, &mut gaps).await;
        kept.flush(job)?;
        let note = (!gaps.is_empty()).then(|| {
            let words: Vec<String> = gaps
                .iter()
                .map(|(from, to)| format!("{} to {}", stamp::text(*from), stamp::text(*to)))
                .collect();
            format!("not read for lack of time: {}", words.join(", "))
        });
        let cut = kept.cut_lines > 0 || note.is_some();
        let truncation = cut.then(|| Truncation {
            kind: Cut::HeadTail,
            kept_head: kept.head,
            kept_tail: kept.tail_bytes,
            cut_bytes: kept.cut_bytes,
            cut_lines: kept.cut_lines,
            cap: around.log_cap,
            note: note.clone(),
        });
        job.end(FILE, truncation)?;
        end?;
        if cut {
            let what =
                note.unwrap_or_else(|| format!("{} lines in the middle were cut", kept.cut_lines));
            let hint = "ask for a shorter window with --since and --until".to_owned();
            return Ok(Outcome::new(
                Status::OkTruncated,
                Reason::new("too_much", what).hint(Some(hint)),
            ));
        }
        Ok(Outcome::OK)
    }
}

/// Reads until the end of the window or of the time; what was read is in `kept` whatever the outcome.
async fn read(
    around: &Surroundings,
    job: &Job,
    kept: &mut Kept,
    gaps: &mut Vec<(Timestamp, Timestamp)>,
) -> Result<(), Outcome> {
    // A little less than the boundary allows, so that the end of the file is ours to write.
    let budget = around.time_left().min(SPEC.limit).mul_f64(0.9);
    let give_up = Instant::now() + budget;
    let window = |since| LogWindow { since: Some(since), until: Some(around.span.until) };
    let mut reader = around.client.logs(&around.app, window(around.span.since));
    let mut pace = Pace::new(budget);
    loop {
        let page = tokio::select! {
            biased;
            _ = around.cancel.cancelled() => {
                return Err(Outcome::new(Status::Canceled, Reason::new("signal", "interrupted while reading logs")));
            }
            page = tokio::time::timeout_at(give_up, reader.next()) => page,
        };
        let Ok(page) = page else {
            let what = "the window could not be read to its end in time";
            return Err(Outcome::new(Status::Timeout, Reason::new("limit", what).hint(Some(
                "ask for a shorter window with --since and --until, or give more time with --deadline".to_owned(),
            ))));
        };
        let Some(page) = page.transpose() else { return Ok(()) };
        let page = job.note(page)?;
        pace.note(&page.value);
        for record in &page.value {
            let mut line = serde_json::to_vec(record).unwrap_or_default();
            line.push(b'\n');
            kept.push(job, line)?;
        }
        if let Some((from, to)) = pace.jump(around.span.until) {
            let marker = json!({ "fly_debug_bundle": "gap", "from": stamp::text(from), "to": stamp::text(to) });
            kept.push(job, format!("{marker}\n").into_bytes())?;
            gaps.push((from, to));
            reader = around.client.logs(&around.app, window(to));
            let left = give_up.saturating_duration_since(Instant::now());
            pace = Pace::new(left);
        }
    }
}
