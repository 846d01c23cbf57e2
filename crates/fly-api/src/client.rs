//! The loop that sends a request: limit, token, attempts, pauses, decoding, record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::auth::Token;
use crate::call::{CallRecord, Fetched};
use crate::endpoints::Endpoints;
use crate::error::{ApiError, ErrorKind, StatusError};
use crate::limit::{LimitTable, Limiter};
use crate::random::Random;
use crate::request::{Request, Target};
use crate::retry::{Budget, Decision, Outcome, RetryPolicy, decide};

/// Reads the wall clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Settings of a client.
pub struct ClientConfig {
    /// Where the APIs live.
    pub endpoints: Endpoints,
    /// The token; without one only public pages can be asked.
    pub token: Option<Token>,
    /// How often and how long one call is tried.
    pub retry: RetryPolicy,
    /// Rate limits.
    pub limits: LimitTable,
    /// The wall clock, for records.
    pub clock: Clock,
    /// Jitter.
    pub random: Random,
}

impl ClientConfig {
    /// Default policy and limits.
    pub fn new(endpoints: Endpoints, token: Option<Token>, clock: Clock) -> Self {
        Self {
            endpoints,
            token,
            retry: RetryPolicy::default(),
            limits: LimitTable::default(),
            clock,
            random: Random::from_system(),
        }
    }
}

/// The client. Cheap to clone; clones share limits, budget and connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Arc<dyn net::Transport>,
    config: ClientConfig,
    limiter: Limiter,
    budget: Budget,
    /// One turn at a time per app, for what can only be told apart by a list from before.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.inner.config.endpoints)
            .finish_non_exhaustive()
    }
}

/// What one attempt brought.
enum Attempt {
    Done(Bytes),
    Failed { kind: ErrorKind, decision: Decision, retry_after: Option<Duration>, word: String },
}

impl Client {
    /// A client on a transport.
    pub fn new(transport: Arc<dyn net::Transport>, config: ClientConfig) -> Self {
        let limiter = Limiter::new(config.limits.clone());
        let budget = Budget::new(config.retry.budget);
        let turns = Mutex::default();
        Self { inner: Arc::new(Inner { transport, config, limiter, budget, turns }) }
    }

    /// Whether there is a token.
    pub fn has_token(&self) -> bool {
        self.inner.config.token.is_some()
    }

    /// Injected randomness.
    pub(crate) fn random(&self) -> &Random {
        &self.inner.config.random
    }

    /// Waits for this caller's turn among those with the same key; the turn ends when the guard is dropped.
    pub(crate) async fn turn(&self, key: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.inner.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(key.to_owned()).or_default())
        };
        turn.lock_owned().await
    }

    /// Sends a request and decodes the JSON answer. An empty body reads as `null`.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Fetched<T>, ApiError> {
        let (body, mut record) = self.send_raw(request).await?;
        let text: &[u8] = if body.is_empty() { b"null" } else { &body };
        let mut decoder = serde_json::Deserializer::from_slice(text);
        match serde_path_to_error::deserialize(&mut decoder) {
            Ok(value) => Ok(Fetched { value, body, calls: vec![record] }),
            Err(error) => {
                record.error = Some("decode".to_owned());
                let path = error.path().to_string();
                // The decoder's message may quote the value; its category and place are enough.
                let inner = error.into_inner();
                let message = format!(
                    "{:?} error at line {} column {}",
                    inner.classify(),
                    inner.line(),
                    inner.column()
                );
                Err(ApiError { kind: ErrorKind::Decode { path, message }, call: Box::new(record) })
            }
        }
    }

    /// Sends a request and returns the body of a successful answer as it came.
    pub(crate) async fn send_raw(&self, request: Request) -> Result<(Bytes, CallRecord), ApiError> {
        let inner = &*self.inner;
        let config = &inner.config;
        let begin = Instant::now();
        let mut record = self.record(&request);
        let deadline = begin + config.retry.deadline.max(request.timeout);
        let most = request.max_attempts.unwrap_or(config.retry.max_attempts);
        let authorization =
            config.token.as_ref().and_then(|token| token.authorization(request.target));
        let public = matches!(request.target, Target::Incidents | Target::Status);
        let kind = loop {
            if authorization.is_none() && !public {
                break ErrorKind::NoToken;
            }
            let turn = inner.limiter.reserve(request.action, &request.subject, Instant::now());
            if turn > deadline {
                break ErrorKind::Deadline;
            }
            let waited = turn.saturating_duration_since(Instant::now());
            if !waited.is_zero() {
                tracing::debug!(
                    call = request.title(),
                    wait_ms = millis(waited),
                    "waiting for the rate limit"
                );
                tokio::time::sleep_until(turn).await;
                record.throttle_ms += millis(waited);
            }
            record.attempts += 1;
            let message = self.message(
                &request,
                authorization.as_ref().map(ExposeSecret::expose_secret),
                deadline,
            );
            let attempt = inner.transport.send(message).await;
            let (kind, decision, retry_after, word) =
                match self.judge(&request, attempt, &mut record) {
                    Attempt::Done(body) => {
                        inner.budget.earn();
                        record.duration_ms = millis(begin.elapsed());
                        return Ok((body, record));
                    }
                    Attempt::Failed { kind, decision, retry_after, word } => {
                        (kind, decision, retry_after, word)
                    }
                };
            if decision != Decision::Retry || record.attempts >= most || !inner.budget.take() {
                break kind;
            }
            let pause = config.retry.pause(record.attempts, retry_after, &config.random);
            if Instant::now() + pause >= deadline {
                break kind;
            }
            tracing::debug!(
                call = request.title(),
                after = word,
                pause_ms = millis(pause),
                "trying again"
            );
            record.retried_after.push(word);
            record.backoff_ms += millis(pause);
            tokio::time::sleep(pause).await;
        };
        record.duration_ms = millis(begin.elapsed());
        record.error = Some(short(&kind));
        Err(ApiError { kind, call: Box::new(record) })
    }

    fn record(&self, request: &Request) -> CallRecord {
        let base = self.inner.config.endpoints.base(request.target);
        let host = base.host_str().unwrap_or_default();
        CallRecord {
            method: match request.method.as_str() {
                "GET" => "GET",
                "POST" => "POST",
                "PUT" => "PUT",
                "PATCH" => "PATCH",
                "DELETE" => "DELETE",
                _ => "OTHER",
            },
            url_template: format!("{host}{}", request.template),
            status: None,
            request_id: None,
            trace_id: None,
            server_date: None,
            attempts: 0,
            retried_after: Vec::new(),
            throttle_ms: 0,
            backoff_ms: 0,
            started_at: (self.inner.config.clock)(),
            duration_ms: 0,
            response_bytes: 0,
            error: None,
        }
    }

    fn message(
        &self,
        request: &Request,
        authorization: Option<&str>,
        deadline: Instant,
    ) -> net::Request {
        let url = self.inner.config.endpoints.url(request.target, &request.path, &request.query);
        let mut message = net::Request::new(request.method.clone(), url);
        let mut secret = |name: header::HeaderName, value: &str| {
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                message.headers.insert(name, value);
            }
        };
        if let Some(value) = authorization {
            secret(header::AUTHORIZATION, value);
        }
        if let Some(nonce) = &request.nonce {
            secret(header::HeaderName::from_static("fly-machine-lease-nonce"), nonce.expose());
        }
        message.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = &request.body {
            message
                .headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            message.body = Some(body.bytes().clone());
        }
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        message.timeouts = net::Timeouts::total(request.timeout.min(left));
        message
    }

    fn judge(
        &self,
        request: &Request,
        answer: Result<net::Response, net::Error>,
        record: &mut CallRecord,
    ) -> Attempt {
        match answer {
            Ok(answer) => {
                note_head(record, answer.status.as_u16(), &answer.headers);
                record.response_bytes = answer.body.len() as u64;
                if answer.status.is_success() {
                    return Attempt::Done(answer.body);
                }
                let error = StatusError::new(answer.status.as_u16(), &answer.headers, &answer.body);
                if error.status == 429 {
                    let now = Instant::now();
                    self.inner.limiter.refused(
                        request.action,
                        &request.subject,
                        now,
                        error.retry_after,
                    );
                }
                let unavailable = error.code == Some(crate::ErrorCode::Unavailable);
                let outcome = Outcome::Status { status: error.status, unavailable };
                Attempt::Failed {
                    decision: decide(request.class, outcome),
                    retry_after: error.retry_after,
                    word: error.status.to_string(),
                    kind: ErrorKind::Status(Box::new(error)),
                }
            }
            Err(error) => {
                if let Some(head) = error.head() {
                    note_head(record, head.status.as_u16(), &head.headers);
                }
                Attempt::Failed {
                    decision: decide(request.class, Outcome::Transport(error.effect())),
                    retry_after: None,
                    word: error.kind().code().to_owned(),
                    kind: ErrorKind::Transport(error),
                }
            }
        }
    }
}

fn note_head(record: &mut CallRecord, status: u16, headers: &HeaderMap) {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    record.status = Some(status);
    record.request_id = text("fly-request-id");
    record.trace_id = text("fly-trace-id");
    record.server_date = text("date");
}

fn short(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Transport(error) => error.kind().code().to_owned(),
        ErrorKind::Status(error) => format!("http_{}", error.status),
        ErrorKind::Decode { .. } => "decode".to_owned(),
        ErrorKind::GraphQl { .. } => "graphql".to_owned(),
        ErrorKind::Deadline => "deadline".to_owned(),
        ErrorKind::NoToken => "no_token".to_owned(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
