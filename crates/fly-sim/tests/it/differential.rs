//! The same lifecycle calls against an independent emulator (INTENTIUS/mudflaps) and against the simulator.
//!
//! Needs `MUDFLAPS_BIN`. Disagreements are allowed only where `tests/data/disagreements.toml` names the source that
//! decides; a row that is no longer needed fails too.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use fly_sim::{Options, Sim, World};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::send_to;

const DISAGREEMENTS: &str = include_str!("../data/disagreements.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disagreements {
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    simulator: String,
    mudflaps: String,
    decides: String,
}

const APP: &str = "/v1/apps/diff";

/// (name, method, path, body, milliseconds to let pass afterwards). `{m}` is the Machine, `{v}` the volume, `{n}` the
/// nonce of the lease that was taken last.
fn cases() -> Vec<(&'static str, &'static str, String, Value, u64)> {
    let m = |rest: &str| format!("{APP}/machines/{{m}}{rest}");
    let none = Value::Null;
    let config =
        json!({ "image": "nginx", "guest": { "cpu_kind": "shared", "cpus": 1, "memory_mb": 256 } });
    let new = json!({ "region": "fra", "name": "one", "config": config });
    vec![
        (
            "app create",
            "POST",
            "/v1/apps".into(),
            json!({ "app_name": "diff", "org_slug": "personal" }),
            0,
        ),
        (
            "app create twice",
            "POST",
            "/v1/apps".into(),
            json!({ "app_name": "diff", "org_slug": "personal" }),
            0,
        ),
        ("app create without org", "POST", "/v1/apps".into(), json!({ "app_name": "other" }), 0),
        ("app get", "GET", APP.into(), none.clone(), 0),
        ("app get unknown", "GET", "/v1/apps/none".into(), none.clone(), 0),
        ("apps without org_slug", "GET", "/v1/apps".into(), none.clone(), 0),
        ("machine create without config", "POST", format!("{APP}/machines"), json!({}), 0),
        ("machine create", "POST", format!("{APP}/machines"), new.clone(), 2500),
        ("machine create same name", "POST", format!("{APP}/machines"), new, 0),
        ("machine get", "GET", m(""), none.clone(), 0),
        ("machine list", "GET", format!("{APP}/machines"), none.clone(), 0),
        ("machine get unknown", "GET", format!("{APP}/machines/00000000000000"), none.clone(), 0),
        ("start running", "POST", m("/start"), none.clone(), 0),
        ("wait started", "GET", m("/wait?state=started&timeout=5"), none.clone(), 0),
        ("wait timeout 0", "GET", m("/wait?state=started&timeout=0"), none.clone(), 0),
        ("wait timeout 61", "GET", m("/wait?state=started&timeout=61"), none.clone(), 0),
        ("wait not reached", "GET", m("/wait?state=stopped&timeout=1"), none.clone(), 0),
        ("lease get none", "GET", m("/lease"), none.clone(), 0),
        ("lease acquire", "POST", m("/lease"), json!({ "ttl": 30 }), 0),
        ("lease acquire again", "POST", m("/lease"), json!({ "ttl": 30 }), 0),
        ("stop without nonce", "POST", m("/stop"), none.clone(), 0),
        ("lease release", "DELETE", m("/lease#nonce"), none.clone(), 0),
        ("cordon", "POST", m("/cordon"), none.clone(), 0),
        ("uncordon", "POST", m("/uncordon"), none.clone(), 0),
        ("metadata set", "POST", m("/metadata/k"), json!({ "value": "v" }), 0),
        ("metadata get", "GET", m("/metadata"), none.clone(), 0),
        ("metadata delete", "DELETE", m("/metadata/k"), none.clone(), 0),
        ("stop", "POST", m("/stop"), none.clone(), 1500),
        ("stop stopped", "POST", m("/stop"), none.clone(), 0),
        ("update stopped", "POST", m(""), json!({ "config": config }), 1500),
        ("start", "POST", m("/start"), none.clone(), 2000),
        ("suspend", "POST", m("/suspend"), none.clone(), 1500),
        ("resume", "POST", m("/start"), none.clone(), 1500),
        ("restart", "POST", m("/restart"), none.clone(), 2000),
        ("signal", "POST", m("/signal"), json!({ "signal": "SIGUSR1" }), 0),
        ("exec", "POST", m("/exec"), json!({ "cmd": "echo hi" }), 0),
        (
            "volume create",
            "POST",
            format!("{APP}/volumes"),
            json!({ "name": "data", "region": "fra", "size_gb": 1 }),
            500,
        ),
        ("volume get", "GET", format!("{APP}/volumes/{{v}}"), none.clone(), 0),
        (
            "volume extend",
            "PUT",
            format!("{APP}/volumes/{{v}}/extend"),
            json!({ "size_gb": 2 }),
            500,
        ),
        ("volume delete", "DELETE", format!("{APP}/volumes/{{v}}"), none.clone(), 0),
        ("regions", "GET", "/v1/platform/regions".into(), none.clone(), 0),
        ("delete running without force", "DELETE", m(""), none.clone(), 1500),
        ("delete forced", "DELETE", m("?force=true"), none.clone(), 2000),
        ("machine get destroyed", "GET", m(""), none.clone(), 0),
        ("app delete", "DELETE", APP.into(), none, 0),
    ]
}

/// Status, and the state of what was answered where it has one.
async fn play(address: SocketAddr) -> Vec<(&'static str, String)> {
    let (mut machine, mut volume, mut nonce) = (String::new(), String::new(), String::new());
    let mut seen = Vec::new();
    for (name, method, path, body, pause) in cases() {
        let path = path.replace("{m}", &machine).replace("{v}", &volume);
        let (path, leased) =
            path.split_once("#nonce").map_or((path.as_str(), false), |(p, _)| (p, true));
        let headers: Vec<(&str, &str)> =
            if leased { vec![("fly-machine-lease-nonce", nonce.as_str())] } else { vec![] };
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = send_to(address, method, path, &headers, body).await.unwrap();
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        match name {
            "machine create" => machine = text("id"),
            "volume create" => volume = text("id"),
            "lease acquire" => {
                nonce = value["data"]["nonce"].as_str().unwrap_or_default().to_owned();
            }
            _ => {}
        }
        let state = value["state"].as_str().map(|state| format!(" {state}")).unwrap_or_default();
        seen.push((name, format!("{}{state}", answer.status)));
        // Another process's clock cannot be moved; its own delays are some hundred milliseconds.
        tokio::time::sleep(Duration::from_millis(pause)).await; // sleep: another program's states take wall time
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_independent_emulator_agrees_or_a_source_decides() {
    #[expect(
        clippy::disallowed_methods,
        reason = "which emulator to compare with is the caller's choice"
    )]
    let Some(binary) = std::env::var_os("MUDFLAPS_BIN") else {
        println!("skipped: set MUDFLAPS_BIN to a mudflaps to run this");
        return;
    };
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    #[expect(clippy::disallowed_methods, reason = "the test's subject is another program")]
    let mut command = tokio::process::Command::new(binary);
    command.args(["-addr", &address.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let _child = command.kill_on_drop(true).spawn().unwrap();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let world = World::parse("settings = { rate_limits = false }\napps = []", "diff").unwrap();
    let sim = Sim::start(world, Options::default()).await.unwrap();
    let (ours, theirs) = tokio::join!(play(sim.address()), play(address));
    let known: Disagreements = toml::from_str(DISAGREEMENTS).unwrap();
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    for ((name, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let row = known.row.iter().position(|row| row.case == *name);
        let Some(row) = row else {
            if ours != theirs {
                unexplained.push(format!("{name}: simulator {ours}, mudflaps {theirs}"));
            }
            continue;
        };
        used.insert(row);
        let row = &known.row[row];
        assert_eq!((&row.simulator, &row.mudflaps), (ours, theirs), "{name}");
        assert!(row.decides.len() > 10, "{name}: no source decides");
    }
    println!("{} calls, {} disagreements with a deciding source", ours.len(), used.len());
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert_eq!(used.len(), known.row.len(), "a row is not needed");
}
