//! From connections to answers and back: reads bodies with a cap, applies faults to the connection, writes answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{ConnectInfo, State as Shares};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::dispatch;
use super::fault::has_effect;
use super::http::{Body, Reply, Request, parse_query};
use super::listener::{CuttableListener, Scissors};
use super::record::{Recorded, small_json};
use super::{Shared, auth};
use crate::world::fault::{EffectKind, FaultFile};

/// Bodies over this are refused; the platform's own limit is not documented.
const MAX_BODY: usize = 1 << 20;

pub(crate) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    let router = Router::new().fallback(handle).with_state(shared);
    let service = router.into_make_service_with_connect_info::<Scissors>();
    let server = axum::serve(CuttableListener(listener), service);
    tokio::select! {
        // Accepting does not fail; the other arm is how a simulation ends.
        _ = async { server.await } => {}
        _ = stopped.changed() => {}
    }
}

async fn handle(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: HttpBody,
) -> Response<HttpBody> {
    let body = match read_body(body, shared.slowest_body).await {
        Ok(body) => body,
        Err(reply) => return render(&shared, &method, reply, &scissors),
    };
    let request = Request {
        path: uri.path().to_owned(),
        query: parse_query(uri.query().unwrap_or_default()),
        method: method.clone(),
        headers,
        body,
        params: Vec::new(),
    };
    let fields = if request.path == "/graphql" {
        crate::gql::root_fields(&request.body)
    } else {
        Vec::new()
    };
    let fault = if request.path.starts_with("/_sim/") {
        None
    } else {
        shared.lock().faults.hit(method.as_str(), &request.path, &fields)
    };
    let mut recorded = Recorded {
        at: shared.clock.now(),
        method: method.to_string(),
        path: request.path.clone(),
        query: request.query.clone(),
        route: dispatch::pattern(&method, &request.path),
        graphql: fields,
        scheme: request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .map(|(scheme, _)| scheme.to_owned()),
        user_agent: request.header("user-agent").map(str::to_owned),
        nonce: request.header("fly-machine-lease-nonce").map(str::to_owned),
        body: small_json(&request.body),
        status: None,
        answer: None,
    };
    if let Some(fault) = fault.as_ref().filter(|fault| !has_effect(fault.effect)) {
        recorded.status = (fault.effect == EffectKind::Status).then_some(fault.status).flatten();
        shared.lock().recorder.add(recorded, Bytes::new());
        landed(&shared, fault);
        return without_effect(&shared, &method, fault, &scissors).await;
    }
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay) {
        pause(&shared, delay.unsigned_abs()).await;
    }
    let reply = dispatch::dispatch(&shared, request).await;
    let lost = fault
        .as_ref()
        .is_some_and(|fault| matches!(fault.effect, EffectKind::LostReply | EffectKind::Silent));
    let reply = Encoded::from(reply);
    let mut answer = Bytes::new();
    if !lost {
        recorded.status = Some(reply.status.as_u16());
        answer = reply.bytes.clone();
    }
    // The simulation's own routes are not part of the platform.
    if !recorded.path.starts_with("/_sim/") {
        shared.lock().recorder.add(recorded, answer);
    }
    if let Some(fault) = &fault {
        landed(&shared, fault);
    }
    match fault.as_ref().map(|fault| fault.effect) {
        Some(EffectKind::LostReply) => return cut(&scissors),
        Some(EffectKind::Silent) => return std::future::pending().await,
        _ => {}
    }
    write(&shared, &method, reply, &scissors, fault)
}

fn landed(shared: &Shared, fault: &FaultFile) {
    shared.lock().faults.land(&fault.name);
    shared.struck.notify_waiters();
}

async fn read_body(body: HttpBody, slowest: Duration) -> Result<Bytes, Reply> {
    match tokio::time::timeout(slowest, axum::body::to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Reply::error(413, "request body too large")),
        Err(_) => Err(Reply::error(408, "deadline_exceeded: request body took too long")),
    }
}

/// On the virtual clock time passes at once.
async fn pause(shared: &Shared, delay: Duration) {
    if shared.clock.is_virtual() {
        shared.clock.advance(delay);
    } else {
        tokio::time::sleep(delay).await;
    }
}

async fn without_effect(
    shared: &Shared,
    method: &Method,
    fault: &FaultFile,
    scissors: &Scissors,
) -> Response<HttpBody> {
    match fault.effect {
        EffectKind::Hang => std::future::pending().await,
        EffectKind::Refuse => cut(scissors),
        EffectKind::Garbage => {
            let reply = Reply::text(200, "\u{0}\u{1}<html>{\"not\": json")
                .with_header("content-type", "application/json; charset=utf-8");
            render(shared, method, reply, scissors)
        }
        _ => {
            let mut reply = status_reply(fault);
            if let Some(seconds) = fault.retry_after {
                reply = reply.with_header("retry-after", seconds.to_string());
            }
            render(shared, method, reply, scissors)
        }
    }
}

fn status_reply(fault: &FaultFile) -> Reply {
    let status = fault.status.unwrap_or(500);
    match &fault.body {
        Some(text) => match serde_json::from_str(text) {
            Ok(value) => Reply::json(value).with_status(status),
            Err(_) => Reply::text(status, text.clone()),
        },
        None => match status {
            401 => auth::unauthenticated(),
            403 => auth::forbidden(),
            404 => Reply::error(404, "not_found"),
            408 => Reply::error(408, "deadline_exceeded: context deadline exceeded"),
            429 => Reply::error(429, "resource_exhausted: rate limit exceeded"),
            // Gateways answer in plain text, not in the API's JSON.
            502 => Reply::text(502, "Bad Gateway"),
            503 => Reply::error(503, "unavailable: service temporarily unavailable"),
            504 => Reply::text(504, "upstream request timeout"),
            other => Reply::error(other, "unknown: internal error"),
        },
    }
}

/// Ends the connection without a byte.
fn cut(scissors: &Scissors) -> Response<HttpBody> {
    scissors.cut();
    // The response below is never written: the first write finds the connection cut.
    Response::new(HttpBody::empty())
}

const JSON: &str = "application/json; charset=utf-8";

/// A reply whose body is made once: a page of logs can have megabytes.
struct Encoded {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    bytes: Bytes,
    kind: Option<&'static str>,
}

impl From<Reply> for Encoded {
    fn from(reply: Reply) -> Self {
        let (bytes, kind) = match reply.body {
            Body::Empty => (Bytes::new(), None),
            Body::Json(value) => (Bytes::from(value.to_string()), Some(JSON)),
            Body::RawJson(text) => (Bytes::from(text), Some(JSON)),
            Body::Text(text) => (Bytes::from(text), Some("text/plain; charset=utf-8")),
        };
        Self { status: reply.status, headers: reply.headers, bytes, kind }
    }
}

fn render(
    shared: &Shared,
    method: &Method,
    reply: Reply,
    scissors: &Scissors,
) -> Response<HttpBody> {
    write(shared, method, Encoded::from(reply), scissors, None)
}

fn write(
    shared: &Shared,
    method: &Method,
    reply: Encoded,
    scissors: &Scissors,
    fault: Option<FaultFile>,
) -> Response<HttpBody> {
    let request_id = {
        let mut inner = shared.lock();
        let now = inner.state.now;
        inner.request_ids.request(now)
    };
    let Encoded { bytes, kind, .. } = reply;
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    set("fly-request-id", &request_id);
    set("server", "Fly/6f0a7d2c (2026-08-20)");
    set("via", "1.1 fly.io");
    if let Some(kind) = kind.filter(|_| !reply.headers.iter().any(|(n, _)| *n == "content-type")) {
        set("content-type", kind);
    }
    for (name, value) in &reply.headers {
        set(name, value);
    }
    let cut_body = fault.filter(|fault| fault.effect == EffectKind::CutBody);
    if let Some(fault) = cut_body {
        set("content-length", &bytes.len().to_string());
        *response.body_mut() = cut_after(bytes.slice(..fault.after.min(bytes.len())), scissors);
    } else if reply.status != StatusCode::NO_CONTENT && method != Method::HEAD {
        *response.body_mut() = HttpBody::from(bytes);
    }
    response
}

/// Some bytes, a moment for them to be sent, then the end of the connection.
fn cut_after(bytes: Bytes, scissors: &Scissors) -> HttpBody {
    let scissors = scissors.clone();
    let first = futures_util::stream::once(async move { Ok::<_, Infallible>(bytes) });
    let end = futures_util::stream::once(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        scissors.cut();
        Ok(Bytes::from_static(b" "))
    });
    HttpBody::from_stream(first.chain(end))
}
