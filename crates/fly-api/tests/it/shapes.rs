//! Every change, in the shapes that the documents leave open: a sample, or all of them (`cargo xtask soak shapes`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fly_api::{
    Client, Command, LeaseRequest, MetadataChange, NewIp, NewMachine, NewVolume, SecretChanges,
    Stop, UpdateOptions, VolumeSource, WaitFor,
};
use fly_sim::Variants;
use fly_types::state::{MachineState, VolumeState};
use fly_types::wire::{IpKind, MachineConfig};
use fly_types::{MachineId, VolumeId};
use futures_util::future::join_all;

use crate::{demo, start, writer};

const LIMIT: Duration = Duration::from_secs(30);

/// How many combinations at a time. Each spends most of its time waiting for the platform's rate limits.
const AT_ONCE: u64 = 32;

#[tokio::test]
async fn every_change_in_other_shapes() {
    let cases = std::env::var("FLY_OPS_TEST_CASES").ok().and_then(|n| n.parse().ok());
    let cases: u64 = cases.unwrap_or(8);
    let all = cases >= Variants::COMBINATIONS;
    println!("{cases} of {} combinations of shapes", Variants::COMBINATIONS);
    let next = &AtomicU64::new(0);
    join_all((0..AT_ONCE.min(cases)).map(|_| async move {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= cases {
                return;
            }
            let variants = if all { Variants::from_bits(seed) } else { Variants::from_seed(seed) };
            one_life(variants, &format!("variants {seed}: {variants:?}")).await;
        }
    }))
    .await;
}

async fn one_life(variants: Variants, context: &str) {
    let (_sim, client) = start("healthy", "", variants).await;
    machine(&client, context).await;
    volume(&client, context).await;
    belongings(&client, context).await;
}

async fn reached(client: &Client, id: &MachineId, state: MachineState, context: &str) {
    let wait = WaitFor::state(state, LIMIT);
    client.wait(&demo(), id, &wait).await.unwrap_or_else(|e| panic!("{context}: {e}"));
}

/// Create, update under a lease, every action, destroy; each effect is read back.
async fn machine(client: &Client, context: &str) {
    let (writer, app) = (writer(client), demo());
    let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
    let config = MachineConfig {
        image: "nginx".to_owned().into(),
        env: fly_types::wire::Sensitive::new(env).into(),
        ..MachineConfig::default()
    };
    let new = NewMachine { config, ..NewMachine::default() };
    let id = writer.create_machine(&app, &new).await.expect(context).machine.id;
    reached(client, &id, MachineState::Started, context).await;

    let machine = writer.machine(&app, &id);
    let lease = machine.lease(&LeaseRequest::new("a change")).await.expect(context);
    let done = writer
        .machine(&app, &id)
        .under(&lease)
        .update(&UpdateOptions::default(), |config| {
            config.env.get_mut().unwrap().expose_mut().insert("B".to_owned(), "2".to_owned());
        })
        .await
        .expect(context);
    assert!(!done.unchanged, "{context}");
    assert_ne!(done.from_version.as_deref(), done.machine.version(), "{context}");
    lease.release().await.expect(context);
    reached(client, &id, MachineState::Started, context).await;
    let now = client.machine(&app, &id).await.expect(context).value;
    let env = now.config.get().unwrap().env.get().expect(context);
    assert_eq!(env.expose().get("B").map(String::as_str), Some("2"), "{context}");

    machine.cordon().await.expect(context);
    machine.uncordon().await.expect(context);
    let said = machine.exec(&Command::new(["echo", "hi"])).await.expect(context).value;
    assert_eq!(said.stdout.get().unwrap().expose(), "hi\n", "{context}");
    machine.signal("SIGHUP").await.expect(context);
    machine.set_metadata("role", "canary").await.expect(context);
    let change = MetadataChange::default().set("tier", "web").remove("role");
    machine.patch_metadata(&change).await.expect(context);
    let metadata = client.machine_metadata(&app, &id).await.expect(context).value;
    assert_eq!(metadata.get("tier").map(String::as_str), Some("web"), "{context}");
    assert!(!metadata.contains_key("role"), "{context}");

    machine.restart(&Stop::default()).await.expect(context);
    reached(client, &id, MachineState::Started, context).await;
    machine.suspend().await.expect(context);
    reached(client, &id, MachineState::Suspended, context).await;
    machine.start().await.expect(context);
    reached(client, &id, MachineState::Started, context).await;
    machine.stop(&Stop::default()).await.expect(context);
    reached(client, &id, MachineState::Stopped, context).await;
    machine.destroy(false).await.expect(context);
    reached(client, &id, MachineState::Destroyed, context).await;
}

/// Create, grow, snapshot, fork, restore, delete.
async fn volume(client: &Client, context: &str) {
    let (writer, app) = (writer(client), demo());
    let region = || "fra".parse().unwrap();
    let new = NewVolume::new("cache", region());
    let id = writer.create_volume(&app, &new).await.expect(context).volume.id;
    let ready = |id: VolumeId| async move {
        let done = [VolumeState::Created];
        let volume = client.wait_volume(&demo(), &id, &done, LIMIT).await;
        volume.unwrap_or_else(|e| panic!("{context}: {e}"));
    };
    ready(id.clone()).await;
    writer.update_volume(&app, &id, Some(14), None).await.expect(context);
    let grown = writer.extend_volume(&app, &id, 30).await.expect(context).value;
    assert_eq!(grown.volume.get().unwrap().size_gb.copied(), Some(30), "{context}");
    let snapshot = writer.create_snapshot(&app, &id).await.expect(context).value;
    let snapshot = snapshot.id.text().expect(context).to_owned();
    client.wait_snapshot(&app, &id, &snapshot, LIMIT).await.expect(context);
    let fork =
        NewVolume { source: VolumeSource::Fork(id.clone()), ..NewVolume::new("cache", region()) };
    let fork = writer.create_volume(&app, &fork).await.expect(context).volume.id;
    ready(fork.clone()).await;
    let restored = NewVolume {
        source: VolumeSource::Snapshot(snapshot),
        size_gb: Some(40),
        ..NewVolume::new("cache", region())
    };
    let restored = writer.create_volume(&app, &restored).await.expect(context).volume.id;
    ready(restored.clone()).await;
    for id in [&restored, &fork, &id] {
        writer.delete_volume(&app, id).await.expect(context);
    }
}

/// Secrets, addresses, certificates and apps.
async fn belongings(client: &Client, context: &str) {
    let (writer, app) = (writer(client), demo());
    let changes = SecretChanges::default().set("API_KEY", "value".to_owned().into());
    writer.change_secrets(&app, &changes).await.expect(context);
    let secrets = client.secrets(&app).await.expect(context).value;
    assert!(secrets.secrets.items().iter().any(|s| s.name.as_str() == "API_KEY"), "{context}");
    writer.unset_secret(&app, "API_KEY").await.expect(context);

    let new = NewIp::new(IpKind::V4);
    let made = writer.allocate_ip(&app, &new).await.expect(context).assignment;
    let address = made.ip.text().expect(context).parse().unwrap();
    writer.release_ip(&app, &address).await.expect(context);

    let host = "shop.example.com";
    let made = writer.request_certificate(&app, host).await.expect(context).value;
    assert_eq!(made.hostname, host, "{context}");
    writer.check_certificate(&app, host).await.expect(context);
    writer.delete_certificate(&app, host).await.expect(context);

    let name = "brand-new".parse().unwrap();
    let org = "personal".parse().unwrap();
    assert_eq!(writer.create_app(&name, &org, None).await.expect(context).value.name, name);
    writer.delete_app(&name, true).await.expect(context);
    assert!(client.app(&name).await.unwrap_err().is_not_found(), "{context}");
}
