//! One writer per target: the lock on this host, unfinished runs, leases beyond this host.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use runbook::approval::Approval;
use runbook::error::{Failure, Refusal, StepError};
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::inject::Faults;
use runbook::lease::{Leases, RunLease};
use runbook::lock::{Holder, LockError};
use runbook::outcome::Outcome;
use runbook::plan::Target;
use runbook::sealed::SealedPlan;
use runbook::state::RunStatus;
use runbook::store::directory::DirectoryStore;
use runbook::store::{RunId, Store};
use runbook::testing::{Bench, ticking_clock};

use crate::toy::{self, Toy};

fn fail(fault: &str) -> Faults {
    Faults { faults: vec![fault.parse().unwrap()], later: 0 }
}

fn target() -> Target {
    Target { kind: "toy".to_owned(), owner: "toys".to_owned(), name: "duck".to_owned() }
}

#[tokio::test]
async fn the_lock_names_its_holder_and_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(folder.path()).unwrap();
    let other = DirectoryStore::open(folder.path()).unwrap();
    let holder = Holder::here(Timestamp::UNIX_EPOCH);
    let lock = store.lock(&target(), &holder).await.unwrap();
    match other.lock(&target(), &holder).await {
        Err(LockError::Held(by)) => assert_eq!(*by, holder),
        _ => panic!("two holders"),
    }
    let elsewhere = Target { name: "goose".to_owned(), ..target() };
    assert!(other.lock(&elsewhere, &holder).await.is_ok());
    drop(lock);
    assert!(other.lock(&target(), &holder).await.is_ok());
}

#[tokio::test]
async fn two_operators_at_once_are_told_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DirectoryStore::open(folder.path()).unwrap());
    let world = toy::world();
    let plan = SealedPlan::seal(Toy::default().draft(&world)).unwrap();
    let approval = Approval::from_flag(&plan, true, Some("duck")).unwrap();
    let holder = Holder { pid: 4711, host: "laptop".to_owned(), since: Timestamp::UNIX_EPOCH };
    let _lock = store.lock(&plan.plan().target, &holder).await.unwrap();
    let executor = LocalExecutor::new(toy::registry(&world), store.clone(), ticking_clock());
    let refusal = executor.apply(&plan, &approval).await.unwrap_err();
    assert!(refusal.is_held());
    assert_eq!(
        refusal.to_string(),
        "toy toys/duck is held by process 4711 on laptop since 1970-01-01T00:00:00Z"
    );
    assert_eq!(world.lock().calls, Vec::<String>::new());
}

#[tokio::test]
async fn an_unfinished_run_keeps_its_target_to_itself_and_status_lists_it() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.apply(fail("switch:act:before:fail")).await.unwrap();

    let mut plan = toy.draft(&bench.world);
    plan.summary = "another".to_owned();
    let plan = SealedPlan::seal(plan).unwrap();
    let approval = Approval::from_flag(&plan, true, Some("duck")).unwrap();
    let process = bench.process(Faults::none()).await;
    match process.apply(&plan, &approval).await {
        Err(Refusal::Unfinished { run, .. }) => assert_eq!(run, bench.run()),
        other => panic!("{other:?}"),
    }
    // The same plan again is the same unfinished run.
    assert!(matches!(bench.apply(Faults::none()).await, Err(Refusal::Unfinished { .. })));

    let runs = process.runs().await.unwrap();
    let summary = runs[0].1.as_ref().unwrap();
    assert!(summary.is_unfinished() && summary.status == RunStatus::Stopped && !summary.committed);
    assert!(summary.stopped.as_ref().unwrap().message.contains("injected"));

    bench.resume(Faults::none()).await.unwrap();
    let summary = runbook::status::RunSummary::of(&process.load(&bench.run()).await.unwrap());
    assert!(!summary.is_unfinished() && summary.committed);
    assert_eq!(summary.progress(), (summary.steps.len(), summary.steps.len()));
    // Over is over.
    assert!(matches!(bench.apply(Faults::none()).await, Err(Refusal::NotPossible { .. })));
    assert!(matches!(bench.resume(Faults::none()).await, Err(Refusal::NotPossible { .. })));
    process.forget(&bench.run()).await.unwrap();
    assert!(process.runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_directory_keeps_runs_and_forgets_only_what_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DirectoryStore::open(folder.path()).unwrap());
    let world = toy::world();
    let plan = SealedPlan::seal(Toy::default().draft(&world)).unwrap();
    let run = RunId::of(plan.plan(), plan.digest());
    let approval = Approval::from_flag(&plan, true, Some("duck")).unwrap();
    let executor = LocalExecutor::new(toy::registry(&world), store.clone(), ticking_clock())
        .faults(fail("open:act:during:crash"));
    assert!(matches!(executor.apply(&plan, &approval).await, Err(Refusal::Crashed(_))));
    assert!(matches!(executor.forget(&run).await, Err(Refusal::NotPossible { .. })));

    let store = Arc::new(DirectoryStore::open(folder.path()).unwrap());
    let executor = LocalExecutor::new(toy::registry(&world), store.clone(), ticking_clock());
    let loaded = executor.load(&run).await.unwrap();
    let report = executor
        .resume(&run, &Approval::of_run(&loaded.plan, &loaded.state).unwrap())
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    let verified = executor.verify(&run).await.unwrap();
    let broken: Vec<&str> =
        verified.iter().filter(|one| one.problem.is_some()).map(|one| one.step.as_str()).collect();
    // These were ended by later steps and are not marked as passing.
    assert_eq!(broken, ["mark", "found", "fence"]);
    executor.forget(&run).await.unwrap();
    assert!(store.runs().await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join("runs")).unwrap().count(), 0);
}

/// A lease server with one lease.
#[derive(Default)]
struct Server {
    holder: Mutex<Option<RunId>>,
    fencing: AtomicU64,
    broken: Mutex<bool>,
}

struct ServerLeases(Arc<Server>);

struct Held(Arc<Server>, u64);

#[async_trait]
impl Leases for ServerLeases {
    async fn acquire(
        &self,
        _: &Target,
        run: &RunId,
        _: &Holder,
    ) -> Result<Box<dyn RunLease>, StepError> {
        let mut holder = self.0.holder.lock().unwrap();
        if let Some(other) = holder.as_ref().filter(|holder| *holder != run) {
            return Err(StepError::held(format!("run {other} has the lease")));
        }
        *holder = Some(run.clone());
        let fencing = self.0.fencing.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Held(self.0.clone(), fencing)))
    }
}

#[async_trait]
impl RunLease for Held {
    fn fencing(&self) -> u64 {
        self.1
    }

    fn expires(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(900_000)
    }

    async fn refresh(&self) -> Result<(), StepError> {
        if *self.0.broken.lock().unwrap() { Err(StepError::failed("no answer")) } else { Ok(()) }
    }

    async fn release(&self) -> Result<(), StepError> {
        *self.0.holder.lock().unwrap() = None;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_on_the_target_is_held_for_the_run_and_its_loss_stops_it() {
    let toy = Toy::default();
    let server = Arc::new(Server::default());
    let bench = Bench::new(&toy, false).await;
    let approval = Approval::from_flag(&bench.plan, true, Some("duck")).unwrap();

    *server.holder.lock().unwrap() = Some(RunId::parse("somebody").unwrap());
    let process =
        bench.process(Faults::none()).await.leases(Arc::new(ServerLeases(server.clone())));
    let refusal = process.apply(&bench.plan, &approval).await.unwrap_err();
    assert!(refusal.is_held() && refusal.to_string().contains("somebody"), "{refusal}");
    assert!(process.runs().await.unwrap().is_empty());

    *server.holder.lock().unwrap() = None;
    *server.broken.lock().unwrap() = true;
    bench.world.lock().slow = Some("switch".to_owned());
    let report = process.apply(&bench.plan, &approval).await.unwrap();
    let error = report.outcome.error().unwrap();
    assert_eq!(error.failure, Failure::Failed);
    assert!(error.message.starts_with("the lease on the target was lost: no answer"), "{error}");
    assert_eq!(*server.holder.lock().unwrap(), None);

    *server.broken.lock().unwrap() = false;
    bench.world.lock().slow = None;
    let report = process.resume(&bench.run(), &approval).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
}
