//! What each template promises beyond the generic checks: no run twice, no group without Machines, no row lost, no volume used again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use migrate::inventory::{Inventory, MachineInfo};
use runbook::approval::{Approval, phrase};
use runbook::executor::Executor as _;
use runbook::inject::Faults;
use runbook::journal::Record;
use runbook::outcome::{Outcome, Report};
use runbook::plan::{Id, Plan};
use runbook::progress::Progress;
use runbook::testing::Bench;
use serde_json::json;

use crate::bench::{Moving, World, app};

const SCHEDULED: &str = include_str!("worlds/scheduled.toml");
const UNMANAGED: &str = include_str!("worlds/unmanaged.toml");
const STANDBY: &str = include_str!("worlds/standby.toml");
const GROUPS: &str = include_str!("worlds/groups.toml");
const EGRESS: &str = include_str!("worlds/egress.toml");
const ASLEEP: &str = include_str!("worlds/asleep.toml");
const LITEFS: &str = include_str!("worlds/litefs.toml");
const LOST: &str = include_str!("worlds/lost.toml");
const SHARDS: &str = include_str!("worlds/shards.toml");

/// Does something when a step is done.
struct At<F>(F);

impl<F: Fn(&Id) + Send + Sync> Progress for At<F> {
    fn record(&self, _: &Plan, record: &Record) {
        if let runbook::event::Event::Done { step, .. } = &record.event {
            (self.0)(step);
        }
    }
}

async fn watched(bench: &Bench<'_, Moving>, act: impl Fn(&Id) + Send + Sync + 'static) -> Report {
    let approval = Approval::from_flag(&bench.plan, true, phrase(&bench.plan)).unwrap();
    let process = bench.process(Faults::none()).await.progress(Arc::new(At(act)));
    process.apply(&bench.plan, &approval).await.unwrap()
}

/// A finished move.
async fn moved(scenario: &Moving) -> Bench<'_, Moving> {
    let bench = Bench::new(scenario, false).await;
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    bench
}

fn in_region<'a>(inventory: &'a Inventory, region: &str) -> Vec<&'a MachineInfo> {
    inventory.machines.iter().filter(|machine| machine.region.as_str() == region).collect()
}

/// How often the platform started a Machine by its schedule.
async fn fired(world: &World, id: &str) -> usize {
    let events =
        world.client.machine_events(&app(), &id.parse().unwrap(), 100).await.unwrap().value;
    let by_schedule = |event: &&fly_types::wire::Event| {
        event.event_type.text() == Some("start")
            && event.status.text() == Some("starting")
            && event.source.text() == Some("flyd")
    };
    events.iter().filter(by_schedule).count()
}

#[tokio::test]
async fn a_schedule_never_fires_on_both_sides() {
    let scenario = Moving::of(SCHEDULED);
    let bench = Bench::new(&scenario, false).await;
    let plan = bench.plan.plan();
    let said = |word: &str| plan.warnings.iter().any(|text| text.contains(word));
    assert!(said("148e21ea7e4302 runs daily: it was last started at"), "{:?}", plan.warnings);
    assert!(said("is missed"), "{:?}", plan.warnings);
    // Hours pass before and after each step: whatever fires, fires.
    let sim = Arc::clone(&bench.world.sim);
    let report = watched(&bench, move |step| {
        if !matches!(step.as_str(), "unchanged" | "schedules" | "close" | "stop") {
            sim.advance(std::time::Duration::from_mins(61));
        }
    })
    .await;
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    let inventory = bench.world.inventory().await;
    let with = |region: &str| {
        in_region(&inventory, region).into_iter().filter(|one| one.schedule.is_some()).count()
    };
    assert_eq!((with("fra"), with("ams")), (0, 2));
    let old = fired(&bench.world, "148e21ea7e4303").await;
    assert!(old > 0, "it fired before the move of the schedule");
    bench.world.sim.advance(std::time::Duration::from_hours(3));
    bench.world.sim.advance(std::time::Duration::from_mins(1));
    assert_eq!(fired(&bench.world, "148e21ea7e4303").await, old, "the old one is silent now");
    let copy = in_region(&inventory, "ams")
        .into_iter()
        .find(|one| one.schedule.as_deref() == Some("hourly"))
        .unwrap();
    assert!(fired(&bench.world, copy.id.as_str()).await > 0, "the copy does the work");
}

#[tokio::test]
async fn a_run_of_the_job_that_is_under_way_is_waited_for() {
    let slow =
        "[[behaviors]]\nprocess_group = \"sweep\"\nexit_code = 0\nafter = \"15s\"\n\n[[apps]]\n";
    let text: &'static str = SCHEDULED.replacen("[[apps]]\n", slow, 1).leak();
    let scenario = Moving::of(text);
    let bench = Bench::new(&scenario, false).await;
    let sim = Arc::clone(&bench.world.sim);
    let report = watched(&bench, move |step| {
        if step.as_str() == "healthy" {
            sim.advance(std::time::Duration::from_mins(61));
        }
    })
    .await;
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    let id = "148e21ea7e4303".parse().unwrap();
    let events = bench.world.client.machine_events(&app(), &id, 100).await.unwrap().value;
    let at = |kind: &str| {
        let found = events.iter().find(|event| event.event_type.text() == Some(kind)).unwrap();
        found.timestamp.copied().unwrap()
    };
    assert_eq!(fired(&bench.world, "148e21ea7e4303").await, 1);
    assert!(at("exit") >= at("start") + 15_000, "the job ran to its end");
    assert!(at("update") >= at("exit"), "and only then its schedule went");
}

#[tokio::test]
async fn unmanaged_machines_keep_their_metadata_and_the_plan_says_what_does_not_touch_them() {
    let scenario = Moving::of(UNMANAGED);
    let bench = moved(&scenario).await;
    let warnings = &bench.plan.plan().warnings;
    let told = warnings.iter().find(|text| text.contains("not managed")).unwrap();
    assert!(told.contains("148e21ea7e4302") && told.contains("148e21ea7e4303"), "{told}");
    let inventory = bench.world.inventory().await;
    let bare = |machine: &MachineInfo| {
        let mut metadata = machine.metadata.clone();
        metadata.retain(|key, _| !key.starts_with("flyops_"));
        (machine.managed, metadata)
    };
    let of = |region: &str| {
        let mut all: Vec<_> = in_region(&inventory, region).into_iter().map(bare).collect();
        all.sort();
        all
    };
    assert_eq!(of("fra").len(), 3);
    assert_eq!(of("fra"), of("ams"));
}

#[tokio::test]
async fn standbys_wait_for_the_machines_that_serve_now() {
    let scenario = Moving::of(STANDBY);
    let bench = moved(&scenario).await;
    let inventory = bench.world.inventory().await;
    let ams = in_region(&inventory, "ams");
    let workers: BTreeSet<&str> = ams
        .iter()
        .filter(|machine| machine.standbys.is_empty() && machine.runs())
        .map(|machine| machine.id.as_str())
        .collect();
    assert_eq!(workers.len(), 2);
    let near = ams.iter().find(|machine| !machine.standbys.is_empty()).unwrap();
    let far = inventory.machine(&"148e21ea7e4304".parse().unwrap()).unwrap();
    let mut named: Vec<&str> =
        near.standbys.iter().chain(&far.standbys).map(fly_types::MachineId::as_str).collect();
    named.sort_unstable();
    assert_eq!(named, workers.into_iter().collect::<Vec<_>>());
}

/// H19: looked at after every step, in the move and in the cleanup.
#[tokio::test]
async fn h19_every_process_group_has_a_machine_at_every_moment() {
    let scenario = Moving::of(GROUPS);
    let bench = Bench::new(&scenario, false).await;
    let groups = |machines: &[fly_types::wire::Machine]| {
        let mut groups: BTreeMap<String, bool> = BTreeMap::new();
        for machine in machines {
            let serves = !machine.cordoned.copied().unwrap_or(false);
            let group = machine.process_group().unwrap_or("-").to_owned();
            *groups.entry(group).or_default() |= serves;
        }
        groups
    };
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (sim, kept) = (Arc::clone(&bench.world.sim), Arc::clone(&seen));
    let report = watched(&bench, move |step| {
        let rows = sim.control("GET", "/_sim/machines", serde_json::Value::Null).unwrap();
        let machines: Vec<fly_types::wire::Machine> = serde_json::from_value(rows).unwrap();
        kept.lock().unwrap().push((step.clone(), groups(&machines)));
    })
    .await;
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 20);
    for (step, groups) in seen.iter() {
        assert_eq!(groups.len(), 5, "after {step}: {groups:?}");
        // Groups without a volume are served all the time.
        for group in ["web", "api"] {
            assert!(groups[group], "after {step} nothing of {group} is in the pool");
        }
    }
}

#[tokio::test]
async fn h19_the_cleanup_keeps_one_machine_of_each_group() {
    let scenario = Moving::of(GROUPS);
    let bench = moved(&scenario).await;
    let inventory = bench.world.inventory().await;
    let copy = in_region(&inventory, "ams")
        .into_iter()
        .find(|machine| machine.group.as_deref() == Some("mailer"))
        .unwrap();
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("the test"));
    writer.machine(&app(), &copy.id).destroy(true).await.unwrap();
    bench.world.sim.advance(std::time::Duration::from_secs(5));
    let inventory = bench.world.inventory().await;
    let now = bench.world.sim.now();
    let error =
        migrate::template::cleanup::cleanup(bench.plan.plan(), &inventory, now).unwrap_err();
    assert!(error.to_string().contains("last one of process group mailer (H19)"), "{error}");
}

/// H17: ten minutes pass, a person answers, and the old pair is released by the cleanup only.
#[tokio::test]
async fn h17_egress_addresses_take_their_time_and_go_last() {
    let scenario = Moving::of(EGRESS);
    let bench = Bench::new(&scenario, false).await;
    let start = bench.world.state().await;
    let approval = Approval::from_flag(&bench.plan, true, phrase(&bench.plan)).unwrap();
    let began = bench.world.sim.now();
    let process = bench.process(Faults::none()).await.answers(BTreeMap::new());
    let report = process.apply(&bench.plan, &approval).await.unwrap();
    let error = report.outcome.error().unwrap();
    assert!(bench.world.sim.now().duration_since(began).as_secs() >= 600);
    assert!(error.message.contains("203.0.113.7"), "{error}");
    assert!(error.hint.as_deref().unwrap().contains("--answer allow-listed="), "{error:?}");
    let inventory = bench.world.inventory().await;
    assert!(in_region(&inventory, "ams").is_empty(), "nothing moves before the answer");
    // Back: the new pair is given back.
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
    // Forward, with the answer.
    let bench = moved(&scenario).await;
    let addresses = |inventory: &Inventory, region: &str| {
        inventory.addresses.iter().filter(|one| one.region == region).count()
    };
    let inventory = bench.world.inventory().await;
    assert_eq!((addresses(&inventory, "fra"), addresses(&inventory, "ams")), (2, 2));
    let now = bench.world.sim.now();
    let plan = migrate::template::cleanup::cleanup(bench.plan.plan(), &inventory, now).unwrap();
    let last = plan.plan().steps().last().unwrap();
    assert_eq!(last.id, "release-egress".into());
    // A Machine that stays in the region still needs them.
    let mut more = inventory.clone();
    let mut stays = more.machines[0].clone();
    stays.id = "148e21ea7e43ff".parse().unwrap();
    stays.region = "fra".parse().unwrap();
    more.machines.push(stays);
    let plan = migrate::template::cleanup::cleanup(bench.plan.plan(), &more, now).unwrap();
    assert!(plan.plan().step(&"release-egress".into()).is_none());
}

/// H06 and H22.
#[tokio::test]
async fn machines_that_the_proxy_put_to_sleep_count_as_well() {
    let scenario = Moving::of(ASLEEP);
    let bench = Bench::new(&scenario, false).await;
    let told = bench.plan.plan().warnings.iter().find(|text| text.starts_with("H22")).unwrap();
    assert!(told.contains("148e21ea7e4302") && told.contains("boot anew"), "{told}");
    // The proxy puts every copy to sleep, in both ways, while it is verified and watched.
    let sim = Arc::clone(&bench.world.sim);
    let report = watched(&bench, move |step| {
        let word = match step.as_str() {
            "unchanged" => "suspended",
            "drain" => "stopped",
            _ => return,
        };
        let rows = sim.control("GET", "/_sim/machines", serde_json::Value::Null).unwrap();
        for row in rows.as_array().unwrap().iter().filter(|row| row["region"] == "ams") {
            let path = format!("/_sim/machines/{}", row["id"].as_str().unwrap());
            sim.control("POST", &path, json!({"state": word})).unwrap();
        }
    })
    .await;
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
}

fn rows(world: &World, inventory: &Inventory, region: &str) -> Vec<String> {
    let volumes = inventory.volumes.iter().filter(|volume| volume.region.as_str() == region);
    volumes.map(|volume| world.files(volume.id.as_str())["app.db"].clone()).collect()
}

const WRITTEN: &str = "[apps.litefs]\nwrite_every = \"1s\"\n";

/// What the old primary has at the moment when it is told to step down.
struct LastRows {
    sim: Arc<fly_sim::Sim>,
    rows: std::sync::Mutex<String>,
}

impl Progress for LastRows {
    fn record(&self, _: &Plan, _: &Record) {}

    fn note(&self, _: &Id, text: &str) {
        if text.starts_with("148e21ea7e4301 is told") {
            let path = "/_sim/volumes/vol_00000000000000l1/files";
            let files = self.sim.control("GET", path, serde_json::Value::Null).unwrap();
            files["files"]["app.db"].as_str().unwrap().clone_into(&mut self.rows.lock().unwrap());
        }
    }
}

/// The app writes all the time that anybody is served, also by the node that stays. Every row that the old primary took is there at the end.
#[tokio::test]
async fn no_row_of_a_litefs_cluster_is_lost() {
    let text: &'static str = LITEFS.replace("[apps.litefs]\n", WRITTEN).leak();
    let scenario = Moving::of(text);
    let bench = Bench::new(&scenario, false).await;
    let last =
        Arc::new(LastRows { sim: Arc::clone(&bench.world.sim), rows: std::sync::Mutex::default() });
    let approval = Approval::from_flag(&bench.plan, true, phrase(&bench.plan)).unwrap();
    let process = bench.process(Faults::none()).await.progress(last.clone());
    let report = process.apply(&bench.plan, &approval).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    let inventory = bench.world.inventory().await;
    let before = last.rows.lock().unwrap().clone();
    assert!(before.lines().count() > 5 && before.contains("by 148e21ea7e4301"), "{before}");
    for now in rows(&bench.world, &inventory, "ams") {
        assert!(now.starts_with(&before), "before:\n{before}\nnow:\n{now}");
    }
    let members = in_region(&inventory, "ams").len() + in_region(&inventory, "iad").len();
    let told = inventory.machines.iter().filter(|one| one.primary_region.as_deref() == Some("ams"));
    assert_eq!((members, told.count()), (3, 5), "all nodes know the new primary region");
    let volumes = inventory.volumes.iter().filter(|one| one.region.as_str() == "ams").count();
    assert_eq!(volumes, 2);
}

/// H20: a node is down when the old ones are about to stop, one by one.
#[tokio::test]
async fn h20_a_node_is_only_taken_away_from_a_cluster_that_is_whole() {
    let scenario = Moving::of(LITEFS);
    let bench = Bench::new(&scenario, false).await;
    let sim = Arc::clone(&bench.world.sim);
    let report = watched(&bench, move |step| {
        if step.as_str() == "open-nodes" {
            sim.control("POST", "/_sim/machines/148e21ea7e4303", json!({"state": "stopped"}))
                .unwrap();
        }
    })
    .await;
    let error = report.outcome.error().unwrap();
    assert!(error.message.contains("148e21ea7e4303"), "{error}");
    let inventory = bench.world.inventory().await;
    assert!(in_region(&inventory, "fra").iter().all(|node| node.runs()), "no node was stopped");
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("the test"));
    writer.machine(&app(), &"148e21ea7e4303".parse().unwrap()).start().await.unwrap();
    assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
}

/// H20: a node that does not catch up never leads, and the app goes on where it is.
#[tokio::test]
async fn h20_a_node_that_lags_never_leads() {
    let text: &'static str = LITEFS.replace("catch_up = \"500ms\"", "catch_up = \"20h\"").leak();
    let scenario = Moving::of(text);
    let bench = Bench::new(&scenario, false).await;
    let start = bench.world.state().await;
    let report = bench.apply(Faults::none()).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
    let state = bench.world.state().await;
    assert!(!state.contains("in fra running cordoned"), "the old nodes still serve: {state}");
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
}

/// H12.
#[tokio::test]
async fn what_is_on_a_dead_host_comes_from_the_newest_snapshot() {
    let scenario = Moving::of(LOST);
    let bench = moved(&scenario).await;
    let plan = bench.plan.plan();
    let told =
        plan.warnings.iter().find(|text| text.contains("is restored from its snapshot")).unwrap();
    assert!(told.contains("2 h 0 min old: everything written since is lost"), "{told}");
    assert!(plan.step(&"data-loss".into()).is_some() && plan.step(&"freeze".into()).is_none());
    let inventory = bench.world.inventory().await;
    let volumes = inventory.volumes.iter().filter(|volume| volume.region.as_str() == "ams");
    let ids: Vec<&str> = volumes.map(|volume| volume.id.as_str()).collect();
    assert_eq!(ids.len(), 1);
    assert_ne!(ids[0], "vol_00000000000000d1");
    assert_eq!(bench.world.files(ids[0]).len(), 2);
    let asked = bench.world.sim.requests();
    let forks = asked.iter().filter(|one| one.method == "POST" && one.path.ends_with("/volumes"));
    assert_eq!(forks.count(), 1, "and nothing was forked");
    assert_eq!(in_region(&inventory, "ams").iter().filter(|one| one.runs()).count(), 3);
    // The cleanup destroys what could not be stopped.
    let now = bench.world.sim.now();
    let cleanup = migrate::template::cleanup::cleanup(plan, &inventory, now).unwrap();
    let destroy = cleanup.plan().step(&"destroy".into()).unwrap();
    assert_eq!(destroy.params["force"], json!(["148e21ea7e4302", "148e21ea7e4303"]));
}

/// Each shard has its own content and size, before and after.
#[tokio::test]
async fn every_shard_gets_its_own_volume() {
    let scenario = Moving::of(SHARDS);
    let bench = moved(&scenario).await;
    let inventory = bench.world.inventory().await;
    let rows = bench.world.sim.control("GET", "/_sim/machines", serde_json::Value::Null).unwrap();
    let of = |region: &str| -> BTreeMap<String, (i64, BTreeMap<String, String>)> {
        let machines = rows.as_array().unwrap().iter().filter(|row| row["region"] == region);
        let row = |machine: &serde_json::Value| {
            let id = machine["config"]["mounts"][0]["volume"].as_str().unwrap().parse().unwrap();
            let volume = inventory.volume(&id).unwrap();
            let shard = machine["config"]["env"]["SHARD"].as_str().unwrap().to_owned();
            (shard, (volume.size_gb, bench.world.files(id.as_str())))
        };
        machines.map(row).collect()
    };
    assert_eq!(of("fra").len(), 3);
    assert_eq!(of("fra"), of("ams"));
}
