//! Every recorded body decodes and re-encodes without loss.

use std::fs;
use std::path::{Path, PathBuf};

use fly_types::state::{HostStatus, MachineState};
use fly_types::wire::{
    AppList, AppNode, CertificateList, Event, EventSource, LeaseAnswer, Machine, Volume,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recorded")
}

fn read(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Decodes and compares; returns the debug text so that callers can look for shapes that only survived as raw JSON.
fn round_trip<T: DeserializeOwned + Serialize + std::fmt::Debug>(
    name: &str,
    body: &Value,
) -> String {
    let typed: T =
        serde_json::from_str(&body.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(&serde_json::to_value(&typed).unwrap(), body, "{name} changed on its way");
    format!("{typed:?}")
}

/// Which type a recorded file is; errors belong to the client.
fn check(name: &str, body: &Value) -> Option<String> {
    Some(match name.split('-').next().unwrap() {
        "app" => round_trip::<AppList>(name, body),
        "certificates" => round_trip::<CertificateList>(name, body),
        "events" => round_trip::<Vec<Event>>(name, body),
        "lease" => round_trip::<LeaseAnswer>(name, body),
        "graphql" => round_trip::<AppNode>(name, &body["app"]),
        "machine" if body.is_array() => round_trip::<Vec<Machine>>(name, body),
        "machine" => round_trip::<Machine>(name, body),
        "volume" if body.is_array() => round_trip::<Vec<Volume>>(name, body),
        "volume" => round_trip::<Volume>(name, body),
        _ => return None,
    })
}

#[test]
fn every_recorded_body_survives_and_has_the_documented_shape() {
    let mut checked = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let Some(debug) = check(&name, &read(&name)) else { continue };
        assert!(
            !debug.contains("Unexpected("),
            "{name} holds a shape that the types do not describe: {debug}"
        );
        checked += 1;
    }
    assert_eq!(checked, 22, "a fixture was added or lost: extend `check`");
}

#[test]
fn machines_inside_flyctl_output_survive() {
    let body = read("flyctl/status-json-2024.json");
    let debug = round_trip::<Vec<Machine>>("status", &body["Machines"]);
    assert!(!debug.contains("Unexpected("), "{debug}");
}

#[test]
fn what_the_recordings_say_is_readable() {
    let machine: Machine = serde_json::from_value(read("machine-get-stopped-2022b.json")).unwrap();
    assert_eq!(machine.state.get(), Some(&MachineState::Stopped));
    let exit = machine.events.items()[0].exit().unwrap();
    assert_eq!(exit.exit_code.copied(), Some(127));
    assert_eq!(exit.exited_at.at().unwrap().as_millisecond(), 1_653_047_897_299);

    let machine: Machine = serde_json::from_value(read("machine-get-started-2025.json")).unwrap();
    assert_eq!(machine.host_status.get(), Some(&HostStatus::Ok));
    assert!(machine.incomplete_config.is_null());
    assert_eq!(
        machine.image_ref.get().unwrap().reference(),
        "docker-hub-mirror.fly.io/getobelisk/obelisk:0.24.1-ubuntu@sha256:041f936be0d2494aca338e43efe052ee087c1e2520385c6f4640efa9e92ab06a"
    );

    let machines: Vec<Machine> =
        serde_json::from_value(read("machine-list-2024-checks-labels.json")).unwrap();
    assert_eq!(machines[0].process_group(), Some("app"));
    assert_eq!(machines[0].checks.items()[0].output.text(), Some("Success"));

    let events: Vec<Event> = serde_json::from_value(read("events-proxy-wake-2026.json")).unwrap();
    assert_eq!(events[1].source.get(), Some(&EventSource::Proxy));
    assert_eq!(events[2].exit().unwrap().requested_stop.copied(), Some(true));

    for name in ["lease-acquire-enveloped-2022.json", "lease-acquire-2023-fixture.json"] {
        let answer: LeaseAnswer = serde_json::from_value(read(name)).unwrap();
        assert!(!answer.lease().unwrap().nonce.get().unwrap().expose().is_empty());
    }
}

#[test]
fn an_unreachable_host_leaves_a_partial_configuration() {
    let body = serde_json::json!({
        "id": "148e21ea7e4389", "state": "started", "config": null, "host_status": "unreachable",
        "incomplete_config": {"image": "nginx:alpine"},
    });
    let machine: Machine = serde_json::from_value(body.clone()).unwrap();
    let (config, complete) = machine.effective_config().unwrap();
    assert_eq!((config.image.text(), complete), (Some("nginx:alpine"), false));
    assert_eq!(serde_json::to_value(&machine).unwrap(), body);
}

#[test]
fn values_that_may_be_secret_never_print() {
    let body = serde_json::json!({
        "id": "148e21ea7e4389", "nonce": "n0nce-canary", "LeaseNonce": "l3ase-canary", "novel": "unknown-canary",
        "name": {"odd": "shape-canary"},
        "config": {"env": {"KEY": "env-canary"}, "files": [{"guest_path": "/a", "raw_value": "file-canary"}],
                   "processes": [{"env": {"A": "process-canary"}}], "containers": [{"env": {"A": "container-canary"}}]},
    });
    let machine: Machine = serde_json::from_value(body).unwrap();
    let debug = format!("{machine:?} {machine:#?}");
    assert!(!debug.contains("canary"), "{debug}");
    assert_eq!(machine.nonce().unwrap().expose(), "n0nce-canary");
}
