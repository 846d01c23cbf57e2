//! The client: one reqwest client with every convenience that hides effects turned off.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;
use url::Url;

use crate::error::{BuildError, Error, ErrorKind, ResolveError, classify};
use crate::message::{Request, Response, ResponseHead};
use crate::tls::{self, Roots};

/// Something that carries out one exchange: the real client, or a stand-in for tests and recordings.
pub trait Transport: Send + Sync {
    /// Sends one request, once, and collects the answer.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>>;
}

/// A proxy for every request but those to loopback and to the named hosts.
#[derive(Clone)]
pub struct ProxySettings {
    /// Address of the proxy; may hold a user and a password, so it is never printed.
    pub url: Url,
    /// Hosts that are reached directly, in the form of `NO_PROXY`: names, `.suffix`, addresses, networks.
    pub bypass: Vec<String>,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxySettings")
            .field("host", &self.url.host_str())
            .field("bypass", &self.bypass)
            .finish()
    }
}

/// Settings of a client.
#[derive(Debug, Clone)]
pub struct Options {
    /// Value of `User-Agent`.
    pub user_agent: String,
    /// Time for DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Which certificate authorities are trusted.
    pub roots: Roots,
    /// A PEM file with further authorities.
    pub ca_file: Option<PathBuf>,
    /// A proxy. The environment is never asked.
    pub proxy: Option<ProxySettings>,
    /// Refuse every address that is not on this machine, whatever name it goes by. For demos and tests.
    pub loopback_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("fly-ops/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(4),
            roots: Roots::default(),
            ca_file: None,
            proxy: None,
            loopback_only: false,
        }
    }
}

/// The HTTP client. Cheap to clone; clones share connections and cookies.
#[derive(Clone)]
pub struct HttpClient {
    inner: reqwest::Client,
    loopback_only: bool,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl HttpClient {
    /// Builds a client.
    pub fn new(options: &Options) -> Result<Self, BuildError> {
        let tls = tls::client_config(options.roots, options.ca_file.as_deref())?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(&options.user_agent)
            .connect_timeout(options.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .cookie_store(true)
            .dns_resolver(Arc::new(SystemResolver { loopback_only: options.loopback_only }))
            .no_proxy();
        if let Some(settings) = &options.proxy {
            let bypass = format!("localhost,127.0.0.0/8,::1,{}", settings.bypass.join(","));
            let proxy = reqwest::Proxy::all(settings.url.clone())
                .map_err(|error| BuildError::Proxy(error.without_url().into()))?
                .no_proxy(reqwest::NoProxy::from_string(&bypass));
            builder = builder.proxy(proxy);
        }
        let inner =
            builder.build().map_err(|error| BuildError::Http(error.without_url().into()))?;
        Ok(Self { inner, loopback_only: options.loopback_only })
    }

    /// Sends a request and returns as soon as the head of the answer is there.
    pub async fn open(&self, request: Request) -> Result<StreamingResponse, Error> {
        let host = request.url.host_str().map(str::to_owned);
        // The resolver checks what a name stands for; addresses never reach it.
        if self.loopback_only && !is_loopback(&request.url) {
            return Err(Error::new(ErrorKind::NotLoopback).at_host(host.as_deref()));
        }
        let deadline = Instant::now() + request.timeouts.total;
        let head_deadline = deadline.min(Instant::now() + request.timeouts.first_byte);
        let mut builder = self.inner.request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let answer = match tokio::time::timeout_at(head_deadline, builder.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(classify(error).at_host(host.as_deref())),
            Err(_) => return Err(Error::new(ErrorKind::AnswerTimeout).at_host(host.as_deref())),
        };
        let head = ResponseHead { status: answer.status(), headers: answer.headers().clone() };
        Ok(StreamingResponse {
            head,
            host,
            answer,
            deadline,
            idle: request.timeouts.idle,
            cap: request.body_cap,
            received: 0,
        })
    }

    /// Sends a request and collects the answer.
    pub async fn execute(&self, request: Request) -> Result<Response, Error> {
        let mut streaming = self.open(request).await?;
        let mut body = BytesMut::new();
        while let Some(piece) = streaming.chunk().await? {
            body.extend_from_slice(&piece);
        }
        let ResponseHead { status, headers } = streaming.head;
        Ok(Response { status, headers, body: body.freeze() })
    }
}

/// Whether an address names this machine: `localhost`, 127.0.0.0/8 or ::1. No name is looked up.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl Transport for HttpClient {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        Box::pin(self.execute(request))
    }
}

/// An answer whose body is still arriving.
pub struct StreamingResponse {
    head: ResponseHead,
    host: Option<String>,
    answer: reqwest::Response,
    deadline: Instant,
    idle: Duration,
    cap: u64,
    received: u64,
}

impl StreamingResponse {
    /// Status and headers.
    pub fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The next piece of the body; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let limit = self.deadline.min(Instant::now() + self.idle);
        let piece = match tokio::time::timeout_at(limit, self.answer.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => {
                return Err(self.fail(ErrorKind::BodyCut).caused_by(error.without_url()));
            }
            Err(_) => return Err(self.fail(ErrorKind::BodyTimeout)),
        };
        let Some(piece) = piece else { return Ok(None) };
        self.received += piece.len() as u64;
        if self.received > self.cap {
            return Err(self
                .fail(ErrorKind::BodyTooLarge)
                .caused_by(format!("more than {} bytes", self.cap)));
        }
        Ok(Some(piece))
    }

    fn fail(&self, kind: ErrorKind) -> Error {
        Error::new(kind).at_host(self.host.as_deref()).with_head(self.head.clone())
    }
}

/// The system's resolver, with an error type that survives in the chain of causes.
struct SystemResolver {
    loopback_only: bool,
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback_only = self.loopback_only;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            // Not even the question leaves the machine.
            if loopback_only && host != "localhost" {
                let source = std::io::Error::other("only loopback addresses are allowed");
                return Err(ResolveError { host, source }.into());
            }
            let found = tokio::net::lookup_host((host.as_str(), 0)).await.map(|found| {
                // A hosts file may say anything about `localhost`.
                let kept = found.filter(|address| !loopback_only || address.ip().is_loopback());
                kept.collect::<Vec<SocketAddr>>()
            });
            match found {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(source) => Err(ResolveError { host, source }.into()),
            }
        })
    }
}
