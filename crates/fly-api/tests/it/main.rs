//! The client against the simulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]
#![allow(clippy::disallowed_methods, reason = "a test is its own approval")]

mod apps;
mod contract;
mod create;
mod examples;
mod faults;
#[path = "../../examples/hello_world.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod hello_world;
mod leases;
mod machines;
mod reading;
mod shapes;
mod update;
mod volumes;

use std::sync::Arc;

use fly_api::{Client, ClientConfig, Endpoints, Token, WriteAccess, Writer};
use fly_sim::{Options, Recorded, Sim, Variants, World};
use jiff::Timestamp;

/// A simulator with a world from its own collection and a client that talks to it.
pub(crate) async fn world(name: &str) -> (Sim, Client) {
    with_extra(name, "").await
}

/// The same with text appended to the world file, e.g. faults.
pub(crate) async fn with_extra(name: &str, extra: &str) -> (Sim, Client) {
    start(name, extra, Variants::default()).await
}

/// The same in other documented shapes.
pub(crate) async fn start(name: &str, extra: &str, variants: Variants) -> (Sim, Client) {
    let path = format!("{}/../fly-sim/worlds/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap() + extra;
    let options = Options { variants, ..Options::default() };
    let sim = Sim::start(World::parse(&text, name).unwrap(), options).await.unwrap();
    let client = client(&sim.url(), "fo1_test");
    (sim, client)
}

pub(crate) fn client(url: &str, token: &str) -> Client {
    let options = net::Options { loopback_only: true, ..net::Options::default() };
    let token = Token::parse(&token.to_owned().into()).unwrap();
    let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let config = ClientConfig::new(Endpoints::single(url).unwrap(), Some(token), clock);
    Client::new(Arc::new(net::HttpClient::new(&options).unwrap()), config)
}

pub(crate) fn writer(client: &Client) -> Writer {
    client.writer(WriteAccess::approved("the test"))
}

/// A `[[faults]]` table.
pub(crate) fn fault(method: &str, path: &str, rest: &str) -> String {
    format!("\n[[faults]]\nname = \"f\"\nmethod = \"{method}\"\npath = \"{path}\"\n{rest}\n")
}

/// Requests of a method and route that arrived.
pub(crate) fn arrived(sim: &Sim, method: &str, route: &str) -> Vec<Recorded> {
    let all = sim.requests().into_iter();
    all.filter(|request| request.method == method && request.route == Some(route)).collect()
}

pub(crate) fn demo() -> fly_types::AppName {
    "demo".parse().unwrap()
}
