//! The apps of an organization: `cargo run -p fly-api --example list_apps -- ORG`, with `FLY_API_TOKEN` set.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

mod connect;

use fly_api::{ApiError, Client};
use fly_types::OrgSlug;

/// A line for each app: name, state, number of Machines.
pub(crate) async fn list_apps(client: &Client, org: &OrgSlug) -> Result<Vec<String>, ApiError> {
    let list = client.apps(org).await?.value;
    let line = |app: &fly_types::wire::App| {
        let machines = app.machine_count.get().map_or("?".to_owned(), ToString::to_string);
        format!("{}  {}  {machines} Machines", app.name, app.status.text().unwrap_or("unknown"))
    };
    Ok(list.apps.items().iter().map(line).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let org = connect::argument("organization")?.parse()?;
    println!("{}", list_apps(&connect::client()?, &org).await?.join("\n"));
    Ok(())
}
