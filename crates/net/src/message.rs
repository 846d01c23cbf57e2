//! Requests and responses as plain data.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// How long the phases of one exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte sent to the last byte received, connecting included.
    pub total: Duration,
    /// Until the head of the response, connecting included.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
}

impl Default for Timeouts {
    /// 30 s in all, 25 s for the head, 10 s between pieces.
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            first_byte: Duration::from_secs(25),
            idle: Duration::from_secs(10),
        }
    }
}

impl Timeouts {
    /// The same limit for the whole and for the head.
    pub fn total(total: Duration) -> Self {
        Self { total, first_byte: total, idle: total.min(Duration::from_secs(10)) }
    }
}

/// One request. Debug shows neither query, body nor header values: any of them may hold a secret.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The full address.
    pub url: Url,
    /// The headers. Mark secret values as sensitive.
    pub headers: HeaderMap,
    /// The body, if any.
    pub body: Option<Bytes>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Largest body accepted, in bytes.
    pub body_cap: u64,
}

impl Request {
    /// A request without headers or body, with default limits: 64 MiB and [`Timeouts::default`].
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            timeouts: Timeouts::default(),
            body_cap: 64 << 20,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("scheme", &self.url.scheme())
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// Status and headers of a response.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

/// A whole response.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as received.
    pub body: Bytes,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
