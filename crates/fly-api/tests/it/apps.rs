//! Apps and what belongs to them as a whole.

use std::time::Duration;

use fly_api::{Reason, SecretChanges};
use fly_types::{AppName, OrgSlug};
use futures_util::future::join_all;
use serde_json::json;

use crate::{arrived, demo, fault, with_extra, world, writer};

fn personal() -> OrgSlug {
    "personal".parse().unwrap()
}

#[tokio::test]
async fn an_app_is_made_once_and_deleted() {
    let name: AppName = "brand-new".parse().unwrap();
    let cases = [
        "effect = \"latency\"\ndelay = \"1ms\"",
        "effect = \"lost_reply\"\ncount = 1",
        "effect = \"status\"\nstatus = 502\ncount = 1",
        "effect = \"status\"\nstatus = 429\ncount = 1",
    ];
    let name = &name;
    join_all(cases.map(|rest| async move {
        let (_sim, client) = with_extra("healthy", &fault("POST", "/v1/apps", rest)).await;
        let writer = writer(&client).look_for(Duration::from_secs(2));
        let app = writer.create_app(name, &personal(), None).await.unwrap().value;
        assert_eq!(app.name, *name, "{rest}");
        let error = writer.create_app(name, &personal(), None).await.unwrap_err();
        assert_eq!(error.reason, Reason::NameTaken { by: None });
        writer.delete_app(name, true).await.unwrap();
        writer.delete_app(name, true).await.unwrap();
        assert!(client.app(name).await.unwrap_err().is_not_found());
    }))
    .await;
}

#[tokio::test]
async fn secrets_are_set_and_never_printed() {
    let (sim, client) = with_extra(
        "healthy",
        &fault("POST", "/v1/apps/*/secrets", "effect = \"lost_reply\"\ncount = 1"),
    )
    .await;
    let (writer, app) = (writer(&client), demo());
    let changes = SecretChanges::default()
        .set("API_KEY", "hunter2-hunter2".to_owned().into())
        .unset("SECRET_KEY_BASE");
    assert!(!format!("{changes:?}").contains("hunter2"));
    let done = writer.change_secrets(&app, &changes).await.unwrap();
    assert!(done.value.version.copied().is_some());
    assert!(!format!("{done:?}").contains("hunter2"));
    let sent = arrived(&sim, "POST", "/v1/apps/{app}/secrets").pop().unwrap().body.unwrap();
    assert_eq!(sent["values"], json!({ "API_KEY": "hunter2-hunter2", "SECRET_KEY_BASE": null }));
    let names = client.secrets(&app).await.unwrap().value;
    let names: Vec<&str> =
        names.secrets.items().iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(names, ["API_KEY", "DATABASE_URL"]);
    writer.unset_secret(&app, "API_KEY").await.unwrap();
    writer.unset_secret(&app, "API_KEY").await.unwrap();
}

#[tokio::test]
async fn certificates_come_and_go() {
    let path = "/v1/apps/*/certificates/acme";
    let (_sim, client) =
        with_extra("healthy", &fault("POST", path, "effect = \"lost_reply\"\ncount = 1")).await;
    let (writer, app) = (writer(&client), demo());
    let host = "*.shop.example.com";
    let made = writer.request_certificate(&app, host).await.unwrap().value;
    assert_eq!(made.hostname, host);
    writer.check_certificate(&app, host).await.unwrap();
    writer.delete_certificate(&app, host).await.unwrap();
    writer.delete_certificate(&app, host).await.unwrap();
    let error = writer.request_certificate(&app, "no dots").await.unwrap_err();
    assert!(matches!(error.reason, Reason::Invalid(_)), "{error}");
}

#[tokio::test]
async fn tokens_are_made_and_never_printed() {
    let (_sim, client) = world("healthy").await;
    let (writer, app) = (writer(&client), demo());
    let token = writer.create_deploy_token(&app, "24h").await.unwrap();
    assert!(!format!("{token:?}").contains("fm2_"));
    let node = client.graphql_app(&app).await.unwrap().value;
    let org = node.organization.get().unwrap().id.text().unwrap().to_owned();
    let made = writer
        .create_limited_token(&org, "ci", "deploy_organization", &json!({}), "24h")
        .await
        .unwrap();
    writer.delete_limited_token(made.id.as_deref().unwrap()).await.unwrap();
    let error = writer
        .create_limited_token("nobody", "ci", "deploy_organization", &json!({}), "24h")
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
}

#[tokio::test]
async fn the_hello_world_example() {
    let (_sim, client) = world("healthy").await;
    let name: AppName = "my-hello".parse().unwrap();
    let region = "nrt".parse().unwrap();
    let said =
        crate::hello_world::hello(&writer(&client), &name, &personal(), region).await.unwrap();
    assert!(said[0].starts_with("Machine ") && said[0].ends_with(" started in nrt"), "{said:?}");
    assert!(client.app(&name).await.unwrap_err().is_not_found(), "nothing is left over");
}
