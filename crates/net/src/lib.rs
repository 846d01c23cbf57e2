//! The one HTTP client of the workspace, on reqwest and rustls.
//!
//! Purpose: send one request, once, and say precisely what went wrong: whether nothing was sent, so that anybody may
//! try again, or whether the request may have had an effect. Bodies stream under a cap. Redirects are never followed,
//! proxies come from explicit settings only, cookies are kept per client. It must not know: Fly.io, retries, rate
//! limits, environment variables.

mod client;
mod error;
mod message;
mod tls;

pub use client::{HttpClient, Options, ProxySettings, StreamingResponse, Transport, is_loopback};
pub use error::{BuildError, Effect, Error, ErrorKind};
pub use message::{Request, Response, ResponseHead, Timeouts};
pub use tls::Roots;
