//! GraphQL as clients send it: anonymous, with aliases, fragments and undeclared variables.

use fly_sim::Sim;
use serde_json::{Value, json};

use crate::client::{call, send, virtual_sim};

async fn ask(sim: &Sim, query: &str, variables: Value) -> Value {
    let answer =
        call(sim, "POST", "/graphql", json!({ "query": query, "variables": variables })).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

#[tokio::test]
async fn aliases_fragments_and_undeclared_variables() {
    let sim = virtual_sim("crash-loop").await;
    let query = "query($appName: String!) { appcompact:app(name: $appName) { id name \
        organization { slug internalNumericId } internalNumericId postgresAppRole: role { name } \
        releases: releasesUnprocessed(first: $limit, status: $status) { nodes { version status } } \
        ...More } } fragment More on App { currentRelease: currentReleaseUnprocessed { version } }";
    let answer = ask(&sim, query, json!({ "appName": "demo", "limit": 1, "extra": true })).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    let app = &answer["data"]["appcompact"];
    assert_eq!(app["postgresAppRole"], Value::Null);
    assert_eq!(app["releases"]["nodes"], json!([{ "version": 13, "status": "failed" }]));
    assert_eq!(app["currentRelease"]["version"], 13);
    assert!(app["internalNumericId"].is_i64());
    assert!(app["organization"]["internalNumericId"].is_string());
}

#[tokio::test]
async fn viewers_and_conditions() {
    let sim = virtual_sim("healthy").await;
    let query = "{ viewer { __typename ... on User { id email } ... on Macaroon { email secret } } \
        platform { requestRegion regions @skip(if: true) { code } } }";
    let answer = ask(&sim, query, json!({})).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    assert_eq!(answer["data"]["viewer"]["__typename"], "User");
    assert_eq!(answer["data"]["platform"], json!({ "requestRegion": "fra" }));
}

#[tokio::test]
async fn errors_come_with_status_200() {
    let sim = virtual_sim("healthy").await;
    let missing = ask(&sim, "{ app(name: \"nope\") { id } }", json!({})).await;
    assert_eq!(missing["errors"][0]["message"], "Could not find App");
    assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(missing["errors"][0]["path"], json!(["app"]));
    let unknown = ask(&sim, "{ app(name: \"demo\") { id color } }", json!({})).await;
    assert_eq!(unknown["errors"][0]["message"], "Field 'color' doesn't exist on type 'App'");
    let broken = ask(&sim, "{ app(", json!({})).await;
    assert!(broken["errors"][0]["message"].as_str().unwrap().starts_with("Parse error"));
    let image = ask(&sim, "{ latestImageDetails(image: \"x:1\") { tag } }", json!({})).await;
    assert!(image["errors"][0]["message"].as_str().unwrap().contains("Unknown repository"));
    let body = json!({ "query": "{ viewer { id } }" }).to_string();
    let nobody =
        send(&sim, "POST", "/graphql", &[("authorization", "")], Some(body)).await.unwrap();
    assert_eq!(nobody.status, 200);
    assert_eq!(nobody.json()["errors"][0]["extensions"]["code"], "UNAUTHORIZED");
    let deep = format!("{}{}", "{ a ".repeat(60), "}".repeat(60));
    assert!(ask(&sim, &deep, json!({})).await.get("errors").is_some());
    let circle =
        "{ app(name: \"demo\") { ...A } } fragment A on App { id ...B } fragment B on App { ...A }";
    let answer = ask(&sim, circle, json!({})).await;
    assert_eq!(answer["errors"][0]["message"], "query is nested too deeply");
    assert_eq!(answer["errors"][0]["path"], json!(["app"]));
}
