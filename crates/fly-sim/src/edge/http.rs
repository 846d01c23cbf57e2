//! The edge's two listeners: one request per connection, HTTP/1.1, with or without TLS.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;

use super::answer::{self, Answered, Asked, Handshake};
use super::certificate::Authority;
use crate::server::Shared;

/// A head longer than this is not read.
const LONGEST_HEAD: usize = 16 * 1024;
/// A client that takes longer for its head is left.
const SLOWEST_HEAD: Duration = Duration::from_secs(20);

pub(crate) async fn serve(
    listener: TcpListener,
    authority: Option<Arc<Authority>>,
    shared: Arc<Shared>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (authority, shared) = (authority.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            // A client that goes away in the middle is its own affair.
            let _gone = tokio::time::timeout(
                Duration::from_mins(2),
                connection(stream, authority.as_deref(), &shared),
            )
            .await;
        });
    }
}

async fn connection(
    stream: TcpStream,
    authority: Option<&Authority>,
    shared: &Shared,
) -> std::io::Result<()> {
    let Some(authority) = authority else { return request(stream, false, shared).await };
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let started = acceptor.await?;
    let host = started.client_hello().server_name().unwrap_or_default().to_lowercase();
    let handshake = answer::handshake(&mut shared.lock().state, &host);
    let config = match handshake {
        Handshake::Serve => authority.config(&host, false),
        Handshake::ServeExpired => authority.config(&host, true),
        Handshake::NoCertificate => {
            // Without a certificate for the name the handshake ends with an alert.
            let none = rustls::server::ResolvesServerCertUsingSni::new();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .ok()
                .map(|builder| builder.with_no_client_auth().with_cert_resolver(Arc::new(none)))
                .map(Arc::new)
        }
        Handshake::Reset => None,
    };
    let Some(config) = config else { return Ok(()) };
    request(started.into_stream(config).await?, true, shared).await
}

async fn request(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    tls: bool,
    shared: &Shared,
) -> std::io::Result<()> {
    let Ok(head) = tokio::time::timeout(SLOWEST_HEAD, read_head(&mut stream)).await else {
        return Ok(());
    };
    let head = head?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or("/"));
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_lowercase())
    });
    let host = host.unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let (answer, id) = {
        let mut inner = shared.lock();
        let answer = answer::answer(&mut inner.state, &Asked { host, path, tls });
        let now = inner.state.now;
        (answer, inner.request_ids.request(now))
    };
    shared.changed.notify_waiters();
    if answer.hangs {
        return std::future::pending().await;
    }
    let delay = answer.delay.unsigned_abs();
    if shared.clock.is_virtual() {
        shared.clock.advance(delay);
    } else {
        tokio::time::sleep(delay).await;
    }
    stream.write_all(text(&answer, &id, method == "HEAD").as_bytes()).await?;
    stream.shutdown().await
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 2048];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await?;
        if read == 0 || bytes.len() > LONGEST_HEAD {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text(answer: &Answered, id: &str, head: bool) -> String {
    let reason = axum::http::StatusCode::from_u16(answer.status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or("Unknown");
    let mut out = format!("HTTP/1.1 {} {reason}\r\n", answer.status);
    for (name, value) in &answer.headers {
        out += &[name, ": ", value, "\r\n"].concat();
    }
    let length = answer.body.len().to_string();
    out +=
        &["fly-request-id: ", id, "\r\nserver: Fly/6f0a7d2c (2026-08-20)\r\nvia: 1.1 fly.io\r\n"]
            .concat();
    out += &["content-length: ", &length, "\r\nconnection: close\r\n\r\n"].concat();
    if !head {
        out += &answer.body;
    }
    out
}
