//! `volume check`: each rule with a world that breaks it, and one that breaks none.

use std::collections::BTreeMap;

use fly_sim::Variants;
use migrate::regions::Regions;
use migrate::volume::check::{Subject, Wishes, check, wishes};

use crate::bench::{Net, World};

const WORLD: &str = include_str!("worlds/volumes.toml");
const FINE: &str =
    "app = 'shop'\nprimary_region = 'fra'\n[[mounts]]\nsource = 'data'\ndestination = '/data'\n";

async fn rules(world: &World, file: Option<&str>) -> Vec<(String, String)> {
    let (inventory, regions) =
        (world.inventory().await, Regions::read(&world.client).await.unwrap());
    let volumes = world.client.volumes(&crate::bench::app()).await.unwrap().value;
    let zones: BTreeMap<_, _> = volumes
        .iter()
        .map(|volume| (volume.id.clone(), volume.zone.text().unwrap_or_default().to_owned()))
        .collect();
    let wanted: Option<Wishes> = file.map(wishes);
    let subject = Subject {
        inventory: &inventory,
        zones: &zones,
        regions: &regions,
        wishes: wanted.as_ref(),
        inside: &[],
        now: world.sim.now(),
    };
    check(&subject)
        .findings
        .into_iter()
        .map(|one| (one.rule, format!("{} {:?}", one.title, one.remedy)))
        .collect()
}

async fn world(text: &str) -> World {
    Net::new().world(text, Variants::default()).await
}

fn names(found: &[(String, String)]) -> Vec<&str> {
    let mut names: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[tokio::test]
async fn nothing_is_wrong_where_nothing_is_wrong() {
    let archive = WORLD.find("[[apps.volumes]]\nid = \"vol_0000000000000002\"").unwrap();
    let found = rules(&world(&WORLD[..archive]).await, Some(FINE)).await;
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn the_seeds_volume_not_found() {
    let found = rules(&world(WORLD).await, Some(&FINE.replace("'fra'", "'ams'"))).await;
    let (_, text) = found.iter().find(|(rule, _)| rule == "volume.wrong-region").unwrap();
    assert!(text.contains("vol_0000000000000001 in fra"), "{text}");
    assert!(text.contains("fly-migrate volume fork vol_0000000000000001 --region ams"), "{text}");
    let found = rules(&world(WORLD).await, Some(&FINE.replace("'data'", "'dta'"))).await;
    let (_, text) = found.iter().find(|(rule, _)| rule == "volume.missing").unwrap();
    assert!(text.contains("there are: data archive"), "{text}");
}

#[tokio::test]
async fn free_doubled_and_unsaved_volumes() {
    let second = WORLD.find("[[apps.volumes]]\nid = \"vol_0000000000000002\"").unwrap();
    let third = WORLD[second..].replace("vol_0000000000000002", "vol_0000000000000003");
    let found = rules(&world(&format!("{WORLD}\n{third}")).await, None).await;
    assert_eq!(
        names(&found),
        ["volume.backup", "volume.duplicate-name", "volume.same-zone", "volume.unattached"],
        "{found:?}"
    );
}

#[tokio::test]
async fn a_full_volume_an_old_region_and_a_lost_host() {
    let text = WORLD
        .replace("used_bytes = 1048576", "used_bytes = 10000000000")
        .replace("size_gb = 5", "size_gb = 5\nhost_status = \"unreachable\"");
    let found = rules(&world(&text).await, Some(FINE)).await;
    for rule in ["volume.full", "volume.host"] {
        assert!(names(&found).contains(&rule), "{rule}: {found:?}");
    }
}
