//! `volume check`: each rule with a world that breaks it, and one that breaks none.

use std::collections::BTreeMap;

use fly_sim::Variants;
use migrate::regions::Regions;
use migrate::volume::check::{Inside, RULES, Search, Subject, Wishes, check, wishes};

use crate::bench::{Net, World};

const WORLD: &str = include_str!("worlds/volumes.toml");
const FINE: &str =
    "app = 'shop'\nprimary_region = 'fra'\n[[mounts]]\nsource = 'data'\ndestination = '/data'\n";

async fn rules(world: &World, file: Option<&str>) -> Vec<(String, String)> {
    asked(world, file, None, None).await
}

async fn asked(
    world: &World,
    file: Option<&str>,
    inside: Option<&[(String, Inside)]>,
    wanted: Option<&str>,
) -> Vec<(String, String)> {
    let (inventory, regions) =
        (world.inventory().await, Regions::read(&world.client).await.unwrap());
    let volumes = world.client.volumes(&crate::bench::app()).await.unwrap().value;
    let zones: BTreeMap<_, _> = volumes
        .iter()
        .map(|volume| (volume.id.clone(), volume.zone.text().unwrap_or_default().to_owned()))
        .collect();
    let org = "personal".parse().unwrap();
    let all = world.client.org_volumes_all(&org, &fly_api::OrgQuery::default()).await;
    let all = all.map(|found| found.value.rows).map_err(|error| error.to_string());
    let wishes: Option<Wishes> = file.map(wishes);
    let subject = Subject {
        inventory: &inventory,
        zones: &zones,
        regions: &regions,
        wishes: wishes.as_ref(),
        inside,
        search: wanted.map(|wanted| Search {
            wanted,
            app: &volumes,
            organization: all.as_deref().map_err(String::as_str),
        }),
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

#[tokio::test]
async fn a_withdrawn_region() {
    let text = WORLD.replace("\"fra\"", "\"yul\"");
    let found = rules(&world(&text).await, None).await;
    let (_, text) = found.iter().find(|(rule, _)| rule == "volume.deprecated-region").unwrap();
    assert!(text.contains("copy it to a region near it: yyz"), "{text}");
    assert!(text.contains("--region yyz"), "{text}");
}

const SECOND: &str = "[[apps.machines]]\nid = \"148e21ea7e4302\"\nname = \"second\"\nregion = \"fra\"\n\n[[apps.volumes]]";

#[tokio::test]
async fn a_second_machine_without_a_volume_of_its_own() {
    let text = WORLD.replacen("[[apps.volumes]]", SECOND, 1);
    let found = rules(&world(&text).await, Some(FINE)).await;
    let (_, text) = found.iter().find(|(rule, _)| rule == "volume.taken").unwrap();
    assert!(text.contains("fly-migrate volume add data --size GB --region fra"), "{text}");
}

#[tokio::test]
async fn a_machine_mounts_what_is_gone_or_elsewhere() {
    let gone = world(WORLD).await;
    // The platform lists the Machine still, and its volume no more.
    let inventory = {
        let mut inventory = gone.inventory().await;
        inventory.volumes.retain(|volume| volume.id.as_str() != "vol_0000000000000001");
        inventory
    };
    let regions = Regions::read(&gone.client).await.unwrap();
    let subject = |inventory| Subject {
        inventory,
        zones: &NO_ZONES,
        regions: &regions,
        wishes: None,
        inside: None,
        search: None,
        now: gone.sim.now(),
    };
    let report = check(&subject(&inventory));
    let found = report.findings.iter().find(|one| one.rule == "volume.gone").unwrap();
    assert!(found.title.contains("148e21ea7e4301"), "{}", found.title);
    assert!(found.remedy.text.contains("24 hours"), "{}", found.remedy.text);
    let mut moved = gone.inventory().await;
    moved.volumes[0].region = "ams".parse().unwrap();
    let report = check(&subject(&moved));
    let found = report.findings.iter().find(|one| one.rule == "volume.wrong-region").unwrap();
    assert!(found.title.contains("is in fra and its volume vol_0000000000000001 in ams"));
}

static NO_ZONES: BTreeMap<fly_types::VolumeId, String> = BTreeMap::new();

#[tokio::test]
async fn what_machines_say_from_inside() {
    let world = world(WORLD).await;
    let place = || "148e21ea7e4301:/data".to_owned();
    for (answer, wrong) in [
        (Inside::Mounted, false),
        (Inside::Missing("nothing is mounted at /data".to_owned()), true),
        (Inside::Unknown("no shell".to_owned()), false),
    ] {
        let found = asked(&world, None, Some(&[(place(), answer.clone())]), None).await;
        let said = names(&found).contains(&"volume.not-mounted");
        assert_eq!(said, wrong, "{answer:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_volume_that_is_not_found_is_looked_for() {
    let other = "[[apps]]\nname = \"other\"\n\n[[apps.volumes]]\nid = \"vol_0000000000000009\"\nname = \"cache\"\nregion = \"ams\"\nsize_gb = 1\n";
    let world = world(&format!("{WORLD}\n{other}")).await;
    let writer = world.client.writer(fly_api::WriteAccess::approved("a test"));
    let archive = "vol_0000000000000002".parse().unwrap();
    writer.delete_volume(&crate::bench::app(), &archive).await.unwrap();
    for (wanted, rule, what) in [
        ("data", "volume.found", "Machine 148e21ea7e4301 has it"),
        ("vol_0000000000000001", "volume.found", "in fra"),
        (
            "archive",
            "volume.destroyed",
            "fly-migrate volume restore vol_0000000000000002 --name archive",
        ),
        ("cache", "volume.other-app", "belongs to app other"),
        ("vol_0000000000000009", "volume.other-app", "fly volumes list -a other"),
        ("dta", "volume.not-found", "vol_0000000000000001 (data, in fra)"),
    ] {
        let found = asked(&world, None, None, Some(wanted)).await;
        let (_, text) = found
            .iter()
            .find(|(name, _)| name == rule)
            .unwrap_or_else(|| panic!("{wanted}: {found:?}"));
        assert!(text.contains(what), "{wanted}: {text}");
        let searched = names(&found)
            .iter()
            .filter(|name| RULES[12..].iter().any(|rule| rule.id == **name))
            .count();
        assert_eq!(searched, 1, "{wanted}: {found:?}");
    }
}
