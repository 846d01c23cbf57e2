//! 10,000 Machines in 500 apps: how fast they are listed, filtered and paged, and what they cost in memory.
//!
//! Run by `cargo xtask bench sim`. Prints figures, judges nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::format_push_string,
    clippy::assigning_clones,
    clippy::cast_precision_loss,
    reason = "a benchmark talks to a person"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use fly_sim::{Options, Sim, World};

const APPS: usize = 500;
const MACHINES_PER_APP: usize = 20;
const CLIENTS: usize = 4;
const TIME: Duration = Duration::from_secs(3);

fn world() -> String {
    let regions = ["fra", "ams", "iad", "sin", "gru"];
    let mut text = "settings = { rate_limits = false }\n".to_owned();
    for app in 0..APPS {
        text += &format!("[[apps]]\nname = \"app-{app:03}\"\nmachines = [\n");
        for machine in 0..MACHINES_PER_APP {
            let region = regions[machine % regions.len()];
            let state = if machine % 4 == 0 { "stopped" } else { "started" };
            text += &format!("  {{ region = \"{region}\", state = \"{state}\" }},\n");
        }
        text += "]\n";
    }
    text
}

/// A connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn get(&mut self, path: &str) -> Vec<u8> {
        let text = format!("GET {path} HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer x\r\n\r\n");
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 "), "{path}: {line}");
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        body
    }
}

/// Resident memory in MiB, where the system says it.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn now() -> Instant {
    Instant::now()
}

fn rate(address: SocketAddr, name: &str, paths: &[String]) {
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn(move || {
                    let (mut client, start) = (Client::new(address), now());
                    let (mut requests, mut bytes) = (0_u64, 0_u64);
                    while start.elapsed() < TIME {
                        let path = &paths
                            [(number * 131 + usize::try_from(requests).unwrap()) % paths.len()];
                        bytes += client.get(path).len() as u64;
                        requests += 1;
                    }
                    (requests, bytes)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (requests, bytes) = counts.iter().fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    let seconds = TIME.as_secs_f64();
    println!(
        "{name:<44} {:>8.0} requests/s {:>8.1} MiB/s",
        requests as f64 / seconds,
        bytes as f64 / seconds / 1_048_576.0
    );
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let before = memory();
    let start = now();
    let world = World::parse(&world(), "load").unwrap();
    let sim = runtime.block_on(Sim::start(world, Options::default())).unwrap();
    println!(
        "{} Machines in {APPS} apps, {CLIENTS} clients, {} s each",
        APPS * MACHINES_PER_APP,
        TIME.as_secs()
    );
    println!(
        "read and started in {:.2} s, {:.0} MiB more memory",
        start.elapsed().as_secs_f64(),
        memory() - before
    );
    let address = sim.address();
    let start = now();
    let (mut client, mut cursor, mut pages, mut seen) = (Client::new(address), String::new(), 0, 0);
    loop {
        let body = client.get(&format!("/v1/orgs/personal/machines?limit=1000&cursor={cursor}"));
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        pages += 1;
        seen += page["machines"].as_array().unwrap().len();
        cursor = page["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, APPS * MACHINES_PER_APP);
    println!("all {seen} in {pages} pages: {:.2} s", start.elapsed().as_secs_f64());
    let all: Vec<String> = (0..APPS).map(|app| format!("app-{app:03}")).collect();
    let each = |pattern: &str| all.iter().map(|app| pattern.replace("{}", app)).collect::<Vec<_>>();
    rate(address, "one app", &each("/v1/apps/{}"));
    rate(address, "Machines of one app (20)", &each("/v1/apps/{}/machines"));
    rate(
        address,
        "Machines of one app, state and region",
        &each("/v1/apps/{}/machines?state=started&region=fra"),
    );
    rate(address, "Machines of one app, summary", &each("/v1/apps/{}/machines?summary=true"));
    rate(address, "all 500 apps", &["/v1/apps?org_slug=personal".to_owned()]);
    rate(
        address,
        "organization, page of 100",
        &["/v1/orgs/personal/machines?limit=100".to_owned()],
    );
    rate(
        address,
        "organization, stopped in sin, page of 100",
        &["/v1/orgs/personal/machines?limit=100&state=stopped&region=sin".to_owned()],
    );
    println!("memory at the end: {:.0} MiB", memory());
}
