//! A small HTTP/1.1 client, so that the tests share no code with the client crate.

use std::time::Duration;

use fly_sim::{ClockMode, Options, Sim, World};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One answer; `complete` is false when the connection ended too early.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) complete: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

pub(crate) async fn virtual_sim(world: &str) -> Sim {
    start(World::named(world).unwrap()).await
}

pub(crate) async fn parsed_sim(text: &str) -> Sim {
    start(World::parse(text, "test").unwrap_or_else(|error| panic!("{error}"))).await
}

async fn start(world: World) -> Sim {
    let options = Options { clock: ClockMode::Virtual, ..Options::default() };
    Sim::start(world, options).await.unwrap()
}

pub(crate) async fn get(sim: &Sim, path: &str) -> Answer {
    send(sim, "GET", path, &[], None).await.unwrap()
}

pub(crate) async fn call(sim: &Sim, method: &str, path: &str, body: Value) -> Answer {
    send(sim, method, path, &[], Some(body.to_string())).await.unwrap()
}

/// Sends one request on a connection of its own; `None` when no status line came back.
pub(crate) async fn send(
    sim: &Sim,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<String>,
) -> Option<Answer> {
    send_to(sim.address(), method, path, headers, body).await
}

/// The same, to any server.
pub(crate) async fn send_to(
    address: std::net::SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<String>,
) -> Option<Answer> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        text.push_str("authorization: Bearer fo1_test\r\n");
    }
    for (name, value) in headers {
        text = text + name + ": " + value + "\r\n";
    }
    let body = body.unwrap_or_default();
    let length = body.len().to_string();
    text = text + "content-length: " + &length + "\r\n\r\n" + &body;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    // A cut connection may end in an error; what came before it still counts.
    let _end =
        tokio::time::timeout(Duration::from_secs(9), stream.read_to_end(&mut received)).await;
    parse(&received)
}

fn parse(received: &[u8]) -> Option<Answer> {
    let head_end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..head_end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let rest = &received[head_end + 4..];
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse::<usize>().ok());
    let chunked = headers.iter().any(|(_, value)| value == "chunked");
    let (body, complete) = if chunked { unchunk(rest) } else { (rest.to_vec(), true) };
    let complete = complete && length.is_none_or(|length| length == body.len());
    Some(Answer { status, headers, body, complete })
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let size = String::from_utf8_lossy(&rest[..end]).into_owned();
        let Ok(size) = usize::from_str_radix(&size, 16) else { return (body, false) };
        if size == 0 {
            return (body, true);
        }
        rest = &rest[end + 2..];
        if rest.len() < size + 2 {
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}
