//! What we send against Fly.io's own OpenAPI document: paths, query names, and every field of every body.

use std::collections::BTreeSet;
use std::time::Duration;

use fly_api::{
    Command, ConfigBuilder, LeaseRequest, MetadataChange, NewIp, NewMachine, NewVolume,
    SecretChanges, ServiceBuilder, Stop, UpdateOptions, VolumeSource, Writer,
};
use fly_sim::{Recorded, Sim};
use fly_types::wire::IpKind;
use serde_json::Value;

use crate::{demo, world, writer};

/// Where the document is behind the service, and who says so.
const DIFFERENCES: &[(&str, &str)] = &[
    ("POST /apps ?wait", "superfly/docs machines/api/apps-resource"),
    ("DELETE /apps/{} ?force", "superfly/docs machines/api/apps-resource"),
    (
        "POST /apps/{}/machines/{} config.services[].autostop has the wrong type",
        "answers hold a bool, which superfly/fly-go reads and writes as well; an update sends back what was read",
    ),
];

fn document() -> Value {
    serde_json::from_str(include_str!("../../../fly-sim/data/openapi3.json")).unwrap()
}

/// A path with its placeholders emptied.
fn shape(path: &str) -> String {
    let segment = |part: &str| if part.starts_with('{') { "{}" } else { part }.to_owned();
    path.trim_start_matches("/v1").split('/').map(segment).collect::<Vec<_>>().join("/")
}

struct Checker<'a> {
    document: &'a Value,
    problems: BTreeSet<String>,
}

impl Checker<'_> {
    fn request(&mut self, request: &Recorded) {
        let path = shape(request.route.unwrap());
        let title = format!("{} {path}", request.method);
        let paths = self.document["paths"].as_object().unwrap();
        let method = request.method.to_lowercase();
        let Some(operation) = paths.iter().find(|(known, _)| shape(known) == path) else {
            self.problems.insert(format!("{title} is not in the document"));
            return;
        };
        let Some(operation) = operation.1.get(&method) else {
            self.problems.insert(format!("{title} is not in the document"));
            return;
        };
        let declared: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        for (name, _) in &request.query {
            if !declared.contains(&name.as_str()) {
                self.problems.insert(format!("{title} ?{name}"));
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        match (&request.body, schema.is_null()) {
            (Some(body), false) => self.value(&title, "", schema, body),
            (Some(body), true) if body.is_object() => {
                self.problems.insert(format!("{title} has no body in the document"));
            }
            _ => {}
        }
    }

    fn value(&mut self, title: &str, at: &str, schema: &Value, value: &Value) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            let schema = self.document["components"]["schemas"][name].clone();
            return self.value(title, at, &schema, value);
        }
        if let Some(all) = schema["allOf"].as_array() {
            for schema in all.clone() {
                self.value(title, at, &schema, value);
            }
            return;
        }
        // A null is "not given" for the service, whatever the type.
        let wrong = match schema["type"].as_str() {
            _ if value.is_null() => false,
            Some("string") => !value.is_string(),
            Some("integer") => !value.is_i64(),
            Some("number") => !value.is_number(),
            Some("boolean") => !value.is_boolean(),
            Some("array") => !value.is_array(),
            Some("object") => !value.is_object(),
            _ => false,
        };
        if wrong {
            self.problems.insert(format!("{title} {at} has the wrong type"));
            return;
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            self.problems.insert(format!("{title} {at} has an undocumented value"));
        }
        for item in value.as_array().into_iter().flatten() {
            self.value(title, &format!("{at}[]"), &schema["items"], item);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            match (schema["properties"].get(key), schema.get("additionalProperties")) {
                (Some(schema), _) | (None, Some(schema)) => self.value(title, &at, schema, value),
                (None, None) if schema.get("properties").is_none() => {}
                (None, None) => {
                    self.problems.insert(format!("{title} {at}"));
                }
            }
        }
    }
}

/// Every change once, with everything that can be said.
async fn everything(writer: &Writer) {
    let app = demo();
    let name = "brand-new".parse().unwrap();
    writer.create_app(&name, &"personal".parse().unwrap(), Some("net")).await.unwrap();
    writer.delete_app(&name, true).await.unwrap();
    let config = ConfigBuilder::new("nginx:alpine".parse().unwrap())
        .service(
            ServiceBuilder::web(8080)
                .autostop(fly_types::wire::Autostop::Suspend)
                .min_machines(1)
                .limits("requests", 10, 20)
                .check(fly_api::CheckBuilder::http("/healthz")),
        )
        .check("up", fly_api::CheckBuilder::tcp().port(8080))
        .env("A", "1")
        .process_group("app")
        .command(["nginx"])
        .restart(fly_types::wire::RestartPolicy::Always)
        .stop(Some("SIGTERM"), Duration::from_secs(30))
        .build()
        .unwrap();
    let new = NewMachine {
        name: Some("contract".to_owned()),
        regions: vec!["fra".parse().unwrap(), "ams".parse().unwrap()],
        config,
        cordoned: true,
        skip_secrets: true,
        min_secrets_version: Some(0),
        lease_ttl: Some(Duration::from_secs(5)),
        ..NewMachine::default()
    };
    let made = writer.create_machine(&app, &new).await.unwrap();
    let id = made.machine.id.clone();
    let leased = writer.machine(&app, &id).with_nonce(made.nonce().unwrap().clone());
    leased.stop(&Stop::default()).await.ok();
    leased.destroy(true).await.unwrap();

    let id = "148e21ea7e4389".parse().unwrap();
    let machine = writer.machine(&app, &id);
    let lease = machine.lease(&LeaseRequest::new("contract")).await.unwrap();
    let machine = machine.under(&lease);
    let options = UpdateOptions {
        skip_launch: true,
        cordoned: true,
        skip_secrets: true,
        min_secrets_version: Some(0),
        ..UpdateOptions::default()
    };
    let command = Command { timeout: Some(Duration::from_secs(5)), ..Command::new(["echo", "hi"]) };
    machine.exec(&command).await.unwrap();
    machine.signal("SIGHUP").await.unwrap();
    machine.cordon().await.unwrap();
    machine.uncordon().await.unwrap();
    machine.set_metadata("k", "v").await.unwrap();
    machine.patch_metadata(&MetadataChange::default().set("a", "b").remove("k")).await.unwrap();
    machine.delete_metadata("a").await.unwrap();
    let stop = Stop { signal: Some("SIGTERM".to_owned()), timeout: Some(Duration::from_secs(3)) };
    machine.restart(&stop).await.unwrap();
    machine.stop(&stop).await.ok();
    machine.start().await.ok();
    machine.suspend().await.ok();
    machine.update(&options, |config| config.image = "nginx:1".to_owned().into()).await.ok();
    lease.release().await.unwrap();

    let volume = "vol_9vle3lw21kmzn6d4".parse().unwrap();
    let fork = NewVolume {
        source: VolumeSource::Fork(volume),
        size_gb: Some(10),
        encrypted: Some(true),
        fstype: Some("ext4".to_owned()),
        require_unique_zone: Some(false),
        unique_zone_app_wide: Some(false),
        snapshot_retention: Some(7),
        auto_backup: Some(true),
        compute: Some(fly_types::size::Size::smallest().to_guest()),
        compute_image: Some("nginx:alpine".to_owned()),
        ..NewVolume::new("copy", "ams".parse().unwrap())
    };
    let made = writer.create_volume(&app, &fork).await.unwrap().volume.id;
    writer.update_volume(&app, &made, Some(3), Some(false)).await.unwrap();
    writer.extend_volume(&app, &made, 20).await.unwrap();
    writer.create_snapshot(&app, &made).await.unwrap();
    writer.delete_volume(&app, &made).await.unwrap();

    let changes = SecretChanges::default().set("A", "b".to_owned().into()).unset("SECRET_KEY_BASE");
    writer.change_secrets(&app, &changes).await.unwrap();
    writer.request_certificate(&app, "shop.example.com").await.unwrap();
    writer.check_certificate(&app, "shop.example.com").await.unwrap();
    writer.delete_certificate(&app, "shop.example.com").await.unwrap();
    let ip = NewIp { org: Some("personal".parse().unwrap()), ..NewIp::new(IpKind::V4) };
    let ip = writer.allocate_ip(&app, &ip).await.unwrap().assignment;
    writer.release_ip(&app, &ip.ip.text().unwrap().parse().unwrap()).await.unwrap();
    writer.create_deploy_token(&app, "24h").await.unwrap();
}

fn changes(sim: &Sim) -> Vec<Recorded> {
    let all = sim.requests().into_iter();
    all.filter(|request| request.method != "GET" && request.route.is_some_and(|r| r != "/graphql"))
        .collect()
}

#[tokio::test]
async fn every_change_is_as_documented() {
    let (sim, client) = world("healthy").await;
    everything(&writer(&client)).await;
    let document = document();
    let mut checker = Checker { document: &document, problems: BTreeSet::new() };
    let sent = changes(&sim);
    for request in &sent {
        checker.request(request);
    }
    let operations: BTreeSet<String> = sent
        .iter()
        .map(|request| format!("{} {}", request.method, request.route.unwrap()))
        .collect();
    assert!(operations.len() >= 30, "{operations:#?}");
    let known: BTreeSet<String> = DIFFERENCES.iter().map(|(what, _)| (*what).to_owned()).collect();
    assert_eq!(checker.problems, known, "differences that no reference explains, or that are gone");
}
