//! Every hazard of the catalogue, tried twice: with its guard nothing goes wrong, and with the guard taken away the very same check fails. So each
//! guard is what protects, and each check can fail.

use std::sync::Arc;
use std::time::Duration;

use migrate::guards::{Guards, Hazard};
use migrate::inventory::Inventory;
use migrate::platform::Platform;
use migrate::regions::Regions;
use migrate::template::{Options, PlanError, Request, plan};
use runbook::approval::{Approval, phrase};
use runbook::error::Refusal;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::inject::Faults;
use runbook::journal::Record;
use runbook::outcome::{Outcome, Report};
use runbook::outputs::Outputs;
use runbook::plan::{Group, Id, Plan};
use runbook::progress::Progress;
use runbook::sealed::SealedPlan;
use runbook::store::RunId;
use runbook::store::memory::MemoryStore;
use serde_json::json;

use crate::bench::{Net, World, app, options};
use crate::saga::{STATELESS, VOLUME};

const LOST: &str = include_str!("worlds/lost.toml");
const LITEFS: &str = include_str!("worlds/litefs.toml");
const EGRESS: &str = include_str!("worlds/egress.toml");

/// A world with a plan that has all guards, or all but one.
struct Trial {
    world: World,
    options: Options,
    store: MemoryStore,
}

/// What came of a plan and its run.
enum End {
    /// No plan was made.
    Unplanned,
    /// Nothing was begun.
    Refused(Refusal),
    /// How the run ended.
    Ran(Box<Report>),
}

impl End {
    fn done(&self) -> bool {
        matches!(self, Self::Ran(report) if report.outcome == Outcome::Done)
    }
}

impl Trial {
    async fn new(text: &str, guards: Guards) -> Self {
        let world = Net::new().world(text, fly_sim::Variants::default()).await;
        Self { world, options: with(guards), store: MemoryStore::new() }
    }

    async fn inventory(&self) -> Inventory {
        self.world.inventory().await
    }

    async fn plan(&self) -> Result<SealedPlan, PlanError> {
        let regions = Regions::read(&self.world.client).await.unwrap();
        let request = Request {
            source: "fra".parse().unwrap(),
            target: "ams".parse().unwrap(),
            now: self.world.sim.now(),
            options: self.options.clone(),
        };
        plan(&self.inventory().await, &regions, &request)
    }

    fn executor(&self) -> LocalExecutor {
        let sim = Arc::clone(&self.world.sim);
        let platform = Platform::clone(&self.world.platform()).guarded_by(self.options.guards);
        let registry = migrate::steps::registry(&Arc::new(platform), None);
        LocalExecutor::new(registry, Arc::new(self.store.clone()), Arc::new(move || sim.now()))
    }

    async fn apply(&self, sealed: &SealedPlan, faults: Faults, progress: Arc<dyn Progress>) -> End {
        let approval = Approval::from_flag(sealed, true, phrase(sealed)).unwrap();
        let executor = self.executor().faults(faults).progress(progress);
        match executor.apply(sealed, &approval).await {
            Ok(report) => End::Ran(Box::new(report)),
            Err(refusal) => End::Refused(refusal),
        }
    }

    async fn resume(&self, sealed: &SealedPlan) -> Report {
        let run = RunId::of(sealed.plan(), sealed.digest());
        let approval = Approval::from_flag(sealed, true, phrase(sealed)).unwrap();
        self.executor().resume(&run, &approval).await.unwrap()
    }

    /// Applies, and fails at this step before anything of it is done. Without the step: runs to its end.
    async fn up_to(&self, sealed: &SealedPlan, step: &str) -> End {
        let stop = format!("{step}:observe:before:fail").parse().unwrap();
        self.apply(sealed, Faults { faults: vec![stop], later: 0 }, silent()).await
    }

    /// Plans and applies.
    async fn run(&self) -> End {
        self.run_with(silent()).await
    }

    async fn run_with(&self, progress: Arc<dyn Progress>) -> End {
        match self.plan().await {
            Ok(sealed) => self.apply(&sealed, Faults::none(), progress).await,
            Err(_) => End::Unplanned,
        }
    }

    /// Files on the one volume of this name in a region that a Machine has.
    async fn files(&self, region: &str) -> std::collections::BTreeMap<String, String> {
        let inventory = self.inventory().await;
        let mut volumes = inventory.volumes.iter();
        let found = volumes.find(|one| one.region.as_str() == region && one.attached.is_some());
        found.map(|one| self.world.files(one.id.as_str())).unwrap_or_default()
    }

    async fn lines(&self, words: &[&str]) -> usize {
        let state = self.world.state().await;
        state.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    async fn deploy(&self, id: &str) -> Result<(), fly_api::WriteError> {
        crate::faults::deploy(&self.world.client, id).await
    }
}

fn silent() -> Arc<dyn Progress> {
    Arc::new(runbook::progress::Silent)
}

/// Does something to the world when a step is done.
struct Meddler<F> {
    after: Id,
    act: F,
}

impl<F: Fn(&Outputs) + Send + Sync> Progress for Meddler<F> {
    fn record(&self, _: &Plan, record: &Record) {
        if let runbook::event::Event::Done { step, outputs, .. } = &record.event
            && *step == self.after
        {
            (self.act)(outputs);
        }
    }
}

/// The check must hold with all guards, and fail without this one.
async fn guarded<F: Future<Output = bool>>(hazard: &str, safe: impl Fn(Guards) -> F) {
    let hazard = Hazard::parse(hazard).unwrap();
    assert!(safe(Guards::ALL).await, "{hazard}: the guard does not protect");
    assert!(
        !safe(Guards::ALL.without(hazard)).await,
        "{hazard}: the check does not notice that the guard is gone"
    );
}

fn with(guards: Guards) -> Options {
    Options { guards, ..options() }
}

/// Refused while planning, naming the hazard.
async fn refused(text: &str, options: Options, hazard: &str) -> bool {
    let world = Net::new().world(text, fly_sim::Variants::default()).await;
    let trial = Trial { world, options, store: MemoryStore::new() };
    match trial.plan().await {
        Err(PlanError::Blocked { problems, .. }) => {
            problems.iter().any(|one| one.hazard == Some(hazard))
        }
        _ => false,
    }
}

#[tokio::test]
async fn h01_writes_do_not_go_on_after_the_copy() {
    let text = VOLUME.replace(
        "snapshots = [{ at = \"-2h\", size = 900_000 }]",
        "snapshots = [{ at = \"-2h\", size = 900_000 }]\nwriter = { every = \"1s\" }",
    );
    assert_ne!(text, VOLUME);
    guarded("H01", async |guards| {
        let trial = Trial::new(&text, guards).await;
        let end = trial.run().await;
        trial.world.sim.advance(Duration::from_mins(5));
        let (old, new) = (trial.files("fra").await, trial.files("ams").await);
        // The new side goes on writing where the old one stopped.
        end.done()
            && old.iter().all(|(path, text)| new.get(path).is_some_and(|one| one.starts_with(text)))
    })
    .await;
}

#[tokio::test]
async fn h02_the_copy_has_what_was_written_last() {
    guarded("H02", async |guards| {
        let trial = Trial::new(VOLUME, guards).await;
        let writer = trial.world.client.writer(fly_api::WriteAccess::approved("the test"));
        let (name, id) = (app(), "148e21ea7e4301".parse().unwrap());
        let write = fly_api::Command::new(["sh", "-c", "echo late > /data/late.txt"]);
        writer.machine(&name, &id).exec(&write).await.unwrap();
        trial.run().await.done() && trial.files("ams").await.contains_key("late.txt")
    })
    .await;
}

#[tokio::test]
async fn h03_a_free_volume_of_the_same_name_in_the_target() {
    let stale = "\n[[apps.volumes]]\nid = \"vol_00000000000stale\"\nname = \"data\"\nregion = \"ams\"\nsize_gb = 3\n";
    let text = format!("{VOLUME}{stale}");
    guarded("H03", async |guards| refused(&text, with(guards), "H03").await).await;
}

#[tokio::test]
async fn h04_a_copy_that_lacks_a_file_is_never_released() {
    guarded("H04", async |guards| {
        let trial = Trial::new(VOLUME, guards).await;
        let sim = Arc::clone(&trial.world.sim);
        let act = move |outputs: &Outputs| {
            let path = format!("/_sim/volumes/{}", outputs.text("volume").unwrap());
            sim.control("POST", &path, json!({"files": {"db.sqlite": null}})).unwrap();
        };
        let meddler = Meddler { after: "fork-148e21ea7e4301-0".into(), act };
        let end = trial.run_with(Arc::new(meddler)).await;
        matches!(&end, End::Ran(report) if matches!(report.outcome, Outcome::Unsafe { .. }))
    })
    .await;
}

#[tokio::test]
async fn h07_users_are_moved_by_a_cordon() {
    guarded("H07", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        trial.run().await.done() && trial.lines(&["machine app in fra", " cordoned"]).await == 2
    })
    .await;
}

#[tokio::test]
async fn h08_requests_that_are_under_way_get_their_time() {
    // By its metrics it never ends.
    let busy = format!(
        "{STATELESS}\n[[apps.metrics]]\nname = \"fly_app_concurrency\"\nmachine = \"148e21ea7e4301\"\nvalue = 3.0\n"
    );
    guarded("H08", async |guards| {
        let trial = Trial::new(&busy, guards).await;
        let trial = Trial { options: Options { drain_seconds: 25, ..trial.options }, ..trial };
        assert!(trial.run().await.done());
        let requests = trial.world.sim.requests();
        let at = |word: &'static str| {
            requests.iter().filter(move |one| one.method == "POST" && one.path.ends_with(word))
        };
        let cordoned = at("/cordon").next_back().unwrap().at;
        let stopped = at("/stop").next().unwrap().at;
        stopped.duration_since(cordoned).as_secs() >= 25
    })
    .await;
}

/// Machines of other regions are told of the new primary region once the old Machines are out of the pool, not before.
#[tokio::test]
async fn h05_the_primary_region_moves_after_the_cutover() {
    guarded("H05", async |guards| {
        let trial = Trial::new(crate::plan_steps::PRIMARY, guards).await;
        assert!(trial.run().await.done());
        let requests = trial.world.sim.requests();
        let first = |end: &'static str| {
            let is = |one: &fly_sim::Recorded| one.method == "POST" && one.path.ends_with(end);
            requests.iter().position(is).unwrap()
        };
        first("148e21ea7e4301/cordon") < first("/machines/148e21ea7e4304")
    })
    .await;
}

#[tokio::test]
async fn h06_a_copy_that_the_proxy_put_to_sleep_is_well() {
    // The copy of the Machine that the proxy may stop is asleep before anybody looks at its health.
    guarded("H06", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let sim = Arc::clone(&trial.world.sim);
        let act = move |outputs: &Outputs| {
            let path = format!("/_sim/machines/{}", outputs.text("machine").unwrap());
            sim.control("POST", &path, json!({"state": "stopped"})).unwrap();
        };
        let meddler = Meddler { after: "create-148e21ea7e4302".into(), act };
        trial.run_with(Arc::new(meddler)).await.done()
    })
    .await;
}

#[tokio::test]
async fn h09_what_was_made_in_the_old_region_meanwhile_is_not_forgotten() {
    guarded("H09", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let sealed = trial.plan().await.unwrap();
        // With the guard it stops in time, without it the last step is over.
        trial.up_to(&sealed, "watch").await;
        let writer = trial.world.client.writer(fly_api::WriteAccess::approved("the test"));
        let new = fly_api::NewVolume::new("left", "fra".parse().unwrap());
        writer.create_volume(&app(), &new).await.unwrap();
        let report = trial.resume(&sealed).await;
        report.outcome.error().is_some_and(|error| error.message.contains("volume"))
    })
    .await;
}

/// Whether the plan has a warning with all of these words.
async fn warned(text: &str, guards: Guards, words: &[&str]) -> bool {
    let sealed = Trial::new(text, guards).await.plan().await.unwrap();
    let mut warnings = sealed.plan().warnings.iter();
    warnings.any(|one| words.iter().all(|word| one.contains(word)))
}

#[tokio::test]
async fn h10_the_plan_says_how_long_there_are_snapshots() {
    // The clock of the world starts on the first of September.
    let text = VOLUME.replacen("size_gb = 3\nused", "size_gb = 3\nsnapshot_retention = 7\nused", 1);
    assert_ne!(text, VOLUME);
    let words = ["vol_9vle3lw21kmzn6d4", "7 days", "2026-09-08"];
    guarded("H10", async |guards| warned(&text, guards, &words).await).await;
}

#[tokio::test]
async fn h16_variables_that_name_the_old_region_are_listed() {
    let text = STATELESS.replacen(
        "LOG_LEVEL = \"info\"",
        "CACHE = \"redis://fra.cache.internal:6379\", ALFRA = \"infrared\"",
        1,
    );
    guarded("H16", async |guards| warned(&text, guards, &["CACHE"]).await).await;
    assert!(!warned(&text, Guards::ALL, &["ALFRA"]).await, "a word that has the letters in it");
    let sealed = Trial::new(&text, Guards::ALL).await.plan().await.unwrap();
    assert!(!sealed.to_text().contains("fra.cache.internal"), "a value of a variable");
}

#[tokio::test]
async fn h11_a_target_without_room_is_found_before_anything_is_made() {
    guarded("H11", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        trial.world.sim.control("POST", "/_sim/regions/ams", json!({"machines": 1})).unwrap();
        let end = trial.run().await;
        !end.done() && trial.lines(&["in ams"]).await == 0
    })
    .await;
}

#[tokio::test]
async fn h12_data_on_a_dead_host_is_not_given_up_silently() {
    guarded("H12", async |guards| {
        let trial = Trial::new(LOST, guards).await;
        let end = trial.run().await;
        // Nobody accepted the loss: the run waits, and nothing was made.
        !end.done() && trial.lines(&["in ams"]).await == 0
    })
    .await;
    // Without a snapshot there is nothing to go on with.
    let text = LOST.replace("snapshots = [", "snapshots = []\n# [");
    guarded("H12", async |guards| refused(&text, with(guards), "H12").await).await;
}

#[tokio::test]
async fn h13_a_host_migration_between_plan_and_apply_is_harmless() {
    guarded("H13", async |guards| {
        let trial = Trial::new(VOLUME, guards).await;
        let sealed = trial.plan().await.unwrap();
        let path = "/_sim/machines/148e21ea7e4301";
        trial.world.sim.control("POST", path, json!({"migrate": true})).unwrap();
        let end = trial.apply(&sealed, Faults::none(), silent()).await;
        end.done() && trial.files("ams").await.contains_key("db.sqlite")
    })
    .await;
}

#[tokio::test]
async fn h14_a_deploy_after_planning_is_not_run_over() {
    guarded("H14", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let sealed = trial.plan().await.unwrap();
        trial.deploy("148e21ea7e4301").await.unwrap();
        let end = trial.apply(&sealed, Faults::none(), silent()).await;
        matches!(end, End::Refused(Refusal::Stale(_)))
    })
    .await;
}

#[tokio::test]
async fn h15_the_change_of_the_file_is_handed_out() {
    guarded("H15", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let text = "app = \"shop\"\nprimary_region = \"fra\"\n".to_owned();
        let options = Options { fly_toml: Some(text), ..trial.options };
        let sealed = Trial { options, ..trial }.plan().await.unwrap();
        let mut patches = sealed.plan().steps().filter_map(|step| step.params["patch"].as_str());
        patches.any(|patch| patch.contains("+primary_region = \"ams\""))
    })
    .await;
}

#[tokio::test]
async fn h17_nothing_moves_before_the_new_addresses_are_allow_listed() {
    guarded("H17", async |guards| {
        let trial = Trial::new(EGRESS, guards).await;
        let end = trial.run().await;
        !end.done() && trial.lines(&["machine", "in ams"]).await == 0
    })
    .await;
}

/// The engine looks for changes of others when a run begins and when it is resumed. In between only the step `unchanged` does.
#[tokio::test]
async fn h14_a_deploy_within_one_process_stops_before_the_cutover() {
    guarded("H14", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let sim = Arc::clone(&trial.world.sim);
        let act = move |_: &Outputs| {
            let path = "/_sim/machines/148e21ea7e4301";
            sim.control("POST", path, json!({"env": {"DEPLOYED": "again"}})).unwrap();
        };
        let end = trial.run_with(Arc::new(Meddler { after: "healthy".into(), act })).await;
        !end.done() && trial.lines(&["in fra", "cordoned"]).await == 0
    })
    .await;
}

#[tokio::test]
async fn h14_a_deploy_while_copies_are_made_is_not_run_over() {
    guarded("H14", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let sealed = trial.plan().await.unwrap();
        trial.up_to(&sealed, "healthy").await;
        trial.deploy("148e21ea7e4301").await.unwrap();
        let report = trial.resume(&sealed).await;
        report.outcome != Outcome::Done
    })
    .await;
}

/// Guard of H19: the copies are there before anything stops. The plan whose stop comes first is the one without the guard.
#[tokio::test]
async fn h19_an_app_never_passes_through_zero() {
    let safe = async |stop_first: bool| {
        let trial = Trial::new(STATELESS, Guards::ALL).await;
        let mut changed = trial.plan().await.unwrap().plan().clone();
        if stop_first {
            let mut moved = None;
            for group in &mut changed.groups {
                let at = group.steps.iter().position(|step| step.id.as_str() == "stop");
                moved = moved.or(at.map(|at| group.steps.remove(at)));
            }
            changed.groups.insert(0, Group::serial("first", "first", vec![moved.unwrap()]));
        }
        let sealed = SealedPlan::seal(changed).unwrap();
        trial.apply(&sealed, Faults::none(), silent()).await;
        let requests = trial.world.sim.requests();
        let first = |end: &'static str| {
            let is = |one: &fly_sim::Recorded| one.method == "POST" && one.path.ends_with(end);
            requests.iter().position(is).unwrap_or(usize::MAX)
        };
        first("/shop/machines") < first("/stop")
    };
    assert!(safe(false).await, "a copy is made before anything stops");
    assert!(!safe(true).await, "the check does not notice that the order is gone");
}

/// H22: suspend counts as stopped. The copy boots from its image and is looked at before anybody is sent to it.
#[tokio::test]
async fn h22_a_suspended_machine_boots_anew() {
    let text = STATELESS
        .replace("state = \"stopped\"", "state = \"suspended\"")
        .replace("autostop = \"stop\"", "autostop = \"suspend\"");
    assert_ne!(text, STATELESS);
    let trial = Trial::new(&text, Guards::ALL).await;
    assert!(trial.run().await.done());
    assert_eq!(trial.lines(&["machine", "in ams running"]).await, 3);
    assert_eq!(trial.lines(&["machine", "in fra resting"]).await, 3);
}

#[tokio::test]
async fn h24_regions_that_are_not_allowed_are_refused() {
    let allowed = vec!["fra".parse().unwrap(), "cdg".parse().unwrap()];
    guarded("H24", async |guards| {
        refused(STATELESS, Options { allowed: allowed.clone(), ..with(guards) }, "H24").await
    })
    .await;
}

/// A service that stays behind is named, with what the way to it costs at least.
#[tokio::test]
async fn h18_a_database_that_stays_behind_is_named() {
    use migrate::inventory::around::{Around, Service, ServiceKind};
    guarded("H18", async |guards| {
        let trial = Trial::new(STATELESS, guards).await;
        let redis = Service {
            kind: ServiceKind::Redis,
            id: "jobs".to_owned(),
            name: "jobs".to_owned(),
            region: Some("fra".to_owned()),
            seen: "variable REDIS".to_owned(),
        };
        let around = Around { services: vec![redis], ..Around::default() };
        let options = Options { around, ..trial.options };
        let sealed = Trial { options, ..trial }.plan().await.unwrap();
        let mut warnings = sealed.plan().warnings.iter();
        warnings.any(|said| said.contains("Redis jobs") && said.contains("there and back"))
    })
    .await;
}

/// A node that went down meanwhile stops the run before another is taken away.
#[tokio::test]
async fn h20_no_node_leaves_a_cluster_that_is_not_whole() {
    guarded("H20", async |guards| {
        let trial = Trial::new(LITEFS, guards).await;
        let sim = Arc::clone(&trial.world.sim);
        let act = move |_: &Outputs| {
            let path = "/_sim/machines/148e21ea7e4303";
            sim.control("POST", path, json!({"state": "stopped"})).unwrap();
        };
        let end = trial.run_with(Arc::new(Meddler { after: "open-nodes".into(), act })).await;
        // Of the three old nodes two were left running, and they stay.
        !end.done() && trial.lines(&["machine", "in fra running"]).await == 2
    })
    .await;
}

#[tokio::test]
async fn h23_an_organization_that_may_not_is_told_before_anything_is_made() {
    use migrate::inventory::around::{Around, Standing};
    guarded("H23", async |guards| {
        let standing = Some(Standing::Limited("TRIAL".to_owned()));
        let around = Around { standing, ..Around::default() };
        refused(STATELESS, Options { around, ..with(guards) }, "H23").await
    })
    .await;
}

/// Hazards that are not tried with and without their guard, and where they are tested instead.
const ELSEWHERE: [(&str, &str); 1] =
    [("H21", "faults::h21_a_lease_that_a_dead_client_left_is_told_with_its_end")];

#[test]
fn every_hazard_is_tried_or_said() {
    let source = include_str!("hazards.rs");
    for hazard in Hazard::all() {
        let name = format!("async fn h{}_", &hazard.to_string()[1..]);
        let listed = ELSEWHERE.iter().any(|(known, _)| *known == hazard.to_string());
        assert!(source.contains(&name) != listed, "{hazard}: {name}…, or a line in ELSEWHERE");
    }
}
