//! The client on real sockets: what `loopback_only` refuses, proxies, redirects, caps and cuts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use net::{Effect, ErrorKind, HttpClient, Options, ProxySettings, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that gives every connection the same bytes and counts them.
async fn server(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 4096];
            let _read = stream.read(&mut head).await;
            let _written = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, count)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn client(change: impl FnOnce(&mut Options)) -> HttpClient {
    let mut options = Options { roots: net::Roots::Embedded, ..Options::default() };
    change(&mut options);
    HttpClient::new(&options).unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

#[tokio::test]
async fn loopback_only_refuses_addresses_and_names_without_sending_anything() {
    let client = client(|options| options.loopback_only = true);
    for url in [
        "http://192.0.2.1/",
        "http://[2001:db8::1]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/",
        "http://[::ffff:127.0.0.1]/",
        "https://api.machines.dev/v1/apps",
        // A public name for 127.0.0.1: asking about it would leave the machine.
        "http://localtest.me/",
        "http://localhost.example/",
    ] {
        let error = client.execute(get(url)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::NotLoopback, Effect::NotSent),
            "{url}"
        );
    }
    let (address, count) = server(OK).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", address.port());
        assert_eq!(&client.execute(get(&url)).await.unwrap().body[..], b"ok");
    }
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_proxy_carries_other_hosts_never_loopback_and_nothing_when_only_loopback_is_allowed() {
    let (proxy, proxied) = server(OK).await;
    let (direct, reached) = server(OK).await;
    let settings =
        ProxySettings { url: format!("http://{proxy}").parse().unwrap(), bypass: Vec::new() };
    let with_proxy = client(|options| options.proxy = Some(settings.clone()));
    with_proxy.execute(get("http://elsewhere.invalid/")).await.unwrap();
    with_proxy.execute(get(&format!("http://{direct}/"))).await.unwrap();
    assert_eq!((proxied.load(Ordering::SeqCst), reached.load(Ordering::SeqCst)), (1, 1));

    let restricted = client(|options| {
        options.proxy = Some(settings);
        options.loopback_only = true;
    });
    restricted.execute(get("http://elsewhere.invalid/")).await.unwrap_err();
    assert_eq!(proxied.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (address, count) =
        server("HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n")
            .await;
    let answer = client(|_| {}).execute(get(&format!("http://{address}/"))).await.unwrap();
    assert_eq!((answer.status.as_u16(), count.load(Ordering::SeqCst)), (302, 1));
}

#[tokio::test]
async fn failures_say_how_far_the_request_got() {
    let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (silent, _) = server("").await;
    let (cut, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
    let (long, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789").await;
    let client = client(|_| {});
    for (address, kind, effect) in [
        (refused, ErrorKind::ConnectRefused, Effect::NotSent),
        (silent, ErrorKind::NoAnswer, Effect::Unknown),
        (cut, ErrorKind::BodyCut, Effect::Unknown),
        (long, ErrorKind::BodyTooLarge, Effect::Unknown),
    ] {
        let mut request = get(&format!("http://{address}/?token=secret"));
        request.body_cap = 8;
        let error = client.execute(request).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (kind, effect));
        assert_eq!(
            error.head().is_some(),
            matches!(kind, ErrorKind::BodyCut | ErrorKind::BodyTooLarge)
        );
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}
