//! The cleanup after a shrink: only what the shrink kept is destroyed, and only when it is not needed.

use std::sync::Arc;

use async_trait::async_trait;
use migrate::volume::cleanup::cleanup;
use migrate::volume::plan::JobError;
use runbook::approval::{Approval, phrase};
use runbook::context::Clock;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::kind::Registry;
use runbook::outcome::Outcome;
use runbook::outputs::Outputs;
use runbook::plan::Plan;
use runbook::sealed::SealedPlan;
use runbook::store::memory::MemoryStore;
use runbook::testing::{Scenario, baseline};

use crate::bench::World;
use crate::volume::{DATA, Work, fork, shrink};

struct CleaningUp(Work);

/// A world in which the job is over.
struct Done {
    world: World,
    plan: Plan,
    made: Outputs,
}

impl Done {
    async fn cleanup(&self) -> Result<SealedPlan, JobError> {
        let inventory = self.world.inventory().await;
        cleanup(&self.plan, &self.made, &inventory, self.world.sim.now())
    }
}

async fn done(work: &Work) -> Done {
    let world = work.world().await;
    let plan = work.plan(&world).await;
    let registry = work.registry(&world).await;
    let executor = LocalExecutor::new(registry, Arc::new(MemoryStore::new()), work.clock(&world));
    let approval = Approval::from_flag(&plan, true, phrase(&plan)).unwrap();
    let report = executor.apply(&plan, &approval).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    let loaded = executor.load(&report.run).await.unwrap();
    let made = loaded.state.step(&"new-volume".into()).map(|step| step.outputs.clone());
    Done { world, plan: plan.plan().clone(), made: made.unwrap_or_default() }
}

#[async_trait]
impl Scenario for CleaningUp {
    type World = Done;

    async fn world(&self) -> Done {
        done(&self.0).await
    }

    async fn plan(&self, done: &Done) -> SealedPlan {
        done.cleanup().await.unwrap()
    }

    async fn registry(&self, done: &Done) -> Registry {
        self.0.registry(&done.world).await
    }

    async fn digest(&self, done: &Done) -> String {
        done.world.state().await
    }

    async fn leftovers(&self, done: &Done) -> Vec<String> {
        self.0.leftovers(&done.world).await
    }

    async fn settle(&self, done: &Done) {
        self.0.settle(&done.world).await;
    }

    fn clock(&self, done: &Done) -> Clock {
        self.0.clock(&done.world)
    }
}

#[tokio::test]
async fn the_old_volume_and_its_machine_go_and_nothing_else() {
    let cleaning = CleaningUp(Work::of(shrink(DATA, 2)));
    let base = baseline(&cleaning).await.unwrap();
    let gone: Vec<&str> =
        base.start.lines().filter(|line| !base.end.lines().any(|end| end == *line)).collect();
    assert_eq!(gone.len(), 2, "{gone:?}");
    assert!(gone[0].contains("in fra resting cordoned"), "{gone:?}");
    assert!(gone[1].starts_with("volume data in fra 10 GB"), "{gone:?}");
    crate::saga::matrix("cleanup after a shrink", &cleaning).await;
}

#[tokio::test]
async fn after_the_shrink_of_a_free_volume_the_old_one_goes() {
    let base = baseline(&CleaningUp(Work::of(shrink("vol_0000000000000002", 2)))).await.unwrap();
    assert!(base.start.contains("volume archive in fra 5 GB free"), "{}", base.start);
    assert!(!base.end.contains("volume archive in fra 5 GB"), "{}", base.end);
    assert!(base.end.contains("volume archive in fra 2 GB free"), "{}", base.end);
}

#[tokio::test]
async fn what_is_in_use_is_not_cleaned_up() {
    let done = done(&Work::of(shrink(DATA, 2))).await;
    let writer = done.world.client.writer(fly_api::WriteAccess::approved("a test"));
    let app = crate::bench::app();
    let old = "148e21ea7e4301".parse().unwrap();
    writer.machine(&app, &old).start().await.unwrap();
    let error = done.cleanup().await.unwrap_err();
    assert!(error.to_string().contains("may be in use again"), "{error}");
    writer.machine(&app, &old).stop(&fly_api::Stop::default()).await.unwrap();
    done.world.sim.advance(std::time::Duration::from_mins(1));
    let inventory = done.world.inventory().await;
    let new = inventory.machines.iter().find(|machine| machine.id != old).unwrap();
    writer.machine(&app, &new.id).destroy(true).await.unwrap();
    done.world.sim.advance(std::time::Duration::from_mins(2));
    let error = done.cleanup().await.unwrap_err();
    assert!(error.to_string().contains("successor"), "{error}");
}

#[tokio::test]
async fn each_cleanup_refuses_runs_of_the_other_kind() {
    let forked = done(&Work::of(fork(None))).await;
    let error = forked.cleanup().await.unwrap_err();
    assert!(error.to_string().contains("only a shrink"), "{error}");
    let inventory = forked.world.inventory().await;
    let now = forked.world.sim.now();
    let error = migrate::template::cleanup::cleanup(&forked.plan, &inventory, now).unwrap_err();
    assert!(error.to_string().contains("no move"), "{error}");
}
