//! Configurations change without losing what was not touched, and never over somebody else's change.

use fly_api::{MachineFilter, Reason, UpdateOptions};
use fly_sim::Variants;
use fly_types::MachineId;
use fly_types::wire::MachineConfig;

use crate::{arrived, demo, fault, start, with_extra, world, writer};

const ONE: &str = "/v1/apps/{app}/machines/{machine}";

fn web() -> MachineId {
    "148e21ea7e4389".parse().unwrap()
}

fn env(config: &mut MachineConfig, key: &str, value: &str) {
    config.env.get_mut().unwrap().expose_mut().insert(key.to_owned(), value.to_owned());
}

const STRANGE: &str = r#"
[[apps]]
name = "strange"
[[apps.machines]]
id = "aa8e21ea7e4389"
region = "fra"
env = { A = "1" }
config = { brand_new = { deep = [1, 2] }, services = [{ protocol = "tcp", internal_port = 80, novelty = true, autostop = "stop" }], checks = { up = { type = "tcp", port = 80, interval = "15s" } } }
"#;

#[tokio::test]
async fn fields_that_nobody_knows_survive() {
    for seed in 0..4 {
        let (sim, client) = start("healthy", STRANGE, Variants::from_seed(seed)).await;
        let app = "strange".parse().unwrap();
        let id: MachineId = "aa8e21ea7e4389".parse().unwrap();
        let writer = writer(&client);
        let done = writer
            .machine(&app, &id)
            .update(&UpdateOptions::default(), |config| env(config, "B", "2"))
            .await
            .unwrap();
        assert!(!done.unchanged);
        assert_ne!(done.from_version.as_deref(), done.machine.version());
        let sent = arrived(&sim, "POST", ONE)[0].body.clone().unwrap();
        let config = &sent["config"];
        assert_eq!(config["brand_new"]["deep"], serde_json::json!([1, 2]));
        assert_eq!(config["services"][0]["novelty"], true);
        assert_eq!(config["checks"]["up"]["interval"], "15s");
        assert_eq!(config["env"], serde_json::json!({ "A": "1", "B": "2" }));
        assert_eq!(sent["current_version"].as_str(), done.from_version.as_deref());
    }
}

#[tokio::test]
async fn nothing_changed_nothing_sent() {
    let (sim, client) = world("healthy").await;
    let writer = writer(&client);
    let app = demo();
    let id = web();
    let done = writer.machine(&app, &id).update(&UpdateOptions::default(), |_| ()).await.unwrap();
    assert!(done.unchanged);
    assert!(arrived(&sim, "POST", ONE).is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    for effect in ["lost_reply", "garbage"] {
        let rest = format!("effect = \"{effect}\"\ncount = 1");
        let extra = fault("POST", "/v1/apps/*/machines/*", &rest);
        let (_sim, client) = with_extra("healthy", &extra).await;
        let writer = writer(&client);
        let (app, id) = (demo(), web());
        let before = client.machine_versions(&app, &id).await.unwrap().value.len();
        let done = writer
            .machine(&app, &id)
            .update(&UpdateOptions::default(), |config| env(config, "B", "2"))
            .await
            .unwrap();
        assert_eq!(done.machine.config.get().unwrap().env.get().unwrap().expose()["B"], "2");
        let after = client.machine_versions(&app, &id).await.unwrap().value.len();
        assert_eq!(after, before + 1, "{effect}: one new version");
    }
}

#[tokio::test]
async fn somebody_elses_change_is_kept_or_refused() {
    let concurrent = "effect = \"status\"\nstatus = 409\nbody = '{\"error\":\"aborted: machine update failed due to concurrent update\"}'\ncount = 1";
    let extra = fault("POST", "/v1/apps/*/machines/*", concurrent);
    let (sim, client) = with_extra("healthy", &extra).await;
    let writer = writer(&client);
    let (app, id) = (demo(), web());
    let machine = writer.machine(&app, &id);
    let mut rounds = 0;
    let done = machine
        .update(&UpdateOptions::default(), |config| {
            rounds += 1;
            env(config, "B", "2");
        })
        .await
        .unwrap();
    assert_eq!(rounds, 2, "made anew from what is there now");
    assert_eq!(arrived(&sim, "POST", ONE).len(), 2);

    let old = UpdateOptions { expect_version: done.from_version, ..UpdateOptions::default() };
    let error = machine.update(&old, |config| env(config, "C", "3")).await.unwrap_err();
    let Reason::VersionConflict { expected, found } = &error.reason else { panic!("{error}") };
    assert_eq!(
        (expected.as_ref(), found.as_deref()),
        (old.expect_version.as_ref(), done.machine.version())
    );
    assert_eq!(arrived(&sim, "POST", ONE).len(), 2, "refused before sending");
}

#[tokio::test]
async fn two_writers_at_once_lose_nothing() {
    let (_sim, client) = world("healthy").await;
    let writer = writer(&client);
    let (app, id) = (demo(), web());
    let machine = writer.machine(&app, &id);
    let options = UpdateOptions::default();
    let (one, two) = tokio::join!(
        machine.update(&options, |config| env(config, "ONE", "1")),
        machine.update(&options, |config| env(config, "TWO", "2")),
    );
    one.unwrap();
    two.unwrap();
    let now = client.machine(&app, &id).await.unwrap().value;
    let env = now.config.get().unwrap().env.get().unwrap().expose().clone();
    assert_eq!((env["ONE"].as_str(), env["TWO"].as_str()), ("1", "2"));
}

#[tokio::test]
async fn half_a_configuration_is_never_written_back() {
    let (sim, client) = world("host-unreachable").await;
    let app = demo();
    let machines = client.machines(&app, &MachineFilter::default()).await.unwrap().value;
    let lost = machines.iter().find(|machine| machine.config.get().is_none()).unwrap();
    let writer = writer(&client);
    let machine = writer.machine(&app, &lost.id);
    let options = UpdateOptions::default();
    let error = machine.update(&options, |config| config.image = "x".to_owned().into());
    assert_eq!(error.await.unwrap_err().reason, Reason::IncompleteConfig);
    assert!(arrived(&sim, "POST", ONE).is_empty());
}
