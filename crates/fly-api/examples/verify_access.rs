//! What the token reaches: `cargo run -p fly-api --example verify_access`, with `FLY_API_TOKEN` set.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

mod connect;

use fly_api::{ApiError, Client};

/// A line for each token: its organization, and the apps that it is limited to. A 401 says that it is not valid.
pub(crate) async fn verify_access(client: &Client) -> Result<Vec<String>, ApiError> {
    let answer = client.tokens_current().await?.value;
    let line = |token: &fly_types::wire::TokenInfo| {
        let apps = match token.apps.items() {
            [] => "all apps".to_owned(),
            apps => apps.join(", "),
        };
        format!("{}: {apps}", token.org_slug.text().unwrap_or("unknown organization"))
    };
    Ok(answer.tokens.items().iter().map(line).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", verify_access(&connect::client()?).await?.join("\n"));
    Ok(())
}
