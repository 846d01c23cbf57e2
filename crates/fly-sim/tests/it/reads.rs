//! The reading side over HTTP: bodies, headers, errors, authentication, limits, pages, waits.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{call, get, parsed_sim, send, virtual_sim};

#[tokio::test]
async fn a_machine_is_served_as_the_platform_does() {
    let sim = virtual_sim("oom").await;
    let answer = get(&sim, "/v1/apps/demo/machines/148e21ea7e4389").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let request_id = answer.header("fly-request-id").unwrap();
    assert!(request_id.ends_with("-fra") && request_id.len() == 30, "{request_id}");
    let machine = answer.json();
    assert_eq!(machine["host_status"], "ok");
    assert_eq!(machine["config"]["services"][0]["autostop"], true, "answered as a boolean");
    assert_eq!(machine["checks"][0]["status"], "passing");
    assert!(machine.get("nonce").is_none());
    let exit = machine["events"].as_array().unwrap().iter().find(|event| event["type"] == "exit");
    assert_eq!(exit.unwrap()["request"]["exit_event"]["oom_killed"], true);
    let stamps: Vec<i64> = machine["events"].as_array().unwrap().iter().map(stamp).collect();
    assert!(stamps.is_sorted_by(|a, b| a >= b), "newest first");
    let events = get(&sim, "/v1/apps/demo/machines/148e21ea7e4389/events?limit=50").await.json();
    assert!(events.as_array().unwrap().len() > stamps.len(), "the body holds the last few only");
}

fn stamp(event: &Value) -> i64 {
    event["timestamp"].as_i64().unwrap()
}

#[tokio::test]
async fn errors_have_the_platforms_words_and_a_request_id() {
    let sim = virtual_sim("healthy").await;
    for (path, status, body) in [
        ("/v1/apps/nope", 404, json!({ "error": "app not found" })),
        ("/v1/apps/demo/machines/0000", 404, json!({ "error": "not_found: machine not found" })),
        ("/v1/apps/demo/machines/148e21ea7e4389/lease", 404, json!({ "error": "lease not found" })),
        ("/api/v1/apps/nope/logs", 401, json!({ "error": "unauthorized" })),
    ] {
        let answer = get(&sim, path).await;
        assert_eq!((answer.status, answer.json()), (status, body), "{path}");
        assert!(answer.header("fly-request-id").is_some(), "{path}");
    }
    assert_eq!(get(&sim, "/v1/apps").await.status, 400, "org_slug is required");
    let unknown = get(&sim, "/v1/everything").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.header("content-type"), Some("text/plain; charset=utf-8"));
    for path in ["/v1/apps/../../etc", "/v1/apps/%2e%2e", "/v1//apps", "/v1/apps/a%2Fb/machines"] {
        assert_eq!(get(&sim, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn tokens_of_the_world_have_scopes() {
    let sim = parsed_sim(
        r#"
        orgs = [{ slug = "acme" }, { slug = "other" }]
        tokens = [
            { value = "FlyV1 fm2_one", org = "acme", apps = ["web"] },
            { value = "fo1_org", org = "acme", access = "read" },
            { value = "fo1_old", org = "acme", access = "expired" },
        ]
        apps = [{ name = "web", org = "acme" }, { name = "db", org = "acme" }, { name = "x", org = "other" }]
        "#,
    )
    .await;
    for (token, path, status) in [
        ("FlyV1 fm2_one", "/v1/apps/web", 200),
        ("Bearer FlyV1 fm2_one", "/v1/apps/web", 200),
        ("FlyV1 fm2_one", "/v1/apps/db", 403),
        ("FlyV1 fm2_one", "/v1/apps?org_slug=acme", 403),
        ("Bearer fo1_org", "/v1/apps/db", 200),
        ("Bearer fo1_org", "/v1/apps?org_slug=acme", 200),
        ("Bearer fo1_org", "/v1/apps/x", 403),
        ("Bearer fo1_old", "/v1/apps/web", 401),
        ("Bearer nobody", "/v1/apps/web", 401),
        ("Bearer", "/v1/tokens/current", 401),
        ("FlyV1 fm2_one", "/api/v1/apps/db/logs", 401),
        ("FlyV1 fm2_one", "/api/v1/apps/web/logs", 200),
    ] {
        let answer = send(&sim, "GET", path, &[("authorization", token)], None).await.unwrap();
        assert_eq!(answer.status, status, "{token} {path}");
    }
    let current =
        send(&sim, "GET", "/v1/tokens/current", &[("authorization", "FlyV1 fm2_one")], None);
    let token = &current.await.unwrap().json()["tokens"][0];
    assert_eq!((&token["org_slug"], &token["apps"]), (&json!("acme"), &json!(["web"])));
    let recorded = serde_json::to_string(&sim.requests()).unwrap();
    assert!(!recorded.contains("fm2_one") && !recorded.contains("fo1_org"), "no credentials kept");
}

#[tokio::test]
async fn the_rate_limit_is_per_action_and_id() {
    let sim = virtual_sim("healthy").await;
    let list = "/v1/apps/demo/volumes";
    let seen =
        [get(&sim, list).await.status, get(&sim, list).await.status, get(&sim, list).await.status];
    assert_eq!(seen, [200; 3]);
    let refused = get(&sim, list).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json(), json!({ "error": "resource_exhausted: rate limit exceeded" }));
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(get(&sim, "/v1/apps/demo/machines").await.status, 200, "another action");
    sim.advance(Duration::from_secs(1));
    assert_eq!(get(&sim, list).await.status, 200);
    let machine = "/v1/apps/demo/machines/148e21ea7e4389";
    for n in 0..10 {
        assert_eq!(get(&sim, machine).await.status, 200, "call {n}");
    }
    assert_eq!(get(&sim, machine).await.status, 429);
}

#[tokio::test]
async fn lists_filter_and_page() {
    let sim = virtual_sim("healthy-noisy").await;
    for (query, count) in [
        ("", 3),
        ("?region=iad", 1),
        ("?region=iad,fra&state=started", 2),
        ("?metadata.fly_process_group=worker", 1),
        ("?metadata.fly_process_group=none", 0),
    ] {
        sim.advance(Duration::from_secs(1));
        let list = get(&sim, &format!("/v1/apps/demo/machines{query}")).await.json();
        assert_eq!(list.as_array().unwrap().len(), count, "{query}");
    }
    let summary = get(&sim, "/v1/apps/demo/machines?summary=true").await.json();
    for key in ["config", "checks", "events", "host_status", "nonce"] {
        assert!(summary[0].get(key).is_none(), "{key}");
    }
    let (mut cursor, mut ids) = (String::new(), Vec::new());
    loop {
        sim.advance(Duration::from_secs(1));
        let path = format!("/v1/orgs/personal/machines?limit=2&cursor={cursor}");
        let page = get(&sim, &path).await.json();
        ids.extend(page["machines"].as_array().unwrap().iter().map(|m| m["id"].to_string()));
        page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn waiting_follows_the_rules() {
    let sim = virtual_sim("none-started").await;
    let wait = |query: &str| format!("/v1/apps/demo/machines/148e21ea7e4389/wait?{query}");
    let done = get(&sim, &wait("state=started&state=stopped")).await;
    assert_eq!(done.status, 200);
    assert_eq!(done.json()["state"], "stopped");
    let event = done.json()["event_id"].as_str().unwrap().to_owned();
    for query in ["timeout=0", "timeout=61", "timeout=30s", "state=sleeping"] {
        sim.advance(Duration::from_secs(1));
        let refused = get(&sim, &wait(query)).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.json()["error"].as_str().unwrap().starts_with("invalid_argument"));
    }
    let before = sim.now();
    let late = get(&sim, &wait("state=started&timeout=60")).await;
    assert_eq!(late.status, 408);
    assert_eq!(
        late.json()["error"],
        "deadline_exceeded: machine failed to reach desired state, started, currently stopped"
    );
    assert_eq!(sim.now().duration_since(before).as_secs(), 60, "no real time passes");
    let again = get(&sim, &wait(&format!("state=stopped&timeout=1&from_event_id={event}"))).await;
    assert_eq!(again.status, 408, "only what happens after the event counts");
}

#[tokio::test]
async fn logs_are_read_to_the_end() {
    let sim = virtual_sim("oom").await;
    let first = get(&sim, "/api/v1/apps/demo/logs?next_token=").await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 100);
    let attributes = &first["data"][0]["attributes"];
    for key in ["timestamp", "message", "level", "instance", "region", "meta"] {
        assert!(attributes.get(key).is_some(), "{key}");
    }
    let (mut token, mut count, mut kills) = ("0".to_owned(), 0, 0);
    loop {
        let page = get(&sim, &format!("/api/v1/apps/demo/logs?next_token={token}")).await.json();
        let records = page["data"].as_array().unwrap();
        if records.is_empty() {
            assert_eq!(page["meta"]["next_token"], token.as_str(), "the old token is kept");
            break;
        }
        count += records.len();
        let message = |record: &&Value| record["attributes"]["message"].to_string();
        kills += records.iter().filter(|r| message(r).contains("Out of memory: Killed")).count();
        page["meta"]["next_token"].as_str().unwrap().clone_into(&mut token);
    }
    // 600 generated, six lines for each of three kills, and the worker's.
    assert_eq!((count, kills), (619, 3));
    let of_one = get(&sim, "/api/v1/apps/demo/logs?instance=6e82d5f1c01e87").await.json();
    assert_eq!(of_one["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn incidents_and_status_agree() {
    let sim = virtual_sim("platform-incident").await;
    let incidents = get(&sim, "/v1/incidents").await.json();
    assert_eq!(incidents["incidents"][0]["components"][1]["name"], "FRA - Frankfurt, Germany");
    assert_eq!(get(&sim, "/api/v2/status.json").await.json()["status"]["indicator"], "major");
    let summary = get(&sim, "/api/v2/summary.json").await.json();
    assert_eq!(summary["incidents"][0]["incident_updates"][0]["status"], "identified");
    let quiet = virtual_sim("healthy-noisy").await;
    assert_eq!(get(&quiet, "/v1/incidents").await.json(), json!({ "incidents": [] }));
    assert_eq!(get(&quiet, "/api/v2/status.json").await.json()["status"]["indicator"], "none");
}

#[tokio::test]
async fn big_bodies_are_refused_without_effect() {
    let sim = virtual_sim("healthy").await;
    let body = json!({ "query": "x".repeat(1 << 20) });
    assert_eq!(call(&sim, "POST", "/graphql", body).await.status, 413);
    assert_eq!(call(&sim, "POST", "/graphql", json!([1, 2])).await.status, 400);
}

#[tokio::test]
async fn other_addresses_need_permission() {
    let options =
        fly_sim::Options { address: "0.0.0.0:0".parse().unwrap(), ..fly_sim::Options::default() };
    let world = fly_sim::World::named("healthy").unwrap();
    let error = fly_sim::Sim::start(world, options).await.unwrap_err();
    assert!(matches!(error, fly_sim::StartError::NotLoopback(_)), "{error}");
}

#[tokio::test]
async fn an_unreachable_host_leaves_an_incomplete_machine() {
    let sim = virtual_sim("host-unreachable").await;
    let path = "/v1/apps/demo/machines/148e21ea7e4389";
    let machine = get(&sim, path).await.json();
    assert_eq!(machine["host_status"], "unreachable");
    assert_eq!(machine["config"], Value::Null);
    assert!(machine["incomplete_config"]["guest"].is_object());
    assert!(machine["incomplete_config"].get("env").is_none(), "part of it is lost");
    for (method, rest) in [("POST", "/stop"), ("GET", "/ps"), ("POST", "/start")] {
        let answer = send(&sim, method, &format!("{path}{rest}"), &[], None).await.unwrap();
        assert_eq!(answer.status, 408, "{method} {rest}");
    }
    let forced = send(&sim, "DELETE", &format!("{path}?force=true"), &[], None).await.unwrap();
    assert_eq!(forced.status, 200, "the way out stays open");
}

#[tokio::test]
async fn an_expired_token_is_refused_everywhere_but_on_public_pages() {
    let sim = virtual_sim("token-expired").await;
    let token = [("authorization", "FlyV1 fm2_expired_for_the_simulation")];
    for (path, status) in [
        ("/v1/apps/demo", 401),
        ("/v1/tokens/current", 401),
        ("/api/v1/apps/demo/logs", 401),
        ("/api/v1/organizations", 401),
        ("/v1/incidents", 200),
        ("/api/v2/status.json", 200),
    ] {
        let answer = send(&sim, "GET", path, &token, None).await.unwrap();
        assert_eq!(answer.status, status, "{path}");
    }
}
