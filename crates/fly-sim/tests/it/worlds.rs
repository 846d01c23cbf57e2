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
        ("[[faults]]\npath = \"/\"\neffect = \"boom\"\n", 3, 10, "unknown variant"),
    ] {
        let error = World::parse(text, "w.toml").unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.to_string().starts_with(&format!("w.toml:{line}:{column}: ")), "{error}");
        assert!(error.excerpt.contains('^'));
    }
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
            let body: Value = get(&sim, path).await.json();
            assert!(!body.to_string().contains(&finding), "{name} {path}");
            assert!(!body.to_string().contains(&expect.wrong), "{name} {path}");
        }
    }
}
