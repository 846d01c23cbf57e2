//! What was asked: the last requests with their answers' status, without credentials.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

const KEPT: usize = 10_000;
const BODY_KEPT: usize = 64 * 1024;

/// One request as it arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Recorded {
    /// When, on the simulation's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query pairs in order.
    pub query: Vec<(String, String)>,
    /// The route that answered, e.g. `/v1/apps/{app}/machines`; none when there is no such route.
    pub route: Option<&'static str>,
    /// Root fields of a GraphQL request, aliases first.
    pub graphql: Vec<String>,
    /// The first word of the Authorization header; the token itself is not kept.
    pub scheme: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `fly-machine-lease-nonce`.
    pub nonce: Option<String>,
    /// The body as JSON, when it is some and not over 64 KiB.
    pub body: Option<Value>,
    /// Status of the answer; none when a fault kept it back.
    pub status: Option<u16>,
    /// The answer as JSON, when it is some and not over 64 KiB.
    pub answer: Option<Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Recorder {
    kept: VecDeque<Recorded>,
}

impl Recorder {
    pub(crate) fn add(&mut self, recorded: Recorded) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(recorded);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}

/// Bytes as JSON, when they are and are few.
pub(crate) fn small_json(bytes: &[u8]) -> Option<Value> {
    (bytes.len() <= BODY_KEPT).then(|| serde_json::from_slice(bytes).ok()).flatten()
}
