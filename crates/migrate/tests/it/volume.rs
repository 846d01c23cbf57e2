//! Jobs on volumes against the simulator: the generic checks over each plan, contents, faults, refusals.

use async_trait::async_trait;
use fly_sim::Variants;
use migrate::regions::Regions;
use migrate::volume::plan::{HELPER_IMAGE, Job, JobError, Request, plan};
use runbook::context::Clock;
use runbook::error::Refusal;
use runbook::inject::Faults;
use runbook::kind::Registry;
use runbook::outcome::Outcome;
use runbook::sealed::SealedPlan;
use runbook::testing::{Baseline, Bench, Scenario, baseline};
use serde_json::json;

use crate::bench::{Net, World, app};

const WORLD: &str = include_str!("worlds/volumes.toml");
pub(crate) const DATA: &str = "vol_0000000000000001";

pub(crate) struct Work {
    net: Net,
    job: Job,
}

impl Work {
    pub(crate) fn of(job: Job) -> Self {
        Self { net: Net::new(), job }
    }
}

async fn planned(world: &World, job: &Job) -> Result<SealedPlan, JobError> {
    let regions = Regions::read(&world.client).await.unwrap();
    let inventory = world.inventory().await;
    let snapshots = match job {
        Job::Restore { volume, .. } => {
            migrate::volume::cli::snapshots(&world.client, &app(), volume).await.unwrap()
        }
        _ => Vec::new(),
    };
    plan(&Request {
        job: job.clone(),
        inventory: &inventory,
        regions: &regions,
        snapshots: &snapshots,
        now: world.sim.now(),
        image: HELPER_IMAGE.to_owned(),
    })
}

#[async_trait]
impl Scenario for Work {
    type World = World;

    async fn world(&self) -> World {
        self.net.world(WORLD, Variants::default()).await
    }

    async fn plan(&self, world: &World) -> SealedPlan {
        planned(world, &self.job).await.unwrap()
    }

    async fn registry(&self, world: &World) -> Registry {
        migrate::steps::registry(&world.platform(), None)
    }

    async fn digest(&self, world: &World) -> String {
        world.state().await
    }

    async fn leftovers(&self, world: &World) -> Vec<String> {
        let mut left = world.leases().await;
        let inventory = world.inventory().await;
        let helpers = inventory.machines.iter().filter(|machine| machine.image.contains("alpine"));
        left.extend(helpers.map(|machine| format!("helper {}", machine.id)));
        let copies = inventory.volumes.iter().filter(|volume| volume.name == "flyops_copy");
        left.extend(copies.map(|volume| format!("temporary volume {}", volume.id)));
        left
    }

    async fn settle(&self, world: &World) {
        world.sim.advance(std::time::Duration::from_mins(1));
    }

    fn clock(&self, world: &World) -> Clock {
        let sim = std::sync::Arc::clone(&world.sim);
        std::sync::Arc::new(move || sim.now())
    }
}

fn add() -> Job {
    Job::Add {
        name: "data".to_owned(),
        region: None,
        size_gb: 3,
        machine: Some("148e21ea7e4301".parse().unwrap()),
    }
}

pub(crate) fn fork(region: Option<&str>) -> Job {
    Job::Fork {
        volume: DATA.parse().unwrap(),
        region: region.map(|code| code.parse().unwrap()),
        name: None,
        size_gb: None,
        sync: true,
    }
}

fn restore() -> Job {
    Job::Restore {
        volume: DATA.parse().unwrap(),
        snapshot: None,
        region: Some("ams".parse().unwrap()),
        name: None,
        size_gb: None,
        max_age_hours: Some(6),
    }
}

pub(crate) fn shrink(volume: &str, size_gb: i64) -> Job {
    Job::Shrink { volume: volume.parse().unwrap(), size_gb }
}

async fn all(name: &str, job: Job) -> Baseline {
    let work = Work::of(job);
    crate::saga::matrix(name, &work).await;
    baseline(&work).await.unwrap()
}

const FILES: &str = r#"{"db/one": "first\n", "two": "second\n"}"#;

#[tokio::test]
async fn an_added_volume_is_empty_and_was_mounted_once() {
    let base = all("add", add()).await;
    assert!(base.end.contains("volume data in fra 3 GB free"), "{}", base.end);
    assert!(base.end.contains("content of data in fra: {}"), "{}", base.end);
}

#[tokio::test]
async fn a_fork_in_another_region_has_the_same_files() {
    let base = all("fork", fork(Some("ams"))).await;
    assert!(base.end.contains(&format!("content of data in ams: {FILES}")), "{}", base.end);
    assert!(base.end.contains(&format!("content of data in fra: {FILES}")), "{}", base.end);
}

#[tokio::test]
async fn a_restored_snapshot_says_how_old_it_is() {
    let base = all("restore", restore()).await;
    assert!(base.plan.summary.contains("3 hours old"), "{}", base.plan.summary);
    assert!(base.end.contains("volume data in ams 10 GB free"), "{}", base.end);
}

#[tokio::test]
async fn a_lost_answer_to_the_create_makes_no_second_volume() {
    let work = Work::of(fork(None));
    let bench = Bench::new(&work, false).await;
    let fault = json!({"name": "lost", "method": "POST", "path": "/v1/apps/shop/volumes", "count": 1, "effect": "lost_reply"});
    bench.world.sim.control("POST", "/_sim/faults", fault).unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    let volumes = bench.world.inventory().await.volumes;
    assert_eq!(volumes.iter().filter(|volume| volume.name == "data").count(), 2);
}

#[tokio::test]
async fn a_full_host_stops_the_probe_and_undo_leaves_nothing() {
    let work = Work::of(Job::Add {
        name: "data".to_owned(),
        region: Some("fra".parse().unwrap()),
        size_gb: 3,
        machine: None,
    });
    let bench = Bench::new(&work, false).await;
    let start = bench.world.state().await;
    bench
        .world
        .sim
        .control("POST", "/_sim/regions/fra", json!({"full_volume_hosts": true}))
        .unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    let Outcome::Stopped { error } = &report.outcome else { panic!("{:?}", report.outcome) };
    assert!(error.message.contains("on the host of"), "{}", error.message);
    assert!(error.hint.as_deref().unwrap_or_default().contains("fork"), "{:?}", error.hint);
    let report = bench.undo(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
}

#[tokio::test]
async fn a_changed_app_is_noticed_before_anything_is_done() {
    let work = Work::of(shrink(DATA, 2));
    let bench = Bench::new(&work, false).await;
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("a test"));
    let id = "148e21ea7e4301".parse().unwrap();
    writer
        .machine(&app(), &id)
        .update(&fly_api::UpdateOptions::default(), |config| {
            config.image = "other".to_owned().into();
        })
        .await
        .unwrap();
    let refused = bench.apply(Faults::none()).await.unwrap_err();
    assert!(matches!(refused, Refusal::Stale(_)), "{refused}");
}

#[tokio::test]
async fn bad_input_is_refused_with_what_to_do() {
    let world = Net::new().world(WORLD, Variants::default()).await;
    let before = world.state().await;
    let named = |name: &str, region: &str, size_gb| Job::Add {
        name: name.to_owned(),
        region: Some(region.parse().unwrap()),
        size_gb,
        machine: None,
    };
    let Job::Add { machine, .. } = add() else { unreachable!() };
    let elsewhere = Job::Add {
        name: "data".to_owned(),
        region: Some("ams".parse().unwrap()),
        size_gb: 1,
        machine,
    };
    let mut old = restore();
    if let Job::Restore { max_age_hours, .. } = &mut old {
        *max_age_hours = Some(1);
    }
    let mut small = fork(None);
    if let Job::Fork { size_gb, .. } = &mut small {
        *size_gb = Some(1);
    }
    for (job, what, todo) in [
        (named("Data!", "fra", 1), "no name of a volume", "lower-case"),
        (named("data", "yul", 1), "deprecated", "near"),
        (named("data", "xyz", 1), "no region", "regions are"),
        (named("data", "fra", 0), "cannot have 0 GB", "1 to 500"),
        (elsewhere, "could not be mounted", "--region fra"),
        (shrink("vol_00000000000000zz", 1), "has no volume", DATA),
        (shrink(DATA, 10), "not smaller", "extend"),
        (old, "3 hours old", "snapshots create"),
        (small, "cannot be smaller", "shrink"),
    ] {
        let error = planned(&world, &job).await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.hint().contains(todo), "{}", error.hint());
    }
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn data_that_does_not_fit_is_refused() {
    let full = WORLD.replace("used_bytes = 1048576", "used_bytes = 2000000000");
    let world = Net::new().world(&full, Variants::default()).await;
    let error = planned(&world, &shrink(DATA, 2)).await.unwrap_err();
    assert!(error.to_string().contains("does not fit"), "{error}");
    assert!(planned(&world, &shrink(DATA, 3)).await.is_ok());
}

#[tokio::test]
async fn a_shrunk_volume_has_the_same_files() {
    let base = all("shrink", shrink(DATA, 2)).await;
    let lines: Vec<&str> = base.end.lines().collect();
    for line in [
        "volume data in fra 2 GB attached encrypted",
        "volume data in fra 10 GB attached encrypted",
        &format!("content of data in fra: {FILES}"),
    ] {
        assert!(lines.contains(&line), "{line}: {}", base.end);
    }
    let machine = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(machine("in fra running,"), 1, "the successor serves: {}", base.end);
    assert_eq!(machine("in fra resting cordoned,"), 1, "the old one is kept: {}", base.end);
    assert_eq!(machine(&format!("content of data in fra: {FILES}")), 2, "{}", base.end);
}

#[tokio::test]
async fn a_free_volume_is_shrunk() {
    let base = all("shrink a free volume", shrink("vol_0000000000000002", 2)).await;
    assert!(base.end.contains("volume archive in fra 2 GB free"), "{}", base.end);
    let content = "content of archive in fra: {\"old\": \"ancient\\n\"}";
    assert_eq!(base.end.lines().filter(|line| *line == content).count(), 2, "{}", base.end);
}
