//! The client against the simulator.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod faults;
mod reading;

use std::sync::Arc;

use fly_api::{Client, ClientConfig, Endpoints, Token};
use fly_sim::{Options, Sim, World};
use jiff::Timestamp;

/// A simulator with a world from its own collection and a client that talks to it.
pub(crate) async fn world(name: &str) -> (Sim, Client) {
    with_extra(name, "").await
}

/// The same with text appended to the world file, e.g. faults.
pub(crate) async fn with_extra(name: &str, extra: &str) -> (Sim, Client) {
    let path = format!("{}/../fly-sim/worlds/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap() + extra;
    let sim = Sim::start(World::parse(&text, name).unwrap(), Options::default()).await.unwrap();
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
