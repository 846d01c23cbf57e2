//! What the real platform once answered: the simulator's answers hold at least the same keys with the same types.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{call, get, virtual_sim};

/// Objects whose keys people choose, and a configuration that belongs to the recorded app.
const OWN_KEYS: [&str; 4] = ["env", "labels", "metadata", "config"];

fn compare(recorded: &Value, seen: &Value, place: &str, problems: &mut BTreeSet<String>) {
    match (recorded, seen) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, value) in wanted.iter().filter(|(key, _)| !OWN_KEYS.contains(&key.as_str())) {
                let place = format!("{place}.{key}");
                match found.get(key) {
                    Some(other) => compare(value, other, &place, problems),
                    None => drop(problems.insert(format!("{place} is missing"))),
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            if let (Some(one), Some(other)) = (wanted.first(), found.first()) {
                compare(one, other, &format!("{place}[]"), problems);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ if std::mem::discriminant(recorded) == std::mem::discriminant(seen) => {}
        _ => drop(problems.insert(format!("{place}: {recorded} was answered, not {seen}"))),
    }
}

macro_rules! recorded {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../data/platform/", $name, ".json")))
            .unwrap()
    };
}

#[tokio::test]
async fn answers_hold_what_the_platform_answered() {
    let sim = virtual_sim("healthy-noisy").await;
    let machine = "/v1/apps/demo/machines/148e21ea7e4389";
    let ips = "{ app(name: \"demo\") { ipAddresses { nodes { id address type region createdAt serviceName \
        network { name organization { slug } } } } sharedIpAddress egressIpAddresses { nodes { id ip version region updatedAt } } } }";
    let ips = call(&sim, "POST", "/graphql", json!({ "query": ips })).await.json()["data"].clone();
    let events = get(&sim, "/v1/apps/demo/machines/3d8d9931f46789/events").await.json();
    let by_kind = |list: &Value, kind: &str| {
        let found = list.as_array().unwrap().iter().find(|event| event["type"] == kind);
        found.unwrap_or_else(|| panic!("no event {kind}")).clone()
    };
    let recorded_events = recorded!("events-proxy-wake-2026");
    let mut pairs = vec![
        (recorded!("machine-get-started-2025"), get(&sim, machine).await.json()),
        (
            recorded!("machine-list-2026-cordoned-field"),
            get(&sim, "/v1/apps/demo/machines").await.json(),
        ),
        (recorded!("volume-list-2026-type-local"), get(&sim, "/v1/apps/demo/volumes").await.json()),
        (recorded!("app-list-2026"), get(&sim, "/v1/apps?org_slug=personal").await.json()),
        (recorded!("graphql-ip-addresses-2026"), ips),
    ];
    for kind in ["start", "exit", "stop"] {
        pairs.push((by_kind(&recorded_events, kind), by_kind(&events, kind)));
    }
    let mut problems = BTreeSet::new();
    for (index, (recorded, seen)) in pairs.iter().enumerate() {
        compare(recorded, seen, &index.to_string(), &mut problems);
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
