//! Unknown keys and unexpected shapes, put anywhere into a body, survive decoding and encoding.

use fly_types::wire::{CertificateDetail, CreateMachine, Machine, RegionList, Secret, Volume};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn full_machine() -> Value {
    json!({
        "id": "148e21ea7e4389", "state": "started", "region": "fra", "instance_id": "01", "nonce": "x",
        "image_ref": {"repository": "r", "labels": {"a": "b"}},
        "config": {
            "image": "i", "env": {"A": "b"}, "init": {"cmd": ["x"]}, "guest": {"cpu_kind": "shared", "cpus": 1},
            "metadata": {"k": "v"}, "mounts": [{"volume": "vol_1", "path": "/d"}], "schedule": "daily",
            "services": [{"autostop": "suspend", "ports": [{"port": 443, "http_options": {"compress": true}}],
                          "concurrency": {"type": "requests"}, "checks": [{"type": "http", "interval": "15s"}]}],
            "checks": {"c": {"type": "tcp", "interval": 15_000_000_000_i64, "headers": [{"name": "h", "values": ["v"]}]}},
            "files": [{"guest_path": "/f"}], "restart": {"policy": "always"}, "stop_config": {"timeout": "5s"},
            "containers": [{"name": "c", "healthchecks": [{"interval": 5}], "depends_on": [{"name": "d"}]}],
            "processes": [{"cmd": ["a"], "env_from": [{"env_var": "A", "field_ref": "id"}]}],
            "dns": {"options": [{"name": "ndots", "value": "1"}]},
        },
        "events": [{"type": "exit", "request": {"exit_event": {"exit_code": 1, "exited_at": 5},
                    "MonitorEvent": {"exit_event": {"exit_code": 2}}}}],
        "checks": [{"name": "c", "status": "passing"}], "containers": [{"name": "c"}],
        "lease": {"owner": "o"},
    })
}

/// Paths of every object in a body, as JSON pointers.
fn objects(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            out.push(at.to_owned());
            for (key, child) in map {
                objects(child, &format!("{at}/{key}"), out);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                objects(child, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

fn lossless<T: DeserializeOwned + Serialize>(body: &Value) -> Result<(), TestCaseError> {
    let typed: T = serde_json::from_value(body.clone())
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&serde_json::to_value(&typed).unwrap(), body);
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z:/ ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn keys_injected_anywhere_survive(
        picks in prop::collection::vec((any::<prop::sample::Index>(), "[a-zA-Z_.]{1,12}", any_json()), 1..8),
    ) {
        let mut body = full_machine();
        for (pick, key, value) in picks {
            let mut paths = Vec::new();
            objects(&body, "", &mut paths);
            let path = paths[pick.index(paths.len())].clone();
            let Some(Value::Object(map)) = body.pointer_mut(&path) else { unreachable!("paths lead to objects") };
            if key != "id" || !path.is_empty() {
                map.insert(key, value);
            }
        }
        lossless::<Machine>(&body)?;
        lossless::<CreateMachine>(&json!({"config": body["config"], "novel": body["events"]}))?;
    }

    #[test]
    fn any_shape_of_any_field_survives(value in any_json(), pick in any::<prop::sample::Index>()) {
        let bodies: [(Value, &[&str]); 3] = [
            (json!({"id": "vol_1"}), &["name", "size_gb", "state", "created_at", "encrypted", "host_status"]),
            (json!({"hostname": "h"}), &["status", "certificates", "validation", "dns_requirements", "rate_limited_until"]),
            (json!({"name": "N"}), &["digest", "value", "version", "Version"]),
        ];
        for (index, (base, keys)) in bodies.into_iter().enumerate() {
            let mut body = base;
            body[keys[pick.index(keys.len())]] = value.clone();
            match index {
                0 => lossless::<Volume>(&body)?,
                1 => lossless::<CertificateDetail>(&body)?,
                _ => lossless::<Secret>(&body)?,
            }
        }
    }
}

#[test]
fn both_cases_of_region_keys_are_read_and_kept() {
    for (list, nearest) in [("Regions", "Nearest"), ("regions", "nearest")] {
        let body =
            json!({list: [{"code": "fra", "latitude": 50, "longitude": 8.68}], nearest: "lhr"});
        let regions: RegionList = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(regions.regions()[0].code.as_str(), "fra");
        assert_eq!(regions.nearest().unwrap().as_str(), "lhr");
        assert_eq!(serde_json::to_value(&regions).unwrap(), body);
    }
}
