//! World files: errors that point at the mistake, and determinism.

use fly_sim::{Options, Sim, World};
use serde_json::Value;

use crate::client::{get, virtual_sim};

#[test]
fn mistakes_are_shown_where_they_are() {
    for (text, line, column, message) in [
        ("[[apps]]\nname = \"My App\"\n", 2, 8, "invalid app name"),
        ("[[apps]]\nname = \"a\"\ncolour = 1\n", 3, 1, "unknown field `colour`"),
        ("[[apps]]\nname = \"a\"\n[[apps.machines]]\nregion = \"xxx\"\n", 4, 10, "no region 'xxx'"),
        (
            "[[apps]]\nname = \"a\"\n[[apps.volumes]]\nname = \"d\"\nregion = \"fra\"\nattached = \"gone\"\n",
            6,
            12,
            "has no Machine 'gone'",
        ),
        ("[[apps]]\nname = \"a\"\norg = \"acme\"\n", 3, 7, "no [[orgs]] has the slug 'acme'"),
        (
            "[[incidents]]\nid = \"1\"\nname = \"x\"\nstarted = \"soon\"\n",
            4,
            11,
            "no point in time",
        ),
        ("about = 1", 1, 9, "invalid type"),
        ("about = 'x'\nextends = \"nowhere\"\n", 2, 11, "no world 'nowhere' to extend"),
        (
            "extends = \"healthy\"\n[[apps]]\nname = \"demo\"\n[[apps.machines]]\nid = \"148e21ea7e4389\"\nregion = \"xxx\"\n",
            6,
            10,
            "no region 'xxx'",
        ),
        (
            "extends = \"healthy\"\n[[apps]]\nname = \"demo\"\n[[apps.logs]]\nat = \"-1m\"\nmessage = \"x\"\nmachine = \"gone\"\n",
            7,
            11,
            "has no Machine 'gone'",
        ),
        ("extends = \"healthy\"\n[expect]\nfinding = 7\n", 3, 11, "invalid type"),
        ("[[faults]]\npath = \"/\"\neffect = \"boom\"\n", 3, 10, "unknown variant"),
    ] {
        let error = World::parse(text, "w.toml").unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.to_string().starts_with(&format!("w.toml:{line}:{column}: ")), "{error}");
        assert!(error.excerpt.contains('^'));
    }
}

const FINDING_IDS: &str = include_str!("../data/finding-ids.txt");
/// Problems of real users with a known cause, and the finding that must come first.
const CASES: usize = 54;

#[test]
fn every_world_says_what_is_wrong_and_has_a_healthy_twin() {
    let known: Vec<&str> = FINDING_IDS.lines().filter(|line| !line.starts_with('#')).collect();
    let mut sick = 0;
    for name in fly_sim::WORLD_NAMES {
        let world = World::load(name).unwrap_or_else(|error| panic!("{error}"));
        assert!(!world.about().is_empty(), "{name}");
        let expect = world.expect().unwrap_or_else(|| panic!("{name} has no [expect]"));
        let Some(finding) = &expect.finding else {
            assert_eq!(expect.wrong, "", "{name} is healthy");
            continue;
        };
        sick += 1;
        assert!(!expect.wrong.is_empty(), "{name}");
        for id in expect.also.iter().chain([finding]).chain(&expect.never) {
            assert!(known.contains(&id.as_str()), "{name}: no finding has the id {id}");
        }
        assert!(!expect.never.contains(finding), "{name}");
        let twin = expect.twin.as_deref().unwrap_or_else(|| panic!("{name} has no twin"));
        let twin = World::load(twin).unwrap_or_else(|error| panic!("{error}"));
        let healthy = twin.expect().is_some_and(|expect| expect.finding.is_none());
        assert!(healthy, "{name}: its twin {} is sick", twin.name());
    }
    assert!(sick >= 60, "{sick} sick worlds");
    let cases = fly_sim::WORLD_NAMES.iter().filter(|name| name.starts_with("case-")).count();
    assert_eq!(cases, CASES);
}

#[tokio::test]
async fn every_world_starts_and_answers() {
    for name in fly_sim::WORLD_NAMES {
        let sim = virtual_sim(name).await;
        let world = World::named(name).unwrap();
        for app in world.apps() {
            let machines = get(&sim, &format!("/v1/apps/{app}/machines")).await;
            if *name == "token-expired" {
                assert_eq!(machines.status, 401);
                continue;
            }
            assert!(machines.status == 200 || *name == "flaky-api", "{name}: {}", machines.status);
        }
    }
}

#[test]
fn a_world_that_extends_another_keeps_what_it_does_not_name() {
    let text = r#"
        extends = "healthy"
        [[apps]]
        name = "demo"
        ips = []
        [[apps.machines]]
        id = "148e21ea7e4389"
        memory_mb = 1024
        [[apps.logs]]
        at = "-1m"
        message = "more"
    "#;
    let world = World::parse(text, "test").unwrap();
    assert_eq!(world.apps(), ["demo"]);
    assert!(world.expect().is_none(), "expectations are not inherited");
    let (base, own) = (format!("{:?}", World::named("healthy").unwrap()), format!("{world:?}"));
    assert!(
        base.contains("66.241.124.236") && !own.contains("66.241.124.236"),
        "an empty list empties"
    );
    assert!(own.contains("3d8d9931f46789") && own.contains("worker ready") && own.contains("more"));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_platform() {
    let (one, two) = (virtual_sim("healthy").await, virtual_sim("healthy").await);
    let path = "/v1/apps/demo/machines";
    let list = get(&one, path).await.json();
    assert_eq!(list, get(&two, path).await.json());
    let world = World::named("healthy").unwrap();
    let options =
        Options { seed: Some(99), clock: fly_sim::ClockMode::Virtual, ..Options::default() };
    let other = Sim::start(world, options).await.unwrap();
    assert_ne!(list, get(&other, path).await.json());
}

#[tokio::test]
async fn expectations_are_not_served() {
    for name in fly_sim::WORLD_NAMES {
        let expect = World::named(name).unwrap().expect().cloned().unwrap();
        let Some(finding) = expect.finding else { continue };
        let sim = virtual_sim(name).await;
        for path in ["/v1/apps/demo/machines", "/api/v1/apps/demo/logs", "/api/v2/summary.json"] {
            let answer = get(&sim, path).await;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            assert!(!body.to_string().contains(&finding), "{name} {path}");
            assert!(!body.to_string().contains(&expect.wrong), "{name} {path}");
        }
    }
}
