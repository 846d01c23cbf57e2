//! States, leases, waits and volumes: what the references say about changes.

use std::time::Duration;

use fly_sim::Sim;
use serde_json::{Value, json};

use crate::client::{Answer, call, get, parsed_sim, send, virtual_sim};

const MACHINES: &str = "/v1/apps/demo/machines";
const ONE: &str = "/v1/apps/demo/machines/148e21ea7e4389";

async fn post(sim: &Sim, path: &str, body: Value) -> Answer {
    // A second later, so that the rate limit is not what is tested.
    sim.advance(Duration::from_secs(1));
    call(sim, "POST", path, body).await
}

async fn state(sim: &Sim, path: &str) -> String {
    sim.advance(Duration::from_secs(1));
    get(sim, path).await.json()["state"].as_str().unwrap().to_owned()
}

fn error(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_machine_is_made_and_becomes_started() {
    let sim = virtual_sim("healthy").await;
    let body = json!({ "name": "one", "region": "xyz,ams", "config": { "image": "nginx", "services": [
        { "internal_port": 80, "autostop": "suspend", "checks": [{ "type": "tcp", "port": 80 }] }] } });
    let made = post(&sim, MACHINES, body.clone()).await.json();
    assert_eq!((&made["state"], &made["region"]), (&json!("created"), &json!("ams")));
    assert_eq!(made["config"]["guest"]["memory_mb"], 256);
    assert!(made.get("nonce").is_none());
    let path = format!("{MACHINES}/{}", made["id"].as_str().unwrap());
    let early = call(&sim, "POST", &format!("{path}/start"), json!({})).await;
    assert_eq!(early.status, 412);
    assert_eq!(
        error(&early),
        "failed_precondition: unable to start machine from current state: 'created'"
    );
    let started = get(&sim, &format!("{path}/wait?state=started")).await.json();
    assert_eq!(started["version"], made["instance_id"]);
    let machine = get(&sim, &path).await.json();
    assert_eq!(machine["checks"][0]["name"], "servicecheck-00-tcp-80");
    assert_eq!(machine["config"]["services"][0]["autostop"], "suspend");
    let types: Vec<&str> =
        machine["events"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["start", "launch"]);
    let again = post(&sim, MACHINES, body).await;
    assert_eq!(again.status, 409);
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        error(&again),
        format!(
            "already_exists: unique machine name violation, machine ID {id} already exists with name \"one\""
        )
    );
}

#[tokio::test]
async fn skip_launch_ends_stopped() {
    let sim = virtual_sim("healthy").await;
    let body = json!({ "region": "fra", "skip_launch": true, "config": { "image": "nginx" } });
    let made = post(&sim, MACHINES, body).await.json();
    let path = format!("{MACHINES}/{}", made["id"].as_str().unwrap());
    assert_eq!(state(&sim, &path).await, "stopped");
    let config = json!({ "config": { "image": "nginx:2" } });
    assert_eq!(post(&sim, &path, config).await.json()["state"], "replacing");
    assert_eq!(state(&sim, &path).await, "stopped", "an update does not start what was stopped");
}

#[tokio::test]
async fn states_follow_the_table() {
    let sim = virtual_sim("healthy").await;
    for (action, at_once, later) in [
        ("stop", "stopping", "stopped"),
        ("start", "starting", "started"),
        ("suspend", "suspending", "suspended"),
        ("start", "starting", "started"),
        ("restart", "restarting", "started"),
    ] {
        let answer = post(&sim, &format!("{ONE}/{action}"), json!({})).await;
        assert_eq!(answer.status, 200, "{action}: {answer:?}");
        assert_eq!(get(&sim, ONE).await.json()["state"], at_once, "{action}");
        assert_eq!(state(&sim, ONE).await, later, "{action}");
    }
    let events = get(&sim, &format!("{ONE}/events?limit=50")).await.json();
    let ids: Vec<&str> =
        events.as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "ids grow with time: {ids:?}");
    let running = post(&sim, &format!("{ONE}/start"), json!({})).await;
    assert_eq!(error(&running), "failed_precondition: machine still active, refusing to start");
    let refused = send(&sim, "DELETE", ONE, &[], None).await.unwrap();
    assert_eq!(
        error(&refused),
        "failed_precondition: unable to destroy machine, not currently stopped, suspended, failed or created"
    );
    let forced = send(&sim, "DELETE", &format!("{ONE}?kill=true"), &[], None).await.unwrap();
    assert_eq!(forced.json(), json!({ "ok": true }));
    assert_eq!(get(&sim, &format!("{ONE}/wait?state=destroyed")).await.status, 200);
    assert_eq!(get(&sim, ONE).await.json()["state"], "destroyed", "still answered for a while");
    let list = get(&sim, MACHINES).await.json();
    assert!(list.as_array().unwrap().iter().all(|machine| machine["id"] != "148e21ea7e4389"));
    sim.advance(Duration::from_secs(1));
    let all = get(&sim, &format!("{MACHINES}?include_deleted=true")).await.json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    sim.advance(Duration::from_mins(2));
    assert_eq!(get(&sim, ONE).await.status, 404);
}

#[tokio::test]
async fn an_update_replaces_and_makes_a_version() {
    let sim = virtual_sim("healthy").await;
    let before = get(&sim, ONE).await.json();
    let mut config = before["config"].clone();
    config["env"] = json!({ "NEW": "1" });
    let body = json!({ "config": config, "current_version": before["instance_id"] });
    let updated = post(&sim, ONE, body.clone()).await.json();
    assert_ne!(updated["instance_id"], before["instance_id"]);
    assert_eq!(updated["config"]["env"], json!({ "NEW": "1" }), "absent keys vanish");
    let stale = post(&sim, ONE, body).await;
    assert_eq!(stale.status, 412);
    let versions = get(&sim, &format!("{ONE}/versions")).await.json();
    assert_eq!(versions[1]["version"], before["instance_id"]);
    let old = before["instance_id"].as_str().unwrap();
    let lost = get(&sim, &format!("{ONE}/wait?version={old}")).await;
    assert!(error(&lost).contains("replaced"));
    sim.advance(Duration::from_secs(1));
    let current = updated["instance_id"].as_str().unwrap();
    assert_eq!(get(&sim, &format!("{ONE}/wait?version={current}")).await.status, 200);
    let metadata = post(&sim, &format!("{ONE}/metadata/k"), json!({ "value": "v" })).await;
    assert_eq!(metadata.status, 204);
    let after = get(&sim, ONE).await.json();
    assert_eq!(
        (&after["instance_id"], &after["config"]["metadata"]["k"]),
        (&updated["instance_id"], &json!("v"))
    );
}

#[tokio::test]
async fn leases_keep_others_out_until_they_end() {
    let sim = virtual_sim("healthy").await;
    let lease = format!("{ONE}/lease");
    let taken = post(&sim, &format!("{lease}?ttl=60"), json!({})).await;
    assert_eq!((taken.status, &taken.json()["status"]), (201, &json!("success")));
    let data = taken.json()["data"].clone();
    let nonce = data["nonce"].as_str().unwrap().to_owned();
    for path in [format!("{ONE}/stop"), lease.clone(), ONE.to_owned()] {
        let refused = post(&sim, &path, json!({ "config": { "image": "x" } })).await;
        assert_eq!(refused.status, 409, "{path}");
        let text = error(&refused);
        assert!(
            text.starts_with("aborted: machine ID 148e21ea7e4389 lease currently held by sre@example.com, expires at "),
            "{text}"
        );
    }
    let wrong = [("fly-machine-lease-nonce", "other")];
    let refused = send(&sim, "DELETE", &format!("{ONE}?force=true"), &wrong, None).await.unwrap();
    assert_eq!(refused.status, 409);
    assert_eq!(get(&sim, ONE).await.json()["state"], "started", "no effect");
    let right = [("fly-machine-lease-nonce", nonce.as_str())];
    sim.advance(Duration::from_secs(5));
    let refreshed =
        send(&sim, "POST", &format!("{lease}?ttl=60"), &right, None).await.unwrap().json();
    assert_eq!(refreshed["data"]["nonce"], data["nonce"], "a refresh keeps the nonce");
    assert!(refreshed["data"]["expires_at"].as_i64() > data["expires_at"].as_i64());
    let stopped = send(&sim, "POST", &format!("{ONE}/stop"), &right, None).await.unwrap();
    assert_eq!(stopped.status, 200);
    sim.advance(Duration::from_secs(61));
    assert_eq!(get(&sim, &lease).await.status, 404, "a lease ends by itself");
    assert_eq!(post(&sim, &format!("{ONE}/start"), json!({})).await.status, 200);
}

#[tokio::test]
async fn volumes_go_through_their_states() {
    let sim = virtual_sim("healthy").await;
    let volumes = "/v1/apps/demo/volumes";
    let fork = post(&sim, volumes, json!({ "name": "data", "source_volume_id": "vol_9vle3lw21kmzn6d4", "region": "iad", "snapshot_id": null })).await.json();
    let path = format!("{volumes}/{}", fork["id"].as_str().unwrap());
    let mut seen = vec![fork["state"].as_str().unwrap().to_owned()];
    for _ in 0..40 {
        sim.advance(Duration::from_millis(250));
        let now = get(&sim, &path).await;
        if now.status == 200 {
            let state = now.json()["state"].as_str().unwrap().to_owned();
            if seen.last() != Some(&state) {
                seen.push(state);
            }
        }
    }
    assert_eq!(seen, ["creating", "enabling_remote_export", "hydrating", "created"]);
    assert_eq!((&fork["size_gb"], &fork["region"]), (&json!(10), &json!("iad")));
    let mount = |volume: &str| json!({ "region": "iad", "config": { "image": "x", "mounts": [{ "volume": volume, "path": "/d" }] } });
    let taken = post(&sim, MACHINES, mount("vol_9vle3lw21kmzn6d4")).await;
    assert_eq!(taken.status, 412);
    assert_eq!(
        error(&taken),
        "failed_precondition: volume already claimed by machine 6e82d5f1c01e87"
    );
    let made = post(&sim, MACHINES, mount(fork["id"].as_str().unwrap())).await.json();
    let bound = send(&sim, "DELETE", &path, &[], None).await.unwrap();
    assert_eq!(bound.status, 412);
    let machine = format!("{MACHINES}/{}?force=true", made["id"].as_str().unwrap());
    send(&sim, "DELETE", &machine, &[], None).await.unwrap();
    sim.advance(Duration::from_secs(2));
    assert_eq!(send(&sim, "DELETE", &path, &[], None).await.unwrap().status, 200);
    assert_eq!(state(&sim, &path).await, "pending_destroy");
    sim.advance(Duration::from_hours(25));
    assert_eq!(get(&sim, &path).await.status, 404);
}

#[tokio::test]
async fn processes_behave_as_the_world_says() {
    let sim = parsed_sim(
        r#"
        behaviors = [{ image = "crash", exit_code = 3, after = "2s" }, { image = "sick", failing_check = "500" }]
        apps = [{ name = "demo" }]
        "#,
    )
    .await;
    let body = |image: &str| json!({ "region": "fra", "config": { "image": image, "checks": { "up": { "type": "http", "port": 80 } } } });
    let crash = post(&sim, MACHINES, body("crash")).await.json();
    let path = format!("{MACHINES}/{}", crash["id"].as_str().unwrap());
    sim.advance(Duration::from_mins(2));
    assert_eq!(state(&sim, &path).await, "stopped");
    let events = get(&sim, &format!("{path}/events?limit=50")).await.json();
    let exits: Vec<&Value> =
        events.as_array().unwrap().iter().filter(|event| event["type"] == "exit").collect();
    assert_eq!(exits.len(), 11);
    assert_eq!(exits[0]["request"]["exit_event"]["restarting"], false, "given up");
    assert_eq!(exits[1]["request"]["exit_event"]["exit_code"], 3);
    let sick = post(&sim, MACHINES, body("sick")).await.json();
    sim.advance(Duration::from_secs(5));
    let machine = get(&sim, &format!("{MACHINES}/{}", sick["id"].as_str().unwrap())).await.json();
    assert_eq!(machine["checks"][0]["status"], "critical");
    let logs = get(&sim, "/api/v1/apps/demo/logs").await.json();
    assert!(logs.to_string().contains("Main child exited normally with code: 3"));
}

#[tokio::test]
async fn what_is_sent_by_different_clients_is_understood() {
    let sim = virtual_sim("healthy").await;
    let stop = format!("{ONE}/stop");
    for (body, status) in [
        (json!({ "id": "148e21ea7e4389", "timeout": "0s" }), 200),
        (json!({ "timeout": 30_000_000_000_i64 }), 200),
        (json!({ "timeout": "30" }), 400),
        (json!({ "signal": "SIGTERM", "timeout": "10s" }), 200),
        (json!({ "signal": "NOPE" }), 400),
    ] {
        assert_eq!(post(&sim, &stop, body.clone()).await.status, status, "{body}");
    }
    assert_eq!(post(&sim, &format!("{ONE}/start"), json!({})).await.status, 200);
    sim.advance(Duration::from_secs(2));
    assert_eq!(post(&sim, &format!("{ONE}/signal"), json!({ "signal": 9 })).await.status, 200);
    let exec = call(&sim, "POST", &format!("{ONE}/exec"), json!({ "cmd": "echo a b" })).await;
    assert_eq!(exec.status, 412, "it is restarting");
    sim.advance(Duration::from_secs(2));
    let exec = post(&sim, &format!("{ONE}/exec"), json!({ "command": ["echo", "a b"] })).await;
    assert_eq!(exec.json()["stdout"], "a b\n");
    let odd = json!({ "config": { "image": "x", "guest": { "cpus": 3, "memory_mb": 256 } } });
    assert_eq!(post(&sim, MACHINES, odd).await.status, 400);
    let gone = post(&sim, MACHINES, json!({ "region": "mad", "config": { "image": "x" } })).await;
    assert_eq!(gone.status, 422);
    assert!(error(&gone).starts_with("Region mad is deprecated"));
}

#[tokio::test]
async fn auto_destroy_and_snapshots_end_by_themselves() {
    let sim = parsed_sim(
        r#"
        behaviors = [{ image = "job", exit_code = 0, after = "2s" }]
        apps = [{ name = "demo", volumes = [{ id = "vol_0000000000000001", name = "data", region = "fra" }] }]
        "#,
    )
    .await;
    let mounts = json!([{ "volume": "data", "path": "/data" }]);
    let config = json!({ "image": "job", "auto_destroy": true, "mounts": mounts });
    let made = post(&sim, MACHINES, json!({ "region": "fra", "config": config })).await.json();
    assert_eq!(made["config"]["mounts"][0]["volume"], "vol_0000000000000001", "a mount by name");
    let path = format!("{MACHINES}/{}", made["id"].as_str().unwrap());
    let volume = "/v1/apps/demo/volumes/vol_0000000000000001";
    assert_eq!(get(&sim, volume).await.json()["attached_machine_id"], made["id"]);
    let gone = get(&sim, &format!("{path}/wait?state=destroyed&timeout=30")).await;
    assert_eq!(gone.status, 200);
    assert_eq!(get(&sim, volume).await.json()["attached_machine_id"], Value::Null);

    let snapshots = format!("{volume}/snapshots");
    assert_eq!(post(&sim, &snapshots, json!({})).await.status, 200);
    let busy = call(&sim, "POST", &snapshots, json!({})).await;
    assert_eq!(busy.status, 412);
    assert!(error(&busy).starts_with("failed_precondition: snapshot is already scheduled at "));
    assert_eq!(get(&sim, &snapshots).await.json()[0]["status"], "waiting");
    sim.advance(Duration::from_secs(2));
    assert_eq!(get(&sim, &snapshots).await.json()[0]["status"], "created");
}
