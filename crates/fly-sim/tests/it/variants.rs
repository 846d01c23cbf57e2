//! Every knob changes what it says, and nothing else.

use fly_sim::{ClockMode, Options, Sim, Variants, World};
use serde_json::{Value, json};

use crate::client::{call, get};

const MACHINE: &str = "/v1/apps/demo/machines/148e21ea7e4389";

async fn start(variants: Variants) -> Sim {
    let options = Options { clock: ClockMode::Virtual, variants, ..Options::default() };
    Sim::start(World::named("healthy").unwrap(), options).await.unwrap()
}

#[tokio::test]
async fn shapes() {
    let live = Variants::default();
    let sim = start(Variants { snake_case_platform: true, ..live }).await;
    let regions = get(&sim, "/v1/platform/regions").await.json();
    assert!(regions["regions"].is_array() && regions["nearest"].is_string(), "{regions}");

    let sim = start(Variants { flat_lease: true, ..live }).await;
    let lease = call(&sim, "POST", &format!("{MACHINE}/lease"), json!({ "ttl": 9 })).await.json();
    assert!(lease["nonce"].is_string() && lease.get("data").is_none());

    let sim = start(Variants { autostop_text: true, ..live }).await;
    let machine = get(&sim, MACHINE).await.json();
    assert_eq!(machine["config"]["services"][0]["autostop"], "stop");

    let sim = start(Variants { omit_empty: true, ..live }).await;
    let machine = get(&sim, MACHINE).await.json();
    assert!(machine.get("cordoned").is_none() && machine.get("incomplete_config").is_none());
    assert_eq!(machine["config"]["env"]["LOG_LEVEL"], "info");

    let sim = start(Variants { unknown_enums: true, ..live }).await;
    let machine = get(&sim, MACHINE).await.json();
    assert_eq!(machine["events"][0]["source"], "flyd2");

    let sim = start(Variants { extra_fields: true, ..live }).await;
    let machine = get(&sim, MACHINE).await.json();
    assert!(machine["config"]["guest"]["zz_new_field"].is_object());
    assert!(machine["config"]["env"].get("zz_new_field").is_none(), "a map of people's own keys");

    let sim = start(Variants { message_errors: true, ..live }).await;
    let missing = get(&sim, "/v1/apps/demo/machines/0000").await.json();
    assert_eq!(missing, json!({ "message": "not_found: machine not found" }));
}

#[tokio::test]
async fn lags_and_limits() {
    let live = Variants::default();
    let sim = start(Variants { list_lag: true, missing_after_create: true, ..live }).await;
    let body = json!({ "region": "fra", "config": { "image": "x" } });
    let made = call(&sim, "POST", "/v1/apps/demo/machines", body).await;
    assert_eq!(made.status, 200);
    let path = format!("/v1/apps/demo/machines/{}", made.json()["id"].as_str().unwrap());
    let listed = |list: Value| list.as_array().unwrap().len();
    assert_eq!(get(&sim, &path).await.status, 404);
    assert_eq!(listed(get(&sim, "/v1/apps/demo/machines").await.json()), 3);
    sim.advance(std::time::Duration::from_secs(1));
    assert_eq!(get(&sim, &path).await.status, 200);
    assert_eq!(listed(get(&sim, "/v1/apps/demo/machines").await.json()), 3);
    sim.advance(std::time::Duration::from_secs(1));
    assert_eq!(listed(get(&sim, "/v1/apps/demo/machines").await.json()), 4);

    let sim = start(Variants { retry_after: true, ..live }).await;
    let mut last = get(&sim, "/v1/apps/demo").await;
    for _ in 0..3 {
        last = get(&sim, "/v1/apps/demo").await;
    }
    assert_eq!((last.status, last.header("retry-after")), (429, Some("1")));
}

#[test]
fn seeds_cover_both_values_of_every_knob() {
    assert_eq!(Variants::from_seed(0), Variants::default());
    assert_eq!(Variants::from_seed(5), Variants::from_seed(5));
    let all: Vec<String> = (1..40).map(|seed| format!("{:?}", Variants::from_seed(seed))).collect();
    for knob in
        format!("{:?}", Variants::default()).split(": ").filter_map(|part| part.split(", ").nth(1))
    {
        let name = knob.trim_end_matches(" }");
        for value in ["true", "false"] {
            let wanted = format!("{name}: {value}");
            assert!(all.iter().any(|text| text.contains(&wanted)), "{wanted}");
        }
    }
}
