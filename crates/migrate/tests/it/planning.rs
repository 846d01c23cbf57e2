//! Plans: what is refused, in which order things happen, what every plan says.

use migrate::regions::Regions;
use migrate::template::{Options, PlanError, Request, plan};
use runbook::error::Refusal;
use runbook::plan::Id;
use runbook::sealed::SealedPlan;

use crate::bench::{Net, World, options};
use crate::saga::{STATELESS, VOLUME};

async fn world(text: &str) -> World {
    Net::new().world(text, fly_sim::Variants::default()).await
}

async fn try_plan(
    world: &World,
    source: &str,
    target: &str,
    options: Options,
) -> Result<SealedPlan, PlanError> {
    let regions = Regions::read(&world.client).await.unwrap();
    let request = Request {
        source: source.parse().unwrap(),
        target: target.parse().unwrap(),
        now: world.sim.now(),
        options,
    };
    plan(&world.inventory().await, &regions, &request)
}

fn hazard(error: &PlanError) -> Vec<&'static str> {
    match error {
        PlanError::Blocked { problems, .. } => {
            problems.iter().filter_map(|one| one.hazard).collect()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn bad_regions_are_refused_with_what_to_do() {
    let world = world(STATELESS).await;
    for (source, target, word, hint) in [
        ("fra", "fra", "nothing to move", "another region"),
        ("fra", "yul", "deprecated", "yyz"),
        ("fra", "xxx", "no region 'xxx'", "ams"),
        ("nrt", "ams", "no Machine in nrt", "fra iad"),
    ] {
        let error = try_plan(&world, source, target, options()).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert!(error.hints().join(" ").contains(hint), "{:?}", error.hints());
    }
}

#[tokio::test]
async fn h24_regions_that_are_not_allowed_are_refused() {
    let world = world(STATELESS).await;
    let only =
        Options { allowed: vec!["fra".parse().unwrap(), "cdg".parse().unwrap()], ..options() };
    let error = try_plan(&world, "fra", "ams", only.clone()).await.unwrap_err();
    assert_eq!(hazard(&error), ["H24"]);
    try_plan(&world, "fra", "cdg", only).await.unwrap();
}

#[tokio::test]
async fn h03_a_free_volume_of_the_same_name_in_the_target_is_refused() {
    let stale = "\n[[apps.volumes]]\nid = \"vol_00000000000stale\"\nname = \"data\"\nregion = \"ams\"\nsize_gb = 3\n";
    let error = try_plan(&world(&format!("{VOLUME}{stale}")).await, "fra", "ams", options())
        .await
        .unwrap_err();
    assert_eq!(hazard(&error), ["H03"]);
    assert!(error.hints()[0].contains("vol_00000000000stale"));
}

#[tokio::test]
async fn h12_a_dead_host_without_a_snapshot_is_refused() {
    let world = world(&VOLUME.replace("snapshots = [", "snapshots = []\n# [")).await;
    let dead = serde_json::json!({"host_status": "unreachable"});
    world.sim.control("POST", "/_sim/volumes/vol_9vle3lw21kmzn6d4", dead).unwrap();
    let error = try_plan(&world, "fra", "ams", options()).await.unwrap_err();
    assert_eq!(hazard(&error), ["H12"]);
    assert!(error.hints()[0].contains("wait for the host"));
}

#[tokio::test]
async fn h17_addresses_of_single_machines_have_to_be_promoted() {
    let egress =
        "\n[[apps.ips]]\naddress = \"203.0.113.7\"\ntype = \"egress_v4\"\nregion = \"fra\"\n";
    let own = format!("{STATELESS}{egress}machine = \"148e21ea7e4301\"\n");
    let error = try_plan(&world(&own).await, "fra", "ams", options()).await.unwrap_err();
    assert_eq!(hazard(&error), ["H17"]);
    assert!(error.hints()[0].contains("fly machine egress-ip promote 148e21ea7e4301"));
    // An address that the target has already is not allocated again.
    let both = format!("{STATELESS}{egress}{}", egress.replace(".7", ".8").replace("fra", "ams"));
    let plan = try_plan(&world(&both).await, "fra", "ams", options()).await.unwrap();
    assert!(plan.plan().step(&"egress".into()).is_none());
}

#[tokio::test]
async fn what_cannot_be_moved_is_said_plainly() {
    for (change, word) in [
        ("image = \"flyio/postgres-flex:17\"", "Postgres"),
        ("env = { LITEFS_DIR = \"/litefs\" }", "LiteFS"),
    ] {
        let text = format!(
            "[[apps]]\nname = \"shop\"\n[[apps.machines]]\nid = \"148e21ea7e4301\"\nregion = \"fra\"\n{change}\n"
        );
        let error = try_plan(&world(&text).await, "fra", "ams", options()).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert!(!error.hints()[0].is_empty());
    }
}

/// H01, H02, H05, H07, H08, H09, H19: the order of steps is the guard.
#[tokio::test]
async fn the_order_of_steps_is_safe() {
    let stateless = try_plan(&world(STATELESS).await, "fra", "ams", options()).await.unwrap();
    let volume = try_plan(&world(VOLUME).await, "fra", "ams", options()).await.unwrap();
    let order = |plan: &SealedPlan, steps: &[&str]| {
        let at: Vec<usize> = steps
            .iter()
            .map(|step| {
                plan.plan().position(&Id::from(*step)).unwrap_or_else(|| panic!("no step {step}"))
            })
            .collect();
        assert!(at.is_sorted(), "{steps:?} are at {at:?}");
    };
    order(
        &stateless,
        &[
            "backup",
            "create-148e21ea7e4301",
            "healthy",
            "unchanged",
            "open",
            "close",
            "drain",
            "stop",
            "start-workers",
            "watch",
            "accounted",
        ],
    );
    order(
        &volume,
        &[
            "backup",
            "fence",
            "freeze",
            "snapshot-148e21ea7e4301-0",
            "fork-148e21ea7e4301-0",
            "create-148e21ea7e4301",
            "data-148e21ea7e4301-0",
            "release",
            "healthy-volumes",
            "open-volumes",
            "hydrated-148e21ea7e4301-0",
            "watch",
        ],
    );
    assert_eq!(volume.plan().point_of_no_return.as_ref().unwrap().step, "release".into());
    assert!(stateless.plan().point_of_no_return.is_none());
    let kinds: Vec<&str> = stateless
        .plan()
        .steps()
        .chain(volume.plan().steps())
        .map(|step| step.kind.as_str())
        .collect();
    assert!(
        !kinds.iter().any(|kind| kind.starts_with("destroy")),
        "a move never destroys the old side"
    );
    for step in volume.plan().steps().filter(|step| step.id.as_str().starts_with("fork")) {
        assert_eq!(step.under, ["freeze".into()], "copies rely on the freeze");
    }
    let hold = volume.plan().step(&"freeze".into()).unwrap().hold.clone().unwrap();
    assert_eq!(hold.until, "release".into());
}

#[tokio::test]
async fn every_plan_has_the_checklist_costs_and_commands() {
    for text in [STATELESS, VOLUME] {
        let sealed = try_plan(&world(text).await, "fra", "ams", options()).await.unwrap();
        let plan = sealed.plan();
        for gate in ["documented", "backup", "rehearsal", "names", "watch", "accounted"] {
            assert!(plan.step(&gate.into()).is_some(), "{gate}");
        }
        assert!(
            plan.warnings.iter().any(|text| text.contains("2026-08-07")),
            "{:?}",
            plan.warnings
        );
        assert!(plan.steps().any(|step| step.cost.monthly_usd > 0.0));
        assert!(
            plan.steps()
                .all(|step| step.title != step.id.as_str() && !step.postcondition.is_empty())
        );
        let script = migrate::region::script::script(plan);
        assert!(
            script.starts_with("#!/bin/sh\n")
                && script.contains("fly machine clone 148e21ea7e4301 --region ams")
        );
    }
}

#[tokio::test]
async fn secrets_and_values_of_variables_are_not_in_a_plan() {
    let text = STATELESS.replace("LOG_LEVEL = \"info\"", "API_KEY = \"canary-4711\"");
    let sealed = try_plan(&world(&text).await, "fra", "ams", options()).await.unwrap();
    assert!(!sealed.to_text().contains("canary-4711") && sealed.to_text().contains("API_KEY"));
    assert!(!sealed.to_text().contains("u:p@db"));
}

#[tokio::test]
async fn an_edited_cut_or_newer_plan_file_is_refused() {
    let text = try_plan(&world(STATELESS).await, "fra", "ams", options()).await.unwrap().to_text();
    assert!(SealedPlan::parse(&text).is_ok());
    assert!(matches!(
        SealedPlan::parse(&text.replace("\"ams\"", "\"cdg\"")),
        Err(Refusal::Plan(_))
    ));
    assert!(matches!(SealedPlan::parse(&text[..text.len() / 2]), Err(Refusal::Plan(_))));
    assert!(matches!(
        SealedPlan::parse(&text.replacen("\"version\": 1", "\"version\": 2", 1)),
        Err(Refusal::NewerPlan { .. })
    ));
}
