//! How far this machine's clock is off, from the `Date` headers of answers that came anyway.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::{Collector, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::manifest::{ClockRecord, Reason, Status, stamp};
use crate::surroundings::Surroundings;

pub(super) struct Clock;

static SPEC: Spec = Spec {
    id: "clock",
    title: "offset of this machine's clock (no extra calls)",
    version: 1,
    requires: &[],
    needs: &[],
    calls: &[],
    files: &["host/clock.json"],
    bytes: 500,
    limit: SECOND.saturating_mul(5),
    pool: Pool::Local,
    value: 55,
};

/// How long it waits for others' calls to end, in steps.
const STEPS: u32 = 60;
const STEP: std::time::Duration = std::time::Duration::from_millis(50);

#[async_trait]
impl Collector for Clock {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        for _ in 0..STEPS {
            tokio::time::sleep(STEP).await;
            // Others start in the same instant; once nothing is under way, nothing more is to be learnt.
            let exchanges = around.traffic.exchanges();
            if !exchanges.is_empty() && exchanges.iter().all(|it| it.duration_ms.is_some()) {
                break;
            }
        }
        let offsets = by_host(around);
        if offsets.is_empty() {
            return Err(Outcome::new(
                Status::Skipped,
                Reason::new("no_dates", "nobody answered with a date"),
            ));
        }
        let mut sorted: Vec<i64> = offsets.values().copied().collect();
        sorted.sort_unstable();
        let record = ClockRecord {
            offset_ms: Some(sorted[sorted.len() / 2]),
            source: offsets.keys().cloned().collect(),
        };
        let document = json!({
            "offset_ms": record.offset_ms, "precision_ms": 1000, "by_host": offsets, "read_at": stamp::text((around.clock)()),
        });
        job.value("host/clock.json", &document)?;
        // Set once per run: this collector runs once.
        let _ = around.found.clock.set(record);
        Ok(Outcome::OK)
    }
}

/// The newest offset per host, in milliseconds: theirs minus ours.
fn by_host(around: &Surroundings) -> BTreeMap<String, i64> {
    let mut offsets = BTreeMap::new();
    for exchange in around.traffic.exchanges() {
        let Some((date, ours)) = &exchange.date else { continue };
        let Some(theirs) = http_date(date) else { continue };
        let host = exchange.url.split('/').next().unwrap_or_default().to_owned();
        // The header counts whole seconds; half of one is the fairest guess of what was cut off.
        offsets.insert(host, theirs.as_millisecond() + 500 - ours.as_millisecond());
    }
    offsets
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix("GMT")?.trim_end();
    let time = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S", text).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_headers() {
        let at = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(at.to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(http_date("yesterday"), None);
    }
}
