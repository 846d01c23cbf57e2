//! What went wrong for other people who moved apps, each as a test. The cases are those of the field reports: volumes in the wrong region, capacity in
//! no region, failovers that did nothing, fences that stayed, files that were not yet written.

use runbook::inject::{Effect, Fault, Faults, Moment, Phase, Point};
use runbook::outcome::Outcome;
use runbook::plan::{Plan, Undo};
use runbook::testing::{Bench, Scenario as _, baseline};
use serde_json::Value;

use migrate::template::Options;

use crate::bench::{Moving, Net, app, options};
use crate::live::Live;
use crate::saga::{STATELESS, TEMPLATES, VOLUME};

fn fail(step: &str, phase: Phase) -> Faults {
    Faults::one(Point { id: step.into(), phase, moment: Moment::Before }, Effect::Fail)
}

/// Bodies of the calls that made Machines.
fn created(sim: &fly_sim::Sim) -> Vec<Value> {
    let all = sim.requests().into_iter();
    let made = all.filter(|one| one.method == "POST" && one.path == "/v1/apps/shop/machines");
    made.map(|one| one.body.unwrap()).collect()
}

/// "Mounts source volume … is in the wrong region" (epic-stack 68, indie-stack 213).
#[tokio::test]
async fn failure_a_volume_in_another_region_than_its_machine() {
    let scenario = Moving::of(VOLUME);
    let bench = Bench::new(&scenario, false).await;
    assert_eq!(bench.apply(Faults::none()).await.unwrap().outcome, Outcome::Done);
    let inventory = bench.world.inventory().await;
    let volumes = bench.world.client.volumes(&app()).await.unwrap().value;
    let mut mounts = 0;
    for body in created(&bench.world.sim) {
        for mount in body["config"]["mounts"].as_array().into_iter().flatten() {
            let id = mount["volume"].as_str().unwrap();
            // The reference copy is gone from the inventory by now; it was made where its Machine was.
            if let Some(volume) = volumes.iter().find(|volume| volume.id.as_str() == id) {
                assert_eq!(volume.region.get().unwrap().as_str(), body["region"], "{body}");
                mounts += 1;
            }
        }
    }
    assert!(mounts > 0);
    for machine in &inventory.machines {
        for mount in &machine.mounts {
            let volume = inventory.volume(&mount.volume).unwrap();
            assert_eq!(volume.region, machine.region);
        }
    }
}

/// "no capacity available in " with an empty region (flyctl 2871): every Machine is made in a named region.
#[tokio::test]
async fn failure_capacity_in_no_region() {
    for template in TEMPLATES {
        let scenario = Moving::of(template.world);
        let bench = Bench::new(&scenario, false).await;
        bench.apply(Faults::none()).await.unwrap();
        let made = created(&bench.world.sim);
        assert!(!made.is_empty(), "{}", template.name);
        for body in made {
            assert!(["ams", "fra"].contains(&body["region"].as_str().unwrap()), "{body}");
        }
    }
}

/// Patches of fly.toml in a plan.
fn patches(plan: &Plan) -> String {
    let steps = plan.steps().filter_map(|step| step.params.get("patch"));
    steps.filter_map(|patch| patch.as_str()).collect()
}

async fn planned(world: &str, options: &Options) -> Plan {
    let world = Net::new().world(world, fly_sim::Variants::default()).await;
    world.plan("fra", "ams", options).await.plan().clone()
}

/// A fly.toml without `primary_region` (flyctl 2100, 2871): the next deploy would land anywhere.
#[tokio::test]
async fn failure_a_file_without_a_primary_region() {
    let text = "app = \"shop\"\n\n[build]\n  image = \"shop:1\"\n".to_owned();
    let plan = planned(STATELESS, &Options { fly_toml: Some(text), ..options() }).await;
    assert!(patches(&plan).contains("primary_region = \"ams\""), "{}", patches(&plan));
}

/// A region that the list offers and creation refuses (docs 2171).
#[tokio::test]
async fn failure_a_region_that_is_offered_and_refused() {
    let scenario = Moving::of(STATELESS);
    let bench = Bench::new(&scenario, false).await;
    let start = bench.world.state().await;
    let says = "Region ams is deprecated and cannot have new resources provisioned. Please consider using an alternate region such as fra";
    bench
        .world
        .sim
        .add_fault(&format!(
            "name = \"withdrawn\"\nmethod = \"POST\"\npath = \"/v1/apps/*/machines\"\neffect = \"status\"\nstatus = 422\nbody = '{{\"error\": \"{says}\"}}'\n"
        ))
        .unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    let error = report.outcome.error().unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
    assert!(error.message.contains("deprecated"), "{error}");
    let hint = error.hint.clone().unwrap_or_default();
    assert!(hint.contains("region plan --to"), "another region is offered: {hint}");
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
}

/// The copy of a volume lies on a host without room for its Machine (Kilo-Org/cloud 388): another copy, never that volume again.
#[tokio::test]
async fn failure_the_host_of_the_copy_is_full() {
    let scenario = Moving::of(VOLUME);
    let base = baseline(&scenario).await.unwrap();
    let bench = Bench::new(&scenario, false).await;
    let stop = fail("create-148e21ea7e4301", Phase::Act);
    let report = bench.apply(stop).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
    let inventory = bench.world.inventory().await;
    let copies: Vec<_> =
        inventory.volumes.iter().filter(|one| one.region.as_str() == "ams").collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    let path = format!("/_sim/volumes/{}", copies[0].id);
    bench.world.sim.control("POST", &path, serde_json::json!({"host_full": true})).unwrap();
    // The freeze was lifted, so this copy is old: resuming takes it back and makes another one, on another host.
    let report = bench.resume(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    assert_eq!(bench.world.state().await, base.end);
}

/// The same while the run goes on: the reason and the way out are named, the old side serves, and both ways are open.
#[tokio::test]
async fn failure_the_platform_has_no_room_beside_a_copy() {
    for back in [false, true] {
        let scenario = Moving::of(VOLUME);
        let base = baseline(&scenario).await.unwrap();
        let bench = Bench::new(&scenario, false).await;
        bench
            .world
            .sim
            .add_fault("name = \"full\"\nmethod = \"POST\"\npath = \"/v1/apps/*/machines\"\neffect = \"status\"\nstatus = 412\nbody = '{\"error\": \"failed_precondition: insufficient resources to create new machine with existing volume\"}'\n")
            .unwrap();
        let report = bench.apply(Faults::none()).await.unwrap();
        let error = report.outcome.error().unwrap().clone();
        assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
        assert!(!error.hint.unwrap_or_default().is_empty());
        let state = bench.world.state().await;
        let serves = |line: &str| line.contains("in fra running") && !line.contains("cordoned");
        assert!(state.lines().any(serves), "the old side serves again: {state}");
        bench.world.sim.switch_fault("full", false);
        scenario.settle(&bench.world).await;
        let (report, expected) = if back {
            (bench.undo(Faults::none()).await.unwrap(), &base.start)
        } else {
            (bench.resume(Faults::none()).await.unwrap(), &base.end)
        };
        assert!(report.outcome.error().is_none(), "{:?}", report.outcome);
        assert_eq!(&bench.world.state().await, expected);
    }
}

/// Postgres was moved by adding a replica and failing over: zombie, outage, revert (lion-reader 1378).
#[tokio::test]
async fn failure_a_postgres_that_is_moved_like_an_app() {
    let text = VOLUME.replacen(
        "name = \"store\"",
        "name = \"store\"\nimage = \"flyio/postgres-flex:17\"",
        1,
    );
    let world = Net::new().world(&text, fly_sim::Variants::default()).await;
    let regions = migrate::regions::Regions::read(&world.client).await.unwrap();
    let request = migrate::template::Request {
        source: "fra".parse().unwrap(),
        target: "ams".parse().unwrap(),
        now: world.sim.now(),
        options: options(),
    };
    let refused =
        migrate::template::plan(&world.inventory().await, &regions, &request).unwrap_err();
    let said = format!("{refused} {}", refused.hints().join(" "));
    for word in ["Postgres", "dump and restore", "at least 3", "fly-pg-ops"] {
        assert!(said.contains(word), "no `{word}` in: {said}");
    }
}

/// A database stayed read-only for 45 minutes because a later step timed out (pagertree): whatever fails between the stop and the release, the old side
/// serves again in the same run, without anybody's undo.
#[tokio::test]
async fn failure_a_freeze_that_outlives_its_run() {
    let scenario = Moving::of(VOLUME);
    let plan = baseline(&scenario).await.unwrap().plan;
    let at = |id: &str| plan.position(&id.into()).unwrap();
    let steps: Vec<&runbook::plan::Step> = plan.steps().collect();
    let frozen = &steps[at("fence")..at("release")];
    let mut tried = 0;
    for step in frozen {
        for phase in [Phase::Act, Phase::Wait, Phase::Verify] {
            // A step that looks has no act.
            if phase == Phase::Act && !matches!(step.undo, Undo::Action { .. }) {
                continue;
            }
            let bench = Bench::new(&scenario, false).await;
            let start = bench.world.state().await;
            let point = Point { id: step.id.clone(), phase, moment: Moment::Before };
            let fault = Fault { point, effect: Effect::Fail };
            let faults = Faults { faults: vec![fault], later: 0 };
            let report = bench.apply(faults).await.unwrap();
            if report.outcome == Outcome::Done {
                continue;
            }
            tried += 1;
            assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{}: {report:?}", step.id);
            let state = bench.world.state().await;
            let old = |text: &str| -> Vec<String> {
                let lines = text.lines().filter(|line| line.starts_with("machine app in fra"));
                lines.filter(|line| line.contains("mounts [data")).map(str::to_owned).collect()
            };
            assert!(
                old(&start).iter().all(|line| old(&state).contains(line)),
                "{} {phase}: the old side is not as it was:\n{state}",
                step.id
            );
        }
    }
    println!("{tried} failures between the stop and the release");
    assert!(tried >= 15, "{tried}");
}

/// A lease that a crash left blocked the next deploy (flyctl PR 1728, grants-stack-indexer 295): ours end by themselves, soon, and say whose they are.
#[tokio::test(flavor = "multi_thread")]
async fn failure_a_lease_that_a_crash_left() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let plan = live.plan().await;
    let killed = live.run_with(&Live::apply_args(&plan), Some("close:act:after:kill")).await;
    assert_eq!(killed.signal, Some(9), "{}", killed.stderr);
    let writer = live.world.client.writer(fly_api::WriteAccess::approved("the test"));
    let (name, id) = (app(), "148e21ea7e4301".parse().unwrap());
    let deploy = fly_api::LeaseRequest::new("a deploy");
    // No deploy comes between the cutover and whoever takes the run up again.
    let held = writer.machine(&name, &id).lease(&deploy).await.unwrap_err();
    assert!(matches!(held.reason, fly_api::Reason::LeaseHeld(_)), "{held}");
    let found = live.world.client.machine_lease(&name, &id).await.unwrap().value;
    let words = found.lease().unwrap().description.text().unwrap().to_owned();
    let run = runbook::store::RunId::of(plan.plan(), plan.digest());
    assert!(words.contains(run.as_str()), "whose lease it is: {words}");
    live.world.sim.advance(std::time::Duration::from_secs(31));
    writer.machine(&name, &id).lease(&deploy).await.unwrap().release().await.unwrap();
    let done = live.run(&["region", "resume"]).await;
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert_eq!(live.world.leases().await, Vec::<String>::new());
}

/// A copy that was taken before the sync lost a file (flyctl PR 2148).
#[tokio::test]
async fn failure_a_copy_before_the_sync() {
    let scenario = Moving::of(VOLUME);
    let bench = Bench::new(&scenario, false).await;
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("the test"));
    let (name, id) = (app(), "148e21ea7e4301".parse().unwrap());
    let write = fly_api::Command::new(["sh", "-c", "echo late > /data/late.txt"]);
    writer.machine(&name, &id).exec(&write).await.unwrap();
    assert_eq!(bench.apply(Faults::none()).await.unwrap().outcome, Outcome::Done);
    let inventory = bench.world.inventory().await;
    let files = |region: &str| {
        let volume = inventory.volumes.iter().find(|one| one.region.as_str() == region).unwrap();
        bench.world.files(volume.id.as_str())
    };
    assert_eq!(files("fra"), files("ams"));
    assert_eq!(files("ams")["late.txt"], "late\n");
}

/// Only the variable was changed, not the key, so the failover did nothing (docs PR 1245).
#[tokio::test]
async fn failure_the_primary_region_is_written_in_two_places() {
    let text = "app = \"shop\"\nprimary_region = \"fra\"\n\n[env]\n  LOG = \"info\"\n  PRIMARY_REGION = \"fra\"\n".to_owned();
    let plan = planned(STATELESS, &Options { fly_toml: Some(text), ..options() }).await;
    let patch = patches(&plan);
    assert!(patch.contains("+primary_region = \"ams\""), "{patch}");
    assert!(patch.contains("+  PRIMARY_REGION = \"ams\""), "{patch}");
}

/// One Machine got another primary region than the rest (flyctl 3509): it is said, and nothing is evened out by itself.
#[tokio::test]
async fn failure_machines_that_disagree_on_their_primary_region() {
    let text = STATELESS.replacen(
        "env = { PRIMARY_REGION = \"fra\"",
        "env = { PRIMARY_REGION = \"iad\"",
        1,
    );
    assert_ne!(text, STATELESS);
    let plan = planned(&text, &options()).await;
    assert!(
        plan.warnings.iter().any(|text| text.contains("PRIMARY_REGION") && text.contains("iad")),
        "{:?}",
        plan.warnings
    );
}

/// Apps that had written 6PN addresses down broke when the platform moved a Machine (community 20265): a move changes them, too.
#[tokio::test]
async fn failure_addresses_that_somebody_wrote_down() {
    let text = STATELESS.replacen(
        "LOG_LEVEL = \"info\"",
        "UPSTREAM = \"http://[fdaa:0:18:a7b:7d:f066:c83b:2]:8080\"",
        1,
    );
    assert_ne!(text, STATELESS);
    let plan = planned(&text, &options()).await;
    let warned = plan.warnings.iter().any(|text| text.contains("UPSTREAM"));
    let asked = plan.steps().any(|step| step.params.to_string().contains("UPSTREAM"));
    assert!(warned || asked, "{:?}", plan.warnings);
    let sealed = runbook::sealed::SealedPlan::seal(plan).unwrap();
    assert!(
        !sealed.to_text().contains("fdaa:0:18:a7b:7d:f066:c83b:2]:8080"),
        "a value of a variable"
    );
}
