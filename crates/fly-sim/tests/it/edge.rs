//! The edge and the name server of a world.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fly_sim::Sim;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;

use crate::client::{get, parsed_sim, virtual_sim};

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> String {
    let text = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut out = Vec::new();
    // An edge that closes without a TLS farewell is as good as one that says it.
    let _closed = stream.read_to_end(&mut out).await;
    String::from_utf8_lossy(&out).into_owned()
}

async fn http(sim: &Sim, host: &str, path: &str) -> String {
    ask(TcpStream::connect(sim.edge_http()).await.unwrap(), host, path).await
}

/// The answer over TLS, or why the handshake failed.
async fn https(sim: &Sim, host: &str) -> Result<String, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sim.edge_ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(sim.edge_https()).await.unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(stream) => Ok(ask(stream, host, "/").await),
        Err(error) => Err(error.to_string()),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[tokio::test]
async fn a_healthy_app_answers_on_both_ports() {
    let sim = virtual_sim("healthy").await;
    let plain = http(&sim, "demo.fly.dev", "/x").await;
    assert_eq!(first_line(&plain), "HTTP/1.1 301 Moved Permanently");
    assert!(plain.contains("location: https://demo.fly.dev/x"), "force_https");
    for host in ["demo.fly.dev", "www.example.com"] {
        let answer = https(&sim, host).await.unwrap();
        assert_eq!(first_line(&answer), "HTTP/1.1 200 OK", "{host}");
        assert!(answer.contains("fly-request-id: "));
    }
    let stranger = https(&sim, "other.example.com").await.unwrap_err();
    assert!(stranger.contains("alert"), "{stranger}");
    assert_eq!(first_line(&http(&sim, "nobody.fly.dev", "/").await), "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn the_state_of_the_machines_decides() {
    let stopped = virtual_sim("none-started").await;
    assert_eq!(
        first_line(&https(&stopped, "demo.fly.dev").await.unwrap()),
        "HTTP/1.1 503 Service Unavailable"
    );
    let logs = get(&stopped, "/api/v1/apps/demo/logs").await.json();
    assert!(logs["data"].as_array().unwrap().last().unwrap().to_string().contains("PR01"));
    let loopback = virtual_sim("listens-on-loopback").await;
    let refused = https(&loopback, "demo.fly.dev").await.unwrap();
    assert_eq!(first_line(&refused), "HTTP/1.1 503 Service Unavailable", "its checks fail");
    let sim = parsed_sim(
        r#"
        extends = "healthy"
        [[apps]]
        name = "demo"
        machines = [{ id = "148e21ea7e4389", state = "stopped", checks = [] }, { id = "3d8d9931f46789", state = "stopped", checks = [] }]
        edge = [{ path = "/slow", status = 504, delay = "30s" }, { host = "www.example.com", connection = "expired" }]
        "#,
    )
    .await;
    let machine = "/v1/apps/demo/machines/148e21ea7e4389";
    assert_eq!(get(&sim, machine).await.json()["state"], "stopped");
    assert_eq!(first_line(&https(&sim, "demo.fly.dev").await.unwrap()), "HTTP/1.1 200 OK");
    let woken = get(&sim, machine).await.json();
    assert_eq!(woken["state"], "started", "autostart");
    assert!(woken["events"].to_string().contains("\"source\":\"proxy\""));
    let expired = https(&sim, "www.example.com").await.unwrap_err();
    assert!(expired.to_lowercase().contains("expired"), "{expired}");
    assert_eq!(
        first_line(&http(&sim, "demo.fly.dev", "/slow").await),
        "HTTP/1.1 504 Gateway Timeout"
    );
}

/// Response code and record data of one question.
async fn resolve(server: SocketAddr, name: &str, kind: u16) -> (u8, Vec<Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut message = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    socket.send_to(&message, server).await.unwrap();
    let mut buffer = [0_u8; 1500];
    let length = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer));
    let length = length.await.unwrap().unwrap();
    let reply = &buffer[..length];
    assert_eq!(&reply[..2], &[7, 7]);
    let count = u16::from_be_bytes([reply[6], reply[7]]);
    let mut at = message.len();
    let mut found = Vec::new();
    for _ in 0..count {
        // The owner is a pointer, or the name that an alias points to.
        at += if reply[at] >= 0xc0 {
            2
        } else {
            reply[at..].iter().position(|b| *b == 0).unwrap() + 1
        };
        let size = usize::from(u16::from_be_bytes([reply[at + 8], reply[at + 9]]));
        found.push(reply[at + 10..at + 10 + size].to_vec());
        at += 10 + size;
    }
    (reply[3] & 15, found)
}

#[tokio::test]
async fn names_resolve_as_the_world_says() {
    let sim = parsed_sim(
        r#"
        extends = "healthy"
        dns = [
          { name = "shop.example.com", cname = "demo.fly.dev" },
          { name = "cdn.example.com", a = ["104.16.0.1"], caa = ["letsencrypt.org"], txt = ["v=1"] },
          { name = "broken.example.com", fails = "SERVFAIL" },
        ]
        "#,
    )
    .await;
    let ask = |name: &'static str, kind: u16| resolve(sim.dns(), name, kind);
    assert_eq!(ask("demo.fly.dev", 1).await, (0, vec![vec![66, 241, 124, 236]]));
    assert_eq!(ask("DEMO.fly.dev", 28).await.1[0].len(), 16);
    assert_eq!(ask("www.example.com", 1).await.1, [[66, 241, 124, 236]], "a configured host");
    assert_eq!(ask("shop.example.com", 1).await.1.len(), 2, "the alias and its address");
    assert_eq!(ask("cdn.example.com", 1).await.1, [[104, 16, 0, 1]]);
    assert_eq!(ask("cdn.example.com", 28).await, (0, vec![]));
    assert!(ask("cdn.example.com", 257).await.1[0].ends_with(b"letsencrypt.org"));
    assert_eq!(ask("cdn.example.com", 16).await.1, [b"\x03v=1"]);
    assert_eq!(ask("broken.example.com", 1).await.0, 2);
    assert_eq!(ask("nobody.fly.dev", 1).await.0, 3);
    assert_eq!(ask("demo.internal", 28).await.1.len(), 3);
    assert_eq!(ask("iad.demo.internal", 28).await.1.len(), 1);
    assert_eq!(ask("worker.process.demo.internal", 28).await.1.len(), 1);
    assert_eq!(ask("top1.nearest.of.demo.internal", 28).await.1.len(), 1);
    assert_eq!(ask("ams.demo.internal", 28).await.0, 3, "nobody started there");
    assert_eq!(ask("regions.demo.internal", 16).await.1, [b"\x07fra,iad"]);
    assert_eq!(ask("api.machines.dev", 1).await.1, [[127, 0, 0, 1]]);
}
