//! A transport for tests of what takes time: answers come from a function, at once, on tokio's paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use net::{Error, Request, Response, Transport};
use serde_json::Value;
use tokio::time::Instant;

use super::{WriteAccess, Writer};
use crate::{Client, ClientConfig, Endpoints, Random, Token};

/// What arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) at: Duration,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) nonce: Option<String>,
    pub(super) body: Value,
}

/// An answer: status and body, or none at all.
pub(super) type Answer = Option<(u16, Value)>;

type Script = Box<dyn FnMut(&Seen, usize) -> Answer + Send>;

pub(super) struct Stub {
    begin: Instant,
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
}

impl Stub {
    /// A writer that is answered by a function of the request and its number (from 0).
    #[expect(clippy::disallowed_methods, reason = "a test is its own approval")]
    pub(super) fn writer(
        script: impl FnMut(&Seen, usize) -> Answer + Send + 'static,
    ) -> (Arc<Self>, Writer) {
        let stub = Arc::new(Self {
            begin: Instant::now(),
            script: Mutex::new(Box::new(script)),
            seen: Mutex::default(),
        });
        let endpoints = Endpoints::single("http://127.0.0.1:1").unwrap();
        let token = Token::parse(&"fo1_x".to_owned().into()).unwrap();
        let mut config =
            ClientConfig::new(endpoints, Some(token), Arc::new(|| Timestamp::UNIX_EPOCH));
        config.random = Random::seeded(1);
        let client = Client::new(Arc::clone(&stub) as Arc<dyn Transport>, config);
        (stub, client.writer(WriteAccess::approved("the test")))
    }

    pub(super) fn seen(&self, method: &Method, end: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|s| s.method == *method && s.path.ends_with(end)).cloned().collect()
    }
}

impl Transport for Stub {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        let nonce = request.headers.get("fly-machine-lease-nonce");
        let seen = Seen {
            at: self.begin.elapsed(),
            method: request.method.clone(),
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            nonce: nonce.map(|nonce| nonce.to_str().unwrap().to_owned()),
            body: request.body.map_or(Value::Null, |body| serde_json::from_slice(&body).unwrap()),
        };
        let mut all = self.seen.lock().unwrap();
        let answer = (self.script.lock().unwrap())(&seen, all.len());
        all.push(seen);
        drop(all);
        Box::pin(async move {
            match answer {
                Some((status, body)) => Ok(Response {
                    status: StatusCode::from_u16(status).unwrap(),
                    headers: HeaderMap::new(),
                    body: serde_json::to_vec(&body).unwrap().into(),
                }),
                None => Err(Error::new(net::ErrorKind::NoAnswer)),
            }
        })
    }
}
