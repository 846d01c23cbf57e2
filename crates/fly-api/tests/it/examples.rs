//! The jobs of the examples, against the simulator.

#![allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the examples' main functions are not called here"
)]

#[path = "../../examples/list_apps.rs"]
mod list_apps;
#[path = "../../examples/poll_states.rs"]
mod poll_states;
#[path = "../../examples/verify_access.rs"]
mod verify_access;

use fly_api::{MachineFilter, Stop};

use crate::{world, writer};

#[tokio::test]
async fn apps_access_and_states() {
    let (_sim, client) = world("oom").await;
    let app: fly_types::AppName = "demo".parse().unwrap();
    let access = verify_access::verify_access(&client).await.unwrap();
    let org = access[0].split(':').next().unwrap().parse().unwrap();
    let apps = list_apps::list_apps(&client, &org).await.unwrap();
    assert!(apps.iter().any(|line| line.starts_with("demo  ")), "{apps:?}");

    let mut seen = poll_states::States::new();
    assert!(poll_states::changes(&client, &app, &mut seen).await.unwrap().is_empty());
    let machines = client.machines(&app, &MachineFilter::default()).await.unwrap().value;
    let started = machines.iter().find(|machine| seen[&machine.id] == "started").unwrap();
    writer(&client).machine(&app, &started.id).stop(&Stop::default()).await.unwrap();
    let lines = poll_states::changes(&client, &app, &mut seen).await.unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with(&format!("{}: started -> stop", started.id)), "{lines:?}");
}
