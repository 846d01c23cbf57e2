//! The generic checks of `runbook::testing` over every template, and over the cleanup after each.
//!
//! In CI a seeded sample; with FLY_OPS_TEST_CASES everything, which is what `cargo xtask soak migrate` runs.

use async_trait::async_trait;
use runbook::context::Clock;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::kind::Registry;
use runbook::plan::Plan;
use runbook::sealed::SealedPlan;
use runbook::store::memory::MemoryStore;
use runbook::testing::{self, Scenario, Verdict};

use crate::bench::{Moving, World};
use crate::dice::{Dice, everything, seed};

pub(crate) const STATELESS: &str = include_str!("worlds/stateless.toml");

pub(crate) const VOLUME: &str = include_str!("worlds/volume.toml");

/// A template, with a world that needs it.
pub(crate) struct Template {
    pub(crate) name: &'static str,
    pub(crate) world: &'static str,
}

/// Every template. The matrices below, the real kills and the faults run over all of them.
pub(crate) const TEMPLATES: &[Template] =
    &[Template { name: "stateless", world: STATELESS }, Template { name: "volume", world: VOLUME }];

pub(crate) fn template(name: &str) -> &'static Template {
    TEMPLATES.iter().find(|template| template.name == name).unwrap()
}

/// Of the points of a matrix, CI takes about so many.
const SAMPLE: u64 = 12;
/// The same for templates that differ from the plain ones in a few steps only.
pub(crate) const FEW: u64 = 4;

/// The generic checks over a scenario: a sample of their points, or all of them.
pub(crate) async fn matrix<S: Scenario>(name: &str, scenario: &S) {
    matrix_of(name, scenario, SAMPLE).await;
}

/// The same with about so many points of each kind in CI.
pub(crate) async fn matrix_of<S: Scenario>(name: &str, scenario: &S, sample: u64) {
    println!("{name}: seed {}", seed());
    let base = testing::baseline(scenario).await.unwrap();
    let dice = Dice::new(name);
    let steps = base.plan.steps().count() as u64;
    let share = |points: u64| if everything() { 1 } else { (points / sample).max(1) };
    let mut verdict = testing::each_step_twice(scenario).await;
    for undo_twice in [false, true] {
        let take = |_: &_| dice.one_in(share(steps * 8));
        verdict.add(testing::fail_at_some_steps(scenario, undo_twice, &take).await);
    }
    verdict.add(testing::crash_forward(scenario, &|_| dice.one_in(share(steps * 9))).await);
    verdict.add(testing::crash_backward(scenario, &|_| dice.one_in(share(steps * 9))).await);
    clean(name, &verdict);
}

fn clean(name: &str, verdict: &Verdict) {
    println!("{name}: {} cases {:?}", verdict.total(), verdict.cases);
    verdict.assert_clean();
}

/// A cleanup after a move.
pub(crate) struct CleaningUp(pub(crate) Moving);

/// A world in which the move is over, and the plan of that move.
pub(crate) struct Moved {
    pub(crate) world: World,
    plan: Plan,
}

#[async_trait]
impl Scenario for CleaningUp {
    type World = Moved;

    async fn world(&self) -> Moved {
        let world = self.0.world().await;
        let plan = self.0.plan(&world).await;
        let registry = self.0.registry(&world).await;
        let store = std::sync::Arc::new(MemoryStore::new());
        let approval = runbook::approval::Approval::from_flag(&plan, true, Some("shop")).unwrap();
        let executor =
            LocalExecutor::new(registry, store, self.0.clock(&world)).answers(self.0.answers());
        let report = executor.apply(&plan, &approval).await.unwrap();
        assert_eq!(report.outcome, runbook::outcome::Outcome::Done);
        Moved { world, plan: plan.plan().clone() }
    }

    async fn plan(&self, moved: &Moved) -> SealedPlan {
        let inventory = moved.world.inventory().await;
        migrate::template::cleanup::cleanup(&moved.plan, &inventory, moved.world.sim.now()).unwrap()
    }

    async fn registry(&self, moved: &Moved) -> Registry {
        self.0.registry(&moved.world).await
    }

    async fn digest(&self, moved: &Moved) -> String {
        moved.world.state().await
    }

    async fn leftovers(&self, moved: &Moved) -> Vec<String> {
        moved.world.leases().await
    }

    async fn settle(&self, moved: &Moved) {
        self.0.settle(&moved.world).await;
    }

    fn clock(&self, moved: &Moved) -> Clock {
        self.0.clock(&moved.world)
    }
}

#[tokio::test]
async fn a_stateless_app_arrives() {
    let base = testing::baseline(&Moving::of(STATELESS)).await.unwrap();
    let lines = |text: &str, what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines(&base.start, "in fra"), 3, "{}", base.start);
    assert_eq!(lines(&base.end, "in ams running"), 3, "{}", base.end);
    assert_eq!(
        lines(&base.end, "in fra resting cordoned"),
        2,
        "the old ones are kept: {}",
        base.end
    );
    assert_eq!(lines(&base.end, "in iad running"), 1, "another region is left alone: {}", base.end);
}

#[tokio::test]
async fn every_file_of_a_volume_arrives() {
    let base = testing::baseline(&Moving::of(VOLUME)).await.unwrap();
    let content = "content of data in ams: {\"db.sqlite\": \"rows\", \"uploads/a.txt\": \"one\"}";
    assert!(base.end.contains(content), "{}", base.end);
    assert!(base.end.contains("content of data in fra: "), "the original is kept: {}", base.end);
    assert!(!base.end.contains("flyops_reference"), "{}", base.end);
    assert!(
        base.end.lines().any(|line| line.contains("in ams running") && !line.contains("cordoned"))
    );
}

#[tokio::test]
async fn a_cleanup_leaves_what_the_move_made() {
    let base = testing::baseline(&CleaningUp(Moving::of(VOLUME))).await.unwrap();
    assert!(!base.end.contains(" in fra"), "{}", base.end);
    let lines = |text: &str| {
        let kept = text.lines().filter(|line| line.contains(" in ams"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&base.start), lines(&base.end), "the new side is as it was");
}

/// A matrix and the one of its cleanup for each template, each a test of its own so that they run beside each other.
macro_rules! matrices {
    ($($name:ident, $cleanup:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let template = template(stringify!($name));
                matrix(template.name, &Moving::of(template.world)).await;
            }

            #[tokio::test]
            async fn $cleanup() {
                let template = template(stringify!($name));
                let scenario = CleaningUp(Moving::of(template.world));
                matrix(stringify!($cleanup), &scenario).await;
            }
        )*

        #[test]
        fn every_template_has_its_matrices() {
            let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

matrices! {
    stateless, cleanup_after_stateless;
    volume, cleanup_after_volume;
}
