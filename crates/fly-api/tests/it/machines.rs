//! One Machine through its life.

use std::time::Duration;

use fly_api::{Command, MetadataChange, NewMachine, Reason, Stop, WaitFor};
use fly_types::state::MachineState;
use fly_types::wire::MachineConfig;
use futures_util::future::join_all;

use crate::{arrived, demo, fault, start, with_extra, world, writer};

fn reach(state: MachineState) -> WaitFor {
    WaitFor::state(state, Duration::from_secs(20))
}

#[tokio::test]
async fn from_create_to_destroy() {
    join_all([0, 7].map(|seed| async move {
        let (_sim, client) = start("healthy", "", fly_sim::Variants::from_seed(seed)).await;
        let writer = writer(&client);
        let app = demo();
        let config = MachineConfig { image: "nginx".to_owned().into(), ..MachineConfig::default() };
        let new = NewMachine { config, ..NewMachine::default() };
        let id = writer.create_machine(&app, &new).await.unwrap().machine.id;
        let machine = writer.machine(&app, &id);
        let early = machine.start().await.unwrap_err();
        assert!(early.reason.passes(), "{early}");
        client.wait(&app, &id, &reach(MachineState::Started)).await.unwrap();

        machine.cordon().await.unwrap();
        machine.uncordon().await.unwrap();
        let said = machine.exec(&Command::new(["echo", "hi"])).await.unwrap().value;
        assert_eq!(said.stdout.get().unwrap().expose(), "hi\n");
        let failed = machine.exec(&Command::new(["no-such-program"])).await.unwrap().value;
        assert_ne!(failed.exit_code.copied(), Some(0), "a failing command is an answer");
        machine.signal("SIGHUP").await.unwrap();

        machine.set_metadata("role", "canary").await.unwrap();
        let change = MetadataChange::default().set("tier", "web").remove("role");
        machine.patch_metadata(&change).await.unwrap();
        let metadata = client.machine_metadata(&app, &id).await.unwrap().value;
        assert_eq!(metadata.get("tier").map(String::as_str), Some("web"));
        assert!(!metadata.contains_key("role"));
        machine.delete_metadata("tier").await.unwrap();
        let stale =
            MetadataChange::default().set("x", "y").if_version("01J0000000000000000000000A");
        let error = machine.patch_metadata(&stale).await.unwrap_err();
        assert!(matches!(error.reason, Reason::VersionConflict { .. }), "{error}");

        let stop =
            Stop { signal: Some("SIGTERM".to_owned()), timeout: Some(Duration::from_secs(10)) };
        machine.stop(&stop).await.unwrap();
        client.wait(&app, &id, &reach(MachineState::Stopped)).await.unwrap();
        machine.stop(&Stop::default()).await.unwrap();
        machine.start().await.unwrap();
        client.wait(&app, &id, &reach(MachineState::Started)).await.unwrap();
        machine.start().await.unwrap();
        let error = machine.destroy(false).await.unwrap_err();
        assert_eq!(error.reason, Reason::WrongState { state: None });
        machine.destroy(true).await.unwrap();
        client.wait(&app, &id, &reach(MachineState::Destroyed)).await.unwrap();
    }))
    .await;
}

#[tokio::test]
async fn suspend_and_restart() {
    let (_sim, client) = world("healthy").await;
    let (writer, app) = (writer(&client), demo());
    let id = "3d8d9931f46789".parse().unwrap();
    let machine = writer.machine(&app, &id);
    machine.suspend().await.unwrap();
    client.wait(&app, &id, &reach(MachineState::Suspended)).await.unwrap();
    machine.start().await.unwrap();
    client.wait(&app, &id, &reach(MachineState::Started)).await.unwrap();
    machine.restart(&Stop::default()).await.unwrap();
}

#[tokio::test]
async fn actions_are_repeated_only_where_that_is_harmless() {
    let id = "148e21ea7e4389".parse().unwrap();
    let stop = "/v1/apps/*/machines/*/stop";
    let (sim, client) =
        with_extra("healthy", &fault("POST", stop, "effect = \"lost_reply\"\ncount = 1")).await;
    let (writer_, app) = (writer(&client), demo());
    writer_.machine(&app, &id).stop(&Stop::default()).await.unwrap();
    assert_eq!(arrived(&sim, "POST", "/v1/apps/{app}/machines/{machine}/stop").len(), 2);

    let restart = "/v1/apps/*/machines/*/restart";
    let (sim, client) =
        with_extra("healthy", &fault("POST", restart, "effect = \"lost_reply\"\ncount = 1")).await;
    let writer_ = writer(&client);
    let error = writer_.machine(&app, &id).restart(&Stop::default()).await.unwrap_err();
    assert_eq!(error.reason, Reason::Unknown);
    assert!(error.to_string().contains("not known whether it was done"), "{error}");
    assert_eq!(arrived(&sim, "POST", "/v1/apps/{app}/machines/{machine}/restart").len(), 1);

    for action in ["start", "destroy"] {
        let (method, path) = match action {
            "start" => ("POST", "/v1/apps/*/machines/*/start"),
            _ => ("DELETE", "/v1/apps/*/machines/*"),
        };
        let lost = fault(method, path, "effect = \"lost_reply\"\ncount = 1");
        let (_sim, client) = with_extra("none-started", &lost).await;
        let machines = client.machines(&app, &fly_api::MachineFilter::default()).await.unwrap();
        let writer_ = writer(&client);
        let machine = writer_.machine(&app, &machines.value[0].id);
        match action {
            "start" => drop(machine.start().await.unwrap()),
            _ => drop(machine.destroy(true).await.unwrap()),
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_destroyed() {
    let (_sim, client) = world("healthy").await;
    let (writer, app) = (writer(&client), demo());
    let id = fly_types::MachineId::from_wire("00000000000000");
    writer.machine(&app, &id).destroy(true).await.unwrap();
    let error = writer.machine(&app, &id).start().await.unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
    assert_eq!(
        error.to_string(),
        "cannot start Machine 00000000000000 of app demo: it does not exist"
    );
}

#[tokio::test]
async fn a_host_that_does_not_answer_leaves_it_open() {
    let (_sim, client) = world("host-unreachable").await;
    let (writer, app) = (writer(&client), demo());
    let machines = client.machines(&app, &fly_api::MachineFilter::default()).await.unwrap().value;
    let lost = machines.iter().find(|machine| machine.config.get().is_none()).unwrap();
    let error = writer.machine(&app, &lost.id).stop(&Stop::default()).await.unwrap_err();
    assert_eq!(error.reason, Reason::Unknown, "{error}");
    assert!(error.hint().unwrap().contains("look whether it was done"));
}
