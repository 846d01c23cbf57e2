//! Full regions and hosts, hosts that move or vanish, and the data on volumes.

use std::time::Duration;

use fly_sim::Sim;
use serde_json::{Value, json};

use crate::client::{Answer, call, get, parsed_sim, send, virtual_sim};

const MACHINES: &str = "/v1/apps/demo/machines";
const VOLUMES: &str = "/v1/apps/demo/volumes";
const WORKER: &str = "/v1/apps/demo/machines/6e82d5f1c01e87";
const DATA: &str = "vol_9vle3lw21kmzn6d4";

async fn post(sim: &Sim, path: &str, body: Value) -> Answer {
    let answer = call(sim, "POST", path, body).await;
    sim.advance(Duration::from_secs(2));
    answer
}

async fn run(sim: &Sim, machine: &str, command: &[&str]) -> String {
    let answer =
        post(sim, &format!("{MACHINES}/{machine}/exec"), json!({ "command": command })).await;
    assert_eq!(answer.status, 200, "{command:?}");
    answer.json()["stdout"].as_str().unwrap().to_owned()
}

fn mounting(volume: &str, region: &str) -> Value {
    json!({ "region": region, "config": { "image": "x", "mounts": [{ "volume": volume, "path": "/data" }] } })
}

#[tokio::test]
async fn a_full_region_refuses_machines_and_volumes() {
    let sim = parsed_sim(
        r#"
        apps = [{ name = "demo" }]
        regions = [{ code = "ams", machines = 1, volumes = 1 }, { code = "lhr", machines = 0, says = "aborted" }]
        "#,
    )
    .await;
    let new = |region: &str| json!({ "region": region, "config": { "image": "x" } });
    let first = post(&sim, MACHINES, new("ams")).await.json();
    let refused = post(&sim, MACHINES, new("ams")).await;
    assert_eq!((refused.status, &refused.json()["status"]), (422, &json!("insufficient_capacity")));
    let aborted = post(&sim, MACHINES, new("lhr")).await;
    assert_eq!(aborted.status, 409);
    assert!(
        aborted.json()["error"].as_str().unwrap().starts_with("aborted: insufficient resources")
    );
    let elsewhere = post(&sim, MACHINES, new("lhr,ams,cdg")).await.json();
    assert_eq!(elsewhere["region"], "cdg", "a list is tried in order");
    let places = json!({ "org_slug": "personal", "region": "ams,cdg", "count": 2 });
    let places = post(&sim, "/v1/platform/placements", places).await.json();
    assert_eq!(places["Regions"].as_array().unwrap().len(), 1, "ams is missing: {places}");
    let path = format!("{MACHINES}/{}?force=true", first["id"].as_str().unwrap());
    send(&sim, "DELETE", &path, &[], None).await.unwrap();
    sim.advance(Duration::from_secs(5));
    assert_eq!(post(&sim, MACHINES, new("ams")).await.status, 200, "destroying gives room back");
    let volume = json!({ "name": "data", "region": "ams", "size_gb": 1 });
    assert_eq!(post(&sim, VOLUMES, volume.clone()).await.status, 200);
    let full = post(&sim, VOLUMES, volume.clone()).await;
    assert_eq!((full.status, &full.json()["error"]), (400, &json!("no capacity")));
    sim.control("POST", "/_sim/regions/ams", json!({ "volumes": 5 })).unwrap();
    assert_eq!(post(&sim, VOLUMES, volume).await.status, 200, "and it can be changed at run time");
}

#[tokio::test]
async fn volumes_of_one_name_stand_on_different_hardware() {
    let sim =
        parsed_sim("apps = [{ name = 'demo' }]\nregions = [{ code = 'fra', zones = 2 }]").await;
    let new = |unique: Value| json!({ "name": "data", "region": "fra", "size_gb": 1, "require_unique_zone": unique });
    let one = post(&sim, VOLUMES, new(Value::Null)).await.json();
    let two = post(&sim, VOLUMES, new(json!(true))).await.json();
    assert_ne!(one["zone"], two["zone"]);
    assert_eq!(post(&sim, VOLUMES, new(json!(true))).await.status, 400);
    assert_eq!(post(&sim, VOLUMES, new(json!(false))).await.status, 200);
}

#[tokio::test]
async fn a_full_host_holds_its_volume_and_machine_fast() {
    let sim = virtual_sim("healthy").await;
    sim.control("POST", "/_sim/regions/iad", json!({ "full_volume_hosts": true })).unwrap();
    let plain = json!({ "name": "data", "region": "iad", "size_gb": 1 });
    let volume = post(&sim, VOLUMES, plain.clone()).await.json();
    let refused = post(&sim, MACHINES, mounting(volume["id"].as_str().unwrap(), "iad")).await;
    assert_eq!(refused.status, 412);
    assert_eq!(refused.json()["status"], "volume_placement_capacity");
    let mut hinted = plain;
    hinted["compute"] = json!({ "cpus": 1, "memory_mb": 256 });
    let volume = post(&sim, VOLUMES, hinted).await.json();
    let made = post(&sim, MACHINES, mounting(volume["id"].as_str().unwrap(), "iad")).await;
    assert_eq!(made.status, 200, "a volume made with `compute` stands where the Machine fits");
    sim.control("POST", "/_sim/machines/6e82d5f1c01e87", json!({ "host_full": true })).unwrap();
    let update = post(&sim, WORKER, mounting(DATA, "fra")).await;
    assert_eq!(update.status, 409);
    assert!(
        update.json()["error"].as_str().unwrap().starts_with("aborted: could not reserve resource")
    );
    assert_eq!(get(&sim, WORKER).await.json()["state"], "started", "no effect");
}

#[tokio::test]
async fn data_survives_forks_and_restores_and_nothing_else() {
    let sim = virtual_sim("healthy").await;
    let write = ["sh", "-c", "echo 'kept' > /data/file"];
    run(&sim, "6e82d5f1c01e87", &write).await;
    let sums = ["sh", "-c", "cd /data && find . -type f -exec sha256sum {} + | sort"];
    let before = run(&sim, "6e82d5f1c01e87", &sums).await;
    assert!(before.contains("./file"));
    assert_eq!(post(&sim, &format!("{VOLUMES}/{DATA}/snapshots"), json!({})).await.status, 200);
    sim.advance(Duration::from_secs(5));
    let snapshots = get(&sim, &format!("{VOLUMES}/{DATA}/snapshots")).await.json();
    for source in [
        json!({ "source_volume_id": DATA }),
        json!({ "snapshot_id": snapshots[0]["id"], "size_gb": 10 }),
    ] {
        let mut body = json!({ "name": "data", "region": "ams" });
        body.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        let copy = post(&sim, VOLUMES, body).await.json();
        let machine =
            post(&sim, MACHINES, mounting(copy["id"].as_str().unwrap(), "ams")).await.json();
        sim.advance(Duration::from_secs(5));
        assert_eq!(run(&sim, machine["id"].as_str().unwrap(), &sums).await, before, "{source}");
    }
    let empty = post(&sim, VOLUMES, json!({ "name": "data", "region": "ams", "size_gb": 1 })).await;
    let empty = empty.json()["id"].as_str().unwrap().to_owned();
    let machine = post(&sim, MACHINES, mounting(&empty, "ams")).await.json();
    sim.advance(Duration::from_secs(5));
    assert_eq!(run(&sim, machine["id"].as_str().unwrap(), &sums).await, "");
    let small =
        json!({ "name": "data", "region": "ams", "snapshot_id": snapshots[0]["id"], "size_gb": 5 });
    assert_eq!(post(&sim, VOLUMES, small).await.status, 400, "a restored volume is not smaller");
}

#[tokio::test]
async fn a_fork_of_a_busy_volume_lacks_what_came_later() {
    let sim = parsed_sim(
        r#"
        settings = { lazy_sync = true }
        [[apps]]
        name = "demo"
        machines = [{ id = "148e21ea7e4389", region = "fra", config = { mounts = [{ volume = "vol_9vle3lw21kmzn6d4", path = "/data" }] } }]
        volumes = [{ id = "vol_9vle3lw21kmzn6d4", name = "data", region = "fra", attached = "148e21ea7e4389", writer = { every = "10s" } }]
        "#,
    )
    .await;
    sim.advance(Duration::from_secs(31));
    let files =
        |id: &str| sim.control("GET", &format!("/_sim/volumes/{id}/files"), json!({})).unwrap();
    assert_eq!(files(DATA)["files"]["journal"], "entry 1\nentry 2\nentry 3\n");
    let fork = json!({ "name": "data", "region": "ams", "source_volume_id": DATA });
    let early = post(&sim, VOLUMES, fork.clone()).await.json();
    assert_eq!(files(early["id"].as_str().unwrap())["files"], json!({}), "nothing was synced");
    post(&sim, &format!("{MACHINES}/148e21ea7e4389/stop"), json!({})).await;
    let last = files(DATA)["files"].clone();
    sim.advance(Duration::from_mins(5));
    assert_eq!(files(DATA)["files"], last, "a stopped Machine writes nothing");
    let late = post(&sim, VOLUMES, fork).await.json();
    assert_eq!(files(late["id"].as_str().unwrap())["files"], last);
}

#[tokio::test]
async fn a_moved_machine_keeps_its_id_and_gets_another_address_and_volume_id() {
    let sim = virtual_sim("healthy").await;
    let before = get(&sim, WORKER).await.json();
    sim.control("POST", "/_sim/machines/6e82d5f1c01e87", json!({ "host_status": "unreachable" }))
        .unwrap();
    let gone = get(&sim, WORKER).await.json();
    assert_eq!((&gone["host_status"], &gone["config"]), (&json!("unreachable"), &Value::Null));
    assert!(gone["incomplete_config"].is_object());
    assert_eq!(post(&sim, &format!("{WORKER}/stop"), json!({})).await.status, 408);
    sim.control("POST", "/_sim/machines/6e82d5f1c01e87", json!({ "migrate": true })).unwrap();
    let after = get(&sim, WORKER).await.json();
    assert_eq!((&after["id"], &after["state"]), (&before["id"], &before["state"]));
    assert_ne!(after["private_ip"], before["private_ip"]);
    let mount = after["config"]["mounts"][0]["volume"].as_str().unwrap();
    assert_ne!(mount, DATA);
    let event = &after["events"][0];
    assert_eq!((&event["type"], &event["source"]), (&json!("launch"), &json!("flyd")));
    assert_eq!(get(&sim, &format!("{VOLUMES}/{DATA}")).await.status, 404);
    let moved = get(&sim, &format!("{VOLUMES}/{mount}")).await.json();
    assert_eq!(moved["attached_machine_id"], "6e82d5f1c01e87");
}

#[tokio::test]
async fn what_happens_by_itself_can_be_made_to_happen() {
    let sim = virtual_sim("healthy").await;
    let one = "/v1/apps/demo/machines/148e21ea7e4389";
    let happen = |body: Value| sim.control("POST", "/_sim/machines/148e21ea7e4389", body);
    happen(json!({ "exit_code": 137, "oom_killed": true })).unwrap();
    let machine = get(&sim, one).await.json();
    assert_eq!(machine["events"][0]["request"]["exit_event"]["oom_killed"], true);
    sim.advance(Duration::from_secs(2));
    assert_eq!(get(&sim, one).await.json()["state"], "started", "the policy starts it again");
    happen(json!({ "check": { "name": "up", "status": "critical", "output": "500" } })).unwrap();
    assert!(get(&sim, one).await.json()["checks"].to_string().contains("critical"));
    happen(json!({ "state": "replacing" })).unwrap();
    assert_eq!(post(&sim, &format!("{one}/start"), json!({})).await.status, 412);
    assert!(happen(json!({ "unknown": 1 })).is_err());
    assert!(sim.control("POST", "/_sim/machines/none", json!({})).is_err());
    assert!(sim.control("POST", "/_sim/regions/zzz", json!({ "machines": 1 })).is_err());
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_fails_or_goes_back() {
    let sim = parsed_sim(
        "behaviors = [{ image = 'gone', unpullable = true }]\napps = [{ name = 'demo' }]",
    )
    .await;
    let new = |image: &str| json!({ "region": "fra", "config": { "image": image } });
    let failed = post(&sim, MACHINES, new("gone")).await.json();
    let path = format!("{MACHINES}/{}", failed["id"].as_str().unwrap());
    assert_eq!(get(&sim, &path).await.json()["state"], "failed");
    let good = post(&sim, MACHINES, new("good")).await.json();
    let path = format!("{MACHINES}/{}", good["id"].as_str().unwrap());
    assert_eq!(post(&sim, &path, new("gone")).await.status, 200, "the update is accepted");
    let after = get(&sim, &path).await.json();
    assert_eq!((&after["state"], &after["config"]["image"]), (&json!("started"), &json!("good")));
    assert_eq!(after["instance_id"], good["instance_id"]);
    assert!(after["events"].to_string().contains("revert"));
}

#[tokio::test]
async fn organizations_without_payment_or_quota_are_refused() {
    let sim = parsed_sim(
        r#"
        orgs = [{ slug = "new", trial = true }, { slug = "small", memory_quota_mb = 500 }]
        apps = [{ name = "demo", org = "new" }, { name = "other", org = "small" }]
        "#,
    )
    .await;
    let new = json!({ "region": "fra", "config": { "image": "x" } });
    for (path, status, text) in [
        (MACHINES, 422, "please add a payment method"),
        (
            "/v1/apps/other/machines",
            403,
            "is using 256 MB of memory in fra which is over the allowed quota",
        ),
    ] {
        assert_eq!(post(&sim, path, new.clone()).await.status, 200);
        let refused = post(&sim, path, new.clone()).await;
        assert_eq!(refused.status, status);
        assert!(refused.json()["error"].as_str().unwrap().contains(text));
    }
}

#[tokio::test]
async fn a_schedule_starts_machines_until_it_is_taken_away() {
    let sim = parsed_sim(
        r#"
        [settings]
        rate_limits = false
        [[apps]]
        name = "demo"
        [[apps.machines]]
        id = "148e21ea7e4301"
        region = "fra"
        state = "stopped"
        config = { schedule = "hourly" }
        "#,
    )
    .await;
    let path = format!("{MACHINES}/148e21ea7e4301");
    let runs = async || {
        let events = get(&sim, &format!("{path}/events")).await.json();
        let fired = |event: &&Value| {
            event["type"] == "start" && event["source"] == "flyd" && event["status"] == "starting"
        };
        events.as_array().unwrap().iter().filter(fired).count()
    };
    for hours in 1..=3 {
        sim.advance(Duration::from_hours(1));
        assert_eq!(get(&sim, &path).await.json()["state"], "starting");
        assert_eq!(runs().await, hours);
        sim.advance(Duration::from_mins(1));
        assert_eq!(get(&sim, &path).await.json()["state"], "stopped", "the run ends by itself");
    }
    let mut config = get(&sim, &path).await.json()["config"].clone();
    config.as_object_mut().unwrap().remove("schedule");
    assert_eq!(
        post(&sim, &path, json!({ "config": config, "skip_launch": true })).await.status,
        200
    );
    sim.advance(Duration::from_hours(3));
    assert_eq!(runs().await, 3);
}

const LITEFS: &str = r#"
[settings]
rate_limits = false
[[apps]]
name = "demo"
[apps.litefs]
write_every = "10s"
[[apps.machines]]
id = "148e21ea7e4301"
region = "fra"
env = { PRIMARY_REGION = "fra" }
config = { mounts = [{ volume = "vol_00000000000000a1", path = "/var/lib/litefs" }] }
[[apps.machines]]
id = "148e21ea7e4302"
region = "ams"
env = { PRIMARY_REGION = "fra" }
config = { mounts = [{ volume = "vol_00000000000000a2", path = "/var/lib/litefs" }] }
[[apps.volumes]]
id = "vol_00000000000000a1"
name = "data"
region = "fra"
attached = "148e21ea7e4301"
files = { "app.db" = "row 1\n" }
[[apps.volumes]]
id = "vol_00000000000000a2"
name = "data"
region = "ams"
attached = "148e21ea7e4302"
files = { "app.db" = "row 1\n" }
"#;

#[tokio::test]
async fn litefs_followers_follow_and_the_primary_is_where_primary_region_says() {
    let sim = parsed_sim(LITEFS).await;
    let (one, two) = ("148e21ea7e4301", "148e21ea7e4302");
    sim.advance(Duration::from_secs(21));
    let position = run(&sim, one, &["cat", "/litefs/app.db-pos"]).await;
    assert!(position.starts_with("0000000000000003/"), "{position}");
    assert_eq!(run(&sim, two, &["cat", "/litefs/app.db-pos"]).await, position);
    assert_eq!(run(&sim, two, &["cat", "/litefs/.primary"]).await, format!("{one}\n"));
    assert_eq!(
        run(&sim, one, &["cat", "/litefs/.primary"]).await,
        "",
        "a primary has no such file"
    );
    // A node that missed writes and then leads: what it lacks is lost, as in LiteFS.
    post(&sim, &format!("{MACHINES}/{two}/stop"), json!({})).await;
    sim.advance(Duration::from_secs(20));
    post(&sim, &format!("{MACHINES}/{one}/stop"), json!({})).await;
    let mut config = get(&sim, &format!("{MACHINES}/{two}")).await.json()["config"].clone();
    config["env"]["PRIMARY_REGION"] = json!("ams");
    post(&sim, &format!("{MACHINES}/{two}"), json!({ "config": config })).await;
    post(&sim, &format!("{MACHINES}/{two}/start"), json!({})).await;
    post(&sim, &format!("{MACHINES}/{one}/start"), json!({})).await;
    sim.advance(Duration::from_secs(5));
    assert_eq!(run(&sim, one, &["cat", "/litefs/.primary"]).await, format!("{two}\n"));
    assert_eq!(
        run(&sim, one, &["cat", "/litefs/app.db"]).await,
        run(&sim, two, &["cat", "/litefs/app.db"]).await
    );
}
