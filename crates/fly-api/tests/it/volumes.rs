//! Volumes, snapshots and addresses.

use std::time::Duration;

use fly_api::{NewIp, NewVolume, Reason, VolumeSource};
use fly_sim::Variants;
use fly_types::VolumeId;
use fly_types::state::VolumeState;
use fly_types::wire::IpKind;
use futures_util::future::join_all;

use crate::{arrived, demo, fault, start, with_extra, world, writer};

const CREATE: &str = "/v1/apps/{app}/volumes";

fn data() -> VolumeId {
    "vol_9vle3lw21kmzn6d4".parse().unwrap()
}

#[tokio::test]
async fn fork_to_another_region_and_restore_of_a_snapshot() {
    let (_sim, client) = world("healthy").await;
    let (writer, app) = (writer(&client), demo());
    let done = [VolumeState::Created];
    let limit = Duration::from_secs(20);
    let snapshot = writer.create_snapshot(&app, &data()).await.unwrap().value;
    let snapshot = snapshot.id.text().unwrap().to_owned();
    client.wait_snapshot(&app, &data(), &snapshot, limit).await.unwrap();

    let fork = NewVolume {
        source: VolumeSource::Fork(data()),
        ..NewVolume::new("data", "ams".parse().unwrap())
    };
    let fork = writer.create_volume(&app, &fork).await.unwrap().volume;
    assert_eq!(fork.region.get().unwrap().as_str(), "ams");
    let restored = NewVolume {
        source: VolumeSource::Snapshot(snapshot),
        size_gb: Some(20),
        ..NewVolume::new("data", "iad".parse().unwrap())
    };
    let restored = writer.create_volume(&app, &restored).await.unwrap().volume;
    for id in [&fork.id, &restored.id] {
        client.wait_volume(&app, id, &done, limit).await.unwrap();
    }
    writer.update_volume(&app, &restored.id, Some(14), None).await.unwrap();
    let grown = writer.extend_volume(&app, &restored.id, 30).await.unwrap().value;
    assert_eq!(grown.volume.get().unwrap().size_gb.copied(), Some(30));
    // Asked for once more, it has the size already.
    writer.extend_volume(&app, &restored.id, 30).await.unwrap();
    writer.delete_volume(&app, &restored.id).await.unwrap();
    let error = client.wait_volume(&app, &restored.id, &done, limit).await.unwrap_err();
    assert!(error.to_string().contains("will not become created"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_makes_one_volume() {
    let cases = [
        ("lost_reply", "count = 1"),
        ("cut_body", "after = 5\ncount = 1"),
        ("garbage", "count = 1"),
    ];
    join_all(cases.map(|(effect, rest)| async move {
        let extra = fault("POST", "/v1/apps/*/volumes", &format!("effect = \"{effect}\"\n{rest}"));
        let (_sim, client) = start("healthy", &extra, Variants::from_seed(3)).await;
        let writer = writer(&client).look_for(Duration::from_secs(2));
        let new = NewVolume::new("cache", "fra".parse().unwrap());
        let made = writer.create_volume(&demo(), &new).await.unwrap();
        assert_eq!(made.found, effect != "garbage", "garbage comes without an effect here");
        assert_eq!(client.volumes(&demo()).await.unwrap().value.len(), 2, "{effect}");
    }))
    .await;
}

#[tokio::test]
async fn equal_volumes_made_through_one_client_are_told_apart() {
    let rest = "effect = \"lost_reply\"\ncount = 2";
    let (sim, client) = with_extra("healthy", &fault("POST", "/v1/apps/*/volumes", rest)).await;
    let (writer, app) = (writer(&client), demo());
    let new = NewVolume::new("cache", "fra".parse().unwrap());
    // Both answers are lost. They take turns, so each list from before tells which one is new.
    let (one, two) =
        tokio::join!(writer.create_volume(&app, &new), writer.create_volume(&app, &new));
    assert_ne!(one.unwrap().volume.id, two.unwrap().volume.id);
    assert_eq!(arrived(&sim, "POST", CREATE).len(), 2);
}

#[tokio::test]
async fn a_volume_in_use_is_not_deleted() {
    let (_sim, client) = world("healthy").await;
    let error = writer(&client).delete_volume(&demo(), &data()).await.unwrap_err();
    let Reason::VolumeBound { machine } = &error.reason else { panic!("{error}") };
    assert_eq!(machine.as_ref().unwrap().as_str(), "6e82d5f1c01e87");
    let gone = VolumeId::from_wire("vol_gone");
    assert!(writer(&client).delete_volume(&demo(), &gone).await.unwrap().value.is_none());
}

#[tokio::test]
async fn capacity_of_volumes() {
    let rest = "effect = \"status\"\nstatus = 400\nbody = '{\"error\":\"no capacity\"}'";
    let (_sim, client) = with_extra("healthy", &fault("POST", "/v1/apps/*/volumes", rest)).await;
    let new = NewVolume {
        require_unique_zone: Some(true),
        ..NewVolume::new("cache", "fra".parse().unwrap())
    };
    let error = writer(&client).create_volume(&demo(), &new).await.unwrap_err();
    let Reason::NoCapacity(capacity) = &error.reason else { panic!("{error}") };
    assert!(capacity.own_zone);
    assert!(error.to_string().ends_with("no room in fra in a zone of its own"), "{error}");
}

#[tokio::test]
async fn a_snapshot_whose_answer_is_lost_is_found() {
    let path = "/v1/apps/*/volumes/*/snapshots";
    let (_sim, client) =
        with_extra("healthy", &fault("POST", path, "effect = \"lost_reply\"\ncount = 1")).await;
    let before = client.snapshots(&demo(), &data()).await.unwrap().value.len();
    let made = writer(&client).create_snapshot(&demo(), &data()).await.unwrap().value;
    assert!(made.id.text().is_some());
    assert_eq!(client.snapshots(&demo(), &data()).await.unwrap().value.len(), before + 1);
}

#[tokio::test]
async fn addresses_come_and_go() {
    let path = "/v1/apps/*/ip_assignments";
    join_all(["latency\"\ndelay = \"1ms", "lost_reply"].map(|effect| async move {
        let extra = fault("POST", path, &format!("effect = \"{effect}\"\ncount = 1"));
        let (_sim, client) = with_extra("healthy", &extra).await;
        let (writer, app) = (writer(&client), demo());
        let before = client.ip_assignments(&app).await.unwrap().value.ips.items().len();
        let new = NewIp::new(IpKind::V4);
        let made = writer.allocate_ip(&app, &new).await.unwrap();
        assert_eq!(made.found, effect == "lost_reply");
        let address = made.assignment.ip.text().unwrap().parse().unwrap();
        let now = client.ip_assignments(&app).await.unwrap().value.ips.items().len();
        assert_eq!(now, before + 1, "{effect}");
        writer.release_ip(&app, &address).await.unwrap();
        writer.release_ip(&app, &address).await.unwrap();
        let egress = NewIp::in_region(IpKind::EgressV4, "fra".parse().unwrap());
        let egress = writer.allocate_ip(&app, &egress).await.unwrap().assignment;
        assert_eq!(egress.region.text(), Some("fra"));
    }))
    .await;
}
