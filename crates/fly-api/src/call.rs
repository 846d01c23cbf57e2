//! Records of calls: what was asked, what came back, how long it took. Never an address with a query, never a secret.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

/// An answer together with the bytes it was read from and the calls it took.
#[derive(Debug, Clone)]
pub struct Fetched<T> {
    /// The decoded answer.
    pub value: T,
    /// The body as received. Of an answer made of several pages, the last page's.
    pub body: Bytes,
    /// The calls it took, in order: one, or one per page.
    pub calls: Vec<CallRecord>,
}

impl<T> Fetched<T> {
    /// The same calls with another value made from this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fetched<U> {
        Fetched { value: change(self.value), body: self.body, calls: self.calls }
    }

    /// When the first call started, which is when the facts in the answer may first have been true.
    pub fn read_at(&self) -> Option<Timestamp> {
        self.calls.first().map(|call| call.started_at)
    }
}

/// One call, retries included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallRecord {
    /// HTTP method.
    pub method: &'static str,
    /// Host and path with placeholders, e.g. `api.machines.dev/v1/apps/{app}/machines`.
    pub url_template: String,
    /// Status of the last answer; none when there was no answer.
    pub status: Option<u16>,
    /// `fly-request-id` of the last answer: what support asks for.
    pub request_id: Option<String>,
    /// `fly-trace-id` of the last answer.
    pub trace_id: Option<String>,
    /// `date` header of the last answer, for comparing clocks.
    pub server_date: Option<String>,
    /// How often the request was sent or tried.
    pub attempts: u32,
    /// What ended each attempt but the last: a status or a transport code, in order.
    pub retried_after: Vec<String>,
    /// Milliseconds spent waiting for our own rate limit.
    pub throttle_ms: u64,
    /// Milliseconds spent waiting between attempts.
    pub backoff_ms: u64,
    /// When the call started.
    pub started_at: Timestamp,
    /// Milliseconds from start to end, waits included.
    pub duration_ms: u64,
    /// Size of the last answer's body.
    pub response_bytes: u64,
    /// A short code when the call failed: a transport code, `decode`, `deadline`, or `http_<status>`.
    pub error: Option<String>,
}
