//! `plan --org`: a plan for each app of an organization, in the order in which they move, and what is around them.

use std::path::Path;

use serde_json::Value;
use test_kit::{Outcome, Sandbox};

use crate::bench::Net;
use crate::live::Live;

pub(crate) const ORG: &str = include_str!("worlds/org.toml");

const ARGS: [&str; 12] = [
    "region", "plan", "--org", "personal", "--from", "fra", "--to", "ams", "--drain", "0",
    "--watch", "0",
];

async fn planned(world: &str, more: &[&str]) -> (Live, Outcome) {
    let live = Live::new(&Net::new(), world).await;
    let outcome = live.run(&[&ARGS[..], more].concat()).await;
    (live, outcome)
}

fn index(sandbox: &Sandbox) -> Value {
    read(&sandbox.work().join("plans/index.json"))
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn names(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_app_has_a_plan_or_a_reason_in_the_order_of_their_needs() {
    let (live, outcome) = planned(ORG, &[]).await;
    assert_eq!(outcome.code, Some(3), "{}\n{}", outcome.stdout, outcome.stderr);
    let index = index(&live.sandbox);
    // cache is a database, auth needs it, and shop needs auth; blog is elsewhere, and lone needs nobody.
    assert_eq!(names(&index["plans"], "app"), ["cache", "auth", "lone", "shop"]);
    assert_eq!(index["plans"][1]["needs"], serde_json::json!(["cache"]));
    assert_eq!(names(&index["blocked"], "app"), ["shop-db", "attic"]);
    let text = index["blocked"].to_string();
    assert!(text.contains("fly postgres create --name shop-db-ams --region ams"), "{text}");
    assert!(text.contains("only volumes in fra"), "{text}");
    for plan in index["plans"].as_array().unwrap() {
        let file = live.sandbox.work().join("plans").join(plan["file"].as_str().unwrap());
        assert_eq!(read(&file)["digest"], plan["digest"]);
    }
    let sum: f64 = index["plans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["monthly_usd"].as_f64().unwrap())
        .sum();
    assert!((sum - index["monthly_usd"].as_f64().unwrap()).abs() < 1e-6);
    assert!(outcome.stdout.contains("no plan for database shop-db"), "{}", outcome.stdout);
    let first = live.run(&["region", "apply", "plans/lone.json", "--yes"]).await;
    assert_eq!(first.code, Some(6), "the rehearsal is missing: {}", first.stderr);
}

#[tokio::test]
async fn nothing_that_is_secret_is_in_plans_or_index() {
    let (live, outcome) = planned(ORG, &[]).await;
    let mut all = outcome.stdout + &outcome.stderr;
    for file in std::fs::read_dir(live.sandbox.work().join("plans")).unwrap() {
        all += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    assert!(all.contains("auth.flycast") || all.contains("\"auth\""));
    for canary in ["canary-4711", "canary-password", "hunter2"] {
        assert!(!all.contains(canary), "{canary}");
    }
}

#[tokio::test]
async fn a_ring_is_said_and_broken_the_same_way_each_time() {
    let ring = ORG.replace("# RING", "env = { FRONT = \"http://shop.flycast\" }");
    assert_ne!(ring, ORG);
    let (live, outcome) = planned(&ring, &[]).await;
    let index = index(&live.sandbox);
    let order = names(&index["plans"], "app");
    assert_eq!(order[..2], ["lone", "cache"], "what needs nobody, then the database of the ring");
    assert_eq!(index["rings"].as_array().unwrap().len(), 1, "{}", index["rings"]);
    assert!(outcome.stdout.contains("the other way round"), "{}", outcome.stdout);
    let (again, _) = planned(&ring, &[]).await;
    assert_eq!(names(&self::index(&again.sandbox)["plans"], "app"), order);
}

#[tokio::test]
async fn what_does_not_move_is_named_with_what_to_do() {
    let (live, _) = planned(ORG, &[]).await;
    let plan = read(&live.sandbox.work().join("plans/shop.json"));
    let warnings = plan["plan"]["warnings"].to_string();
    for words in [
        "H18: Managed Postgres main (attached) is in fra and cannot change its region",
        "fly mpg create --name main-ams --region ams",
        "H18: Upstash Redis queue (made for the app) writes in fra",
        "Tigris bucket pictures (made for the app) is global",
        "H18: database shop-db runs in fra",
        "at least 4 ms there and back",
        "H06: min_machines_running = 1",
        "H16: fra is written into variable AUTH, variable CACHE_REGION of app shop",
    ] {
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
    let hazards = &plan["plan"]["inputs"]["hazards"];
    assert_eq!(hazards.as_array().unwrap().len(), 24);
    let gate = plan["plan"]["groups"].to_string();
    assert!(gate.contains("hard-coded") && gate.contains("regions-checked"));
}

#[tokio::test]
async fn an_organization_that_may_not_is_told_before_anything_is_made() {
    let trial = ORG.replace("slug = \"personal\"", "slug = \"personal\"\ntrial = true");
    let (live, outcome) = planned(&trial, &[]).await;
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert_eq!(index(&live.sandbox)["plans"].as_array().unwrap().len(), 0);
    assert!(
        outcome.stdout.contains("(H23)") && outcome.stdout.contains("/billing"),
        "{}",
        outcome.stdout
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_said() {
    let closed = format!(
        "{ORG}\n[[faults]]\npath = \"/graphql\"\neffect = \"status\"\nstatus = 403\n\n[[faults]]\npath = \"/api/v1/organizations/personal/postgres\"\neffect = \"status\"\nstatus = 403\n"
    );
    let (live, _) = planned(&closed, &[]).await;
    let plan = read(&live.sandbox.work().join("plans/lone.json"));
    let warnings = plan["plan"]["warnings"].to_string();
    for words in [
        "H23: whether the organization may create",
        "extensions such as Redis",
        "Managed Postgres clusters",
    ] {
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_written() {
    for (more, code, words) in [
        (&["--to", "fra"][..], 2, "nothing to move"),
        (&["--to", "yul"], 2, "deprecated"),
        (&["--to", "xxx"], 2, "no region 'xxx'"),
        (&["--script"], 2, "--script is about one app"),
        (&["--fly-toml", "fly.toml"], 2, "--fly-toml is about one app"),
    ] {
        let live = Live::new(&Net::new(), ORG).await;
        let mut args: Vec<&str> = ARGS.to_vec();
        if more[0] == "--to" {
            args[7] = more[1];
        } else {
            args.extend(more);
        }
        let outcome = live.run(&args).await;
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
        assert!(!live.sandbox.work().join("plans").exists());
        assert!(live.world.sim.requests().iter().all(|one| one.method == "GET"));
    }
    let nowhere = Live::new(&Net::new(), ORG).await;
    let mut args: Vec<&str> = ARGS.to_vec();
    args[5] = "nrt";
    let outcome = nowhere.run(&args).await;
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("nothing in nrt") && outcome.stderr.contains("fra iad"),
        "{}",
        outcome.stderr
    );
    args[3] = "nobody";
    let outcome = nowhere.run(&args).await;
    assert_ne!(outcome.code, Some(0));
    assert!(outcome.stderr.contains("nobody"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_plan_of_an_earlier_call_does_not_stay() {
    let (live, _) = planned(ORG, &[]).await;
    let path = live.sandbox.work().join("plans/lone.json");
    assert!(path.exists());
    live.world
        .sim
        .control("POST", "/_sim/regions/ams", serde_json::json!({"machines": 0}))
        .unwrap();
    let again = live.run(&ARGS).await;
    assert_eq!(again.code, Some(3), "{}", again.stderr);
    assert!(again.stdout.contains("(H11)"), "{}", again.stdout);
    assert!(!path.exists());
}
