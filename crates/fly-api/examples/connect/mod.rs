//! A client from the environment, for the examples beside this folder. The tools themselves take theirs from `ops-cli`.

use std::error::Error;
use std::sync::Arc;

use fly_api::{Client, ClientConfig, Endpoints, Token};
use jiff::Timestamp;

/// The token of `FLY_API_TOKEN`; the live addresses, or those of a simulator in `FLY_FLAPS_BASE_URL` and `FLY_API_BASE_URL`.
#[expect(
    clippy::disallowed_methods,
    reason = "an example is its own main program: environment and clock are real"
)]
pub(crate) fn client() -> Result<Client, Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).ok();
    let token = Token::parse(&variable("FLY_API_TOKEN").ok_or("FLY_API_TOKEN is not set")?.into())?;
    let (machines, api) = (variable("FLY_FLAPS_BASE_URL"), variable("FLY_API_BASE_URL"));
    let endpoints =
        Endpoints::with_overrides(machines.as_deref(), api.as_deref(), api.as_deref(), None, None)?;
    let config = ClientConfig::new(endpoints, Some(token), Arc::new(Timestamp::now));
    Ok(Client::new(Arc::new(net::HttpClient::new(&net::Options::default())?), config))
}

/// The only argument of the command line.
#[allow(dead_code, reason = "not every example takes one")]
pub(crate) fn argument(what: &str) -> Result<String, String> {
    std::env::args().nth(1).ok_or_else(|| format!("name the {what}"))
}
