//! Scripted faults, as a client sees them.

use std::time::Duration;

use serde_json::json;

use crate::client::{call, get, parsed_sim, send};

const WORLD: &str = r#"
    [[apps]]
    name = "demo"
    [[apps.machines]]
    id = "148e21ea7e4389"
    region = "fra"
    [[faults]]
    name = "slow"
    path = "/v1/apps/*"
    effect = "latency"
    delay = "30s"
    on = false
    [[faults]]
    path = "/v1/apps/*/machines"
    effect = "status"
    status = 503
    retry_after = 7
    from = 2
    count = 1
    [[faults]]
    path = "/v1/apps/*/volumes"
    effect = "cut_body"
    after = 1
    [[faults]]
    path = "/v1/apps/*/secrets"
    effect = "garbage"
    [[faults]]
    path = "/v1/platform/regions"
    effect = "refuse"
    [[faults]]
    path = "/graphql"
    graphql = "allocateIpAddress"
    effect = "lost_reply"
    count = 1
"#;

#[tokio::test]
async fn faults_hit_the_calls_they_name() {
    let sim = parsed_sim(WORLD).await;
    let machines = "/v1/apps/demo/machines";
    assert_eq!(get(&sim, machines).await.status, 200);
    let hit = get(&sim, machines).await;
    assert_eq!((hit.status, hit.header("retry-after")), (503, Some("7")));
    assert_eq!(get(&sim, machines).await.status, 200);

    let cut = get(&sim, "/v1/apps/demo/volumes").await;
    assert_eq!((cut.status, cut.body.len(), cut.complete), (200, 1, false));
    let garbage = get(&sim, "/v1/apps/demo/secrets").await;
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&garbage.body).is_err());
    assert!(send(&sim, "GET", "/v1/platform/regions", &[], None).await.is_none());

    let before = sim.now();
    assert!(sim.switch_fault("slow", true));
    get(&sim, "/v1/apps/demo").await;
    assert_eq!(sim.now().duration_since(before).as_secs(), 30);
    assert!(!sim.switch_fault("unknown", true));
}

#[tokio::test]
async fn a_lost_reply_has_its_effect() {
    let sim = parsed_sim(WORLD).await;
    let query = "mutation($input: AllocateIPAddressInput!) { allocateIpAddress(input: $input) { ipAddress { address } } }";
    let app = get(&sim, "/v1/apps/demo").await.json()["id"].clone();
    let body = json!({ "query": query, "variables": { "input": { "appId": app, "type": "v6" } } });
    assert!(send(&sim, "POST", "/graphql", &[], Some(body.to_string())).await.is_none());
    let ips = get(&sim, "/v1/apps/demo/ip_assignments").await.json();
    assert_eq!(ips["ips"].as_array().unwrap().len(), 1, "the address was assigned");
    assert_eq!(call(&sim, "POST", "/graphql", body).await.status, 200);
    let lost = sim.requests().into_iter().find(|r| r.path == "/graphql").unwrap();
    assert_eq!(lost.status, None);
    assert!(lost.graphql.contains(&"allocateIpAddress".to_owned()));
}

#[tokio::test]
async fn faults_can_be_added_while_it_runs() {
    let sim = parsed_sim(WORLD).await;
    sim.add_fault("path = '/v1/apps/demo'\neffect = 'status'\nstatus = 502").unwrap();
    let bad = get(&sim, "/v1/apps/demo").await;
    assert_eq!((bad.status, bad.header("content-type")), (502, Some("text/plain; charset=utf-8")));
    assert!(sim.add_fault("path = '/x'\neffect = 'explode'").is_err());
    assert_eq!(call(&sim, "DELETE", "/_sim/faults", json!({})).await.status, 200);
    assert_eq!(get(&sim, "/v1/apps/demo").await.status, 200);
    assert_eq!(
        call(
            &sim,
            "POST",
            "/_sim/faults",
            json!({ "path": "/v1/**", "effect": "hang", "count": 1 })
        )
        .await
        .status,
        200
    );
    let hanging = tokio::time::timeout(Duration::from_millis(200), get(&sim, "/v1/apps/demo"));
    assert!(hanging.await.is_err());
    assert_eq!(get(&sim, "/v1/apps/demo").await.status, 200);
}
