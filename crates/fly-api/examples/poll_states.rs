//! State changes of an app's Machines: `cargo run -p fly-api --example poll_states -- APP`, with `FLY_API_TOKEN` set.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

mod connect;

use std::collections::BTreeMap;
use std::time::Duration;

use fly_api::{ApiError, Client, MachineFilter};
use fly_types::{AppName, MachineId};

/// The states seen last.
pub(crate) type States = BTreeMap<MachineId, String>;

/// A line for each Machine whose state is another than last time; the first look only remembers.
pub(crate) async fn changes(
    client: &Client,
    app: &AppName,
    seen: &mut States,
) -> Result<Vec<String>, ApiError> {
    let mut lines = Vec::new();
    for machine in client.machines(app, &MachineFilter::default()).await?.value {
        let now = machine.state.get().map_or("unknown".to_owned(), ToString::to_string);
        if let Some(before) =
            seen.insert(machine.id.clone(), now.clone()).filter(|before| *before != now)
        {
            lines.push(format!("{}: {before} -> {now}", machine.id));
        }
    }
    Ok(lines)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, app) = (connect::client()?, connect::argument("app")?.parse()?);
    let mut seen = States::new();
    loop {
        changes(&client, &app, &mut seen).await?.iter().for_each(|line| println!("{line}"));
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}
