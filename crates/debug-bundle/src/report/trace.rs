//! `trace.json`: the run as a timeline in the Trace Event Format, which Perfetto and Chrome open.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Telling;

/// Rows per collector for requests that overlap; more than can be in flight.
const LANES: usize = 64;

pub(super) fn document(telling: &Telling<'_>) -> Value {
    let start = telling.manifest.started_at;
    let micros = |at: Timestamp| (at.as_microsecond() - start.as_microsecond()).max(0);
    let mut events = vec![
        json!({ "ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": { "name": telling.manifest.tool.name } }),
    ];
    let mut rows = BTreeMap::new();
    for (row, ended) in (1..).zip(telling.ended) {
        rows.insert(ended.spec.id, row);
        events.push(json!({ "ph": "M", "pid": 1, "tid": row, "name": "thread_name", "args": { "name": ended.spec.id } }));
        let Some(started) = ended.started_at else { continue };
        events.push(json!({
            "ph": "X", "pid": 1, "tid": row, "name": ended.spec.id, "cat": "collector", "ts": micros(started), "dur": ended.run_ms * 1000,
            "args": { "status": ended.outcome.status, "queue_ms": ended.queue_ms, "files": ended.done.files.len() },
        }));
    }
    // Requests of one collector overlap: each goes into the first lane of its collector that is free.
    let mut lanes: BTreeMap<(u32, usize), i64> = BTreeMap::new();
    let mut exchanges: Vec<_> = telling.exchanges.iter().collect();
    exchanges.sort_by_key(|it| it.started_at);
    for exchange in exchanges {
        let row: u32 = rows.get(exchange.collector).copied().unwrap_or(0);
        let begin = micros(exchange.started_at);
        let took = exchange
            .duration_ms
            .map_or(0, |ms| i64::try_from(ms).unwrap_or(i64::MAX / 2000) * 1000);
        let free = |lane: &usize| lanes.get(&(row, *lane)).is_none_or(|busy| *busy <= begin);
        let lane = (0..LANES).find(free).unwrap_or(LANES - 1);
        lanes.insert((row, lane), begin + took.max(1));
        events.push(json!({
            "ph": "X", "pid": 2, "tid": row as usize * LANES + lane, "cat": "http",
            "name": format!("{} {}", exchange.method, exchange.url), "ts": begin, "dur": took,
            "args": { "collector": exchange.collector, "queue_ms": exchange.queue_ms, "result": exchange.result.as_deref().unwrap_or("unfinished") },
        }));
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}
