//! What can go wrong with one exchange, and whether the request may have had an effect.

use std::error::Error as StdError;
use std::io;

use crate::message::ResponseHead;

/// Whether a request that failed may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The request did not leave this machine: trying again is always safe.
    NotSent,
    /// The request was sent, or may have been: only a request without effect may simply be repeated.
    Unknown,
}

/// The phase in which an exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be built.
    InvalidRequest,
    /// The host is not on this machine, and only loopback is allowed.
    NotLoopback,
    /// The host name has no address, or the resolver did not answer.
    Dns,
    /// The host refused the connection.
    ConnectRefused,
    /// No connection within the connect timeout.
    ConnectTimeout,
    /// No connection for another reason, e.g. no route.
    Connect,
    /// The TLS handshake failed: certificate, protocol or name.
    Tls,
    /// The request was sent, the connection ended without an answer.
    NoAnswer,
    /// The request was sent, no head of a response in time.
    AnswerTimeout,
    /// The head arrived, the body ended early.
    BodyCut,
    /// The head arrived, the body stalled.
    BodyTimeout,
    /// The body is larger than the cap.
    BodyTooLarge,
}

impl ErrorKind {
    /// A short stable word for records.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::NotLoopback => "not_loopback",
            Self::Dns => "dns",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::NoAnswer => "no_answer",
            Self::AnswerTimeout => "answer_timeout",
            Self::BodyCut => "body_cut",
            Self::BodyTimeout => "body_timeout",
            Self::BodyTooLarge => "body_too_large",
        }
    }

    /// Whether the request may have been carried out.
    pub fn effect(self) -> Effect {
        match self {
            Self::InvalidRequest
            | Self::NotLoopback
            | Self::Dns
            | Self::ConnectRefused
            | Self::ConnectTimeout
            | Self::Connect
            | Self::Tls => Effect::NotSent,
            Self::NoAnswer
            | Self::AnswerTimeout
            | Self::BodyCut
            | Self::BodyTimeout
            | Self::BodyTooLarge => Effect::Unknown,
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::InvalidRequest => "request could not be built",
            Self::NotLoopback => "address is not on loopback",
            Self::Dns => "host name could not be resolved",
            Self::ConnectRefused => "connection refused",
            Self::ConnectTimeout => "no connection in time",
            Self::Connect => "no connection",
            Self::Tls => "TLS handshake failed",
            Self::NoAnswer => "connection ended without an answer",
            Self::AnswerTimeout => "no answer in time",
            Self::BodyCut => "answer was cut off",
            Self::BodyTimeout => "answer stalled",
            Self::BodyTooLarge => "answer is too large",
        }
    }
}

/// One exchange that failed. Holds the host, never the full address: that may contain a secret.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .kind.phrase(), in_host(.host))]
pub struct Error {
    kind: ErrorKind,
    host: Option<String>,
    head: Option<Box<ResponseHead>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[expect(clippy::ref_option, reason = "the derive hands the field over as it is")]
fn in_host(host: &Option<String>) -> String {
    host.as_ref().map(|host| format!(" ({host})")).unwrap_or_default()
}

impl Error {
    /// An error of a kind, e.g. for a stand-in transport in tests.
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, host: None, head: None, source: None }
    }

    /// Adds the host that was asked.
    #[must_use]
    pub fn at_host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    /// Adds the cause. It must not contain an address with secrets.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn with_head(mut self, head: ResponseHead) -> Self {
        self.head = Some(Box::new(head));
        self
    }

    /// The phase that failed.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the request may have been carried out.
    pub fn effect(&self) -> Effect {
        self.kind.effect()
    }

    /// The host that was asked.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Status and headers, when they arrived before the failure.
    pub fn head(&self) -> Option<&ResponseHead> {
        self.head.as_deref()
    }
}

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The certificate file could not be read or holds no certificate.
    #[error("cannot use the certificate file {path}")]
    CaFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The proxy address is not usable.
    #[error("cannot use the configured proxy")]
    Proxy(#[source] Box<dyn StdError + Send + Sync>),
    /// The TLS settings are not usable.
    #[error("cannot set up TLS")]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
    /// The HTTP library refused the settings.
    #[error("cannot set up the HTTP client")]
    Http(#[source] Box<dyn StdError + Send + Sync>),
}

/// The resolver's failure, so that it can be told apart from a refused connection.
#[derive(Debug, thiserror::Error)]
#[error("cannot resolve {host}")]
pub(crate) struct ResolveError {
    pub(crate) host: String,
    pub(crate) source: io::Error,
}

/// Sorts a failure before the head of the response arrived.
pub(crate) fn classify(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let kind = if error.is_builder() {
        ErrorKind::InvalidRequest
    } else if chain_has::<ResolveError>(&error) {
        ErrorKind::Dns
    } else if error.is_connect() {
        connect_kind(&error)
    } else if error.is_timeout() {
        ErrorKind::AnswerTimeout
    } else {
        ErrorKind::NoAnswer
    };
    Error::new(kind).caused_by(error)
}

fn connect_kind(error: &reqwest::Error) -> ErrorKind {
    if chain_has::<rustls::Error>(error) {
        return ErrorKind::Tls;
    }
    if error.is_timeout() || chain_io_kind(error, io::ErrorKind::TimedOut) {
        return ErrorKind::ConnectTimeout;
    }
    if chain_io_kind(error, io::ErrorKind::ConnectionRefused) {
        return ErrorKind::ConnectRefused;
    }
    ErrorKind::Connect
}

/// Looks for a cause of a type, also inside `io::Error`, whose `source` skips the error that it wraps.
fn chain_has<T: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(<dyn StdError>::is::<T>)
}

fn chain_io_kind(error: &(dyn StdError + 'static), kind: io::ErrorKind) -> bool {
    chain(error).any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == kind))
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
        Some(cause)
    })
}
