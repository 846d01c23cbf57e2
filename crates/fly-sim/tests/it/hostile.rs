//! Bad input: bodies that are too large, clients that are too slow or too many, and names that try to be paths. Each gets
//! a clear 4xx, nothing changes, and others are served meanwhile.

use std::time::Duration;

use fly_sim::{Options, Sim, StartError, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{get, send, virtual_sim};

async fn machines(sim: &Sim) -> Value {
    sim.advance(Duration::from_secs(5));
    get(sim, "/v1/apps/demo/machines").await.json()
}

#[tokio::test]
async fn bodies_over_one_mebibyte_are_refused() {
    let sim = virtual_sim("healthy").await;
    let before = machines(&sim).await;
    for size in [(1 << 20) + 1, 3 << 20] {
        let env = "x".repeat(size);
        let body = json!({ "config": { "image": "x", "env": { "A": env } } }).to_string();
        let answer = send(&sim, "POST", "/v1/apps/demo/machines", &[], Some(body)).await;
        // A client that is still writing may lose the answer with the connection; never its absence of effect.
        if let Some(answer) = answer {
            assert_eq!(answer.status, 413);
            assert_eq!(answer.json()["error"], "request body too large");
        }
    }
    let head = "POST /v1/apps/demo/machines HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-length: 9999999\r\n\r\n";
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; (1 << 20) + 1]).await.unwrap();
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(machines(&sim).await, before);
    let fits = "x".repeat((1 << 20) - 200);
    let body = json!({ "config": { "image": "x", "env": { "A": fits } } }).to_string();
    let answer = send(&sim, "POST", "/v1/apps/demo/machines", &[], Some(body)).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_thousand_idle_connections_are_in_nobodys_way() {
    let sim = virtual_sim("healthy").await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(TcpStream::connect(sim.address()).await.unwrap());
    }
    // Half of them have begun a request that they do not end.
    for stream in idle.iter_mut().step_by(2) {
        stream.write_all(b"GET /v1/apps/demo HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    }
    for _ in 0..20 {
        sim.advance(Duration::from_secs(1));
        assert_eq!(get(&sim, "/v1/apps/demo").await.status, 200);
    }
    idle[0].write_all(b"authorization: Bearer x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    idle[0].read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "a slow client is served when it is done");
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let options = Options {
        clock: fly_sim::ClockMode::Virtual,
        slowest_body: Duration::from_millis(50),
        ..Options::default()
    };
    let sim = Sim::start(World::named("healthy").unwrap(), options).await.unwrap();
    let before = machines(&sim).await;
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    let head = "POST /v1/apps/demo/machines HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-length: 50\r\nconnection: close\r\n\r\n{\"config\"";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(machines(&sim).await, before);
}

#[tokio::test]
async fn names_that_try_to_be_paths_are_names() {
    let sim = virtual_sim("healthy").await;
    let before = machines(&sim).await;
    for name in [
        "..",
        ".",
        "%2e%2e",
        "%2E%2E%2Fother",
        "..%2f..%2fetc%2fpasswd",
        "demo%00",
        "demo%2f",
        "demo%20",
        "demo;x=1",
        "demo%0d%0aset-cookie:x",
        "DEMO",
        "%ff%fe",
        "demo%2fmachines",
    ] {
        for (method, path) in [
            ("GET", format!("/v1/apps/{name}")),
            ("DELETE", format!("/v1/apps/{name}")),
            ("DELETE", format!("/v1/apps/demo/machines/{name}?force=true")),
            ("DELETE", format!("/v1/apps/demo/volumes/{name}")),
            ("DELETE", format!("/v1/apps/demo/secrets/{name}")),
            ("GET", format!("/v1/orgs/{name}/machines")),
        ] {
            let answer = send(&sim, method, &path, &[], None).await.unwrap();
            assert!((400..500).contains(&answer.status), "{method} {path}: {}", answer.status);
            assert!(!answer.headers.iter().any(|(key, _)| key == "set-cookie"), "{path}");
        }
        let made = json!({ "name": name, "org_slug": "personal" }).to_string();
        let answer = send(&sim, "POST", "/v1/apps", &[], Some(made)).await.unwrap();
        assert!((400..500).contains(&answer.status), "an app named {name}: {}", answer.status);
        sim.advance(Duration::from_secs(3));
    }
    assert_eq!(machines(&sim).await, before);
    let apps = get(&sim, "/v1/apps?org_slug=personal").await.json();
    assert_eq!(apps["total_apps"], 1);
}

#[tokio::test]
async fn requests_that_are_no_http_are_refused() {
    let sim = virtual_sim("healthy").await;
    for text in [
        "GET\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}hello TLS",
        "GET /v1/apps/demo HTTP/9.9\r\n\r\n",
        "GET /v1/apps HTTP/1.1\r\nbad header\r\n\r\n",
        "POST /v1/apps HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(sim.address()).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A connection that is closed without a word is refused as well.
        let _reset = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{text:?}");
    }
    let long = format!("/v1/apps/{}", "a".repeat(100_000));
    if let Some(answer) = send(&sim, "GET", &long, &[], None).await {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(get(&sim, "/v1/apps/demo").await.status, 200);
}

#[tokio::test]
async fn only_loopback_is_served_without_a_flag() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let options = Options { address: address.parse().unwrap(), ..Options::default() };
        let refused = Sim::start(World::named("healthy").unwrap(), options).await;
        assert!(matches!(refused, Err(StartError::NotLoopback(_))), "{address}");
    }
    let address = "0.0.0.0:0".parse().unwrap();
    let options = Options { address, allow_other_addresses: true, ..Options::default() };
    assert!(Sim::start(World::named("healthy").unwrap(), options).await.is_ok());
}
