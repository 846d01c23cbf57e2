//! The checks that every runbook passes: each step twice, failing at each step, each undo twice, and dying at every point.
//!
//! A runbook's test implements [`Scenario`] over a world of its own (in memory, or a simulator) and calls [`check_all`]. Whatever the
//! interruption, resume must end where the uninterrupted run ends, and undo, before the point of no return, where the run began.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::approval::{Approval, Permit, phrase};
use crate::context::{Clock, StepContext};
use crate::error::{Refusal, StepError};
use crate::executor::{Executor as _, LocalExecutor};
use crate::inject::{Effect, Faults, Moment, Phase, Point, forward_points, undo_points};
use crate::kind::{Observed, Registry, StepKind};
use crate::outcome::{Outcome, Report};
use crate::outputs::Outputs;
use crate::plan::Plan;
use crate::sealed::SealedPlan;
use crate::store::RunId;
use crate::store::memory::MemoryStore;

/// A runbook under test, and a world that it can be tried on again and again.
#[async_trait]
pub trait Scenario: Send + Sync {
    /// What the runbook changes.
    type World: Send + Sync;

    /// A fresh world, always the same.
    async fn world(&self) -> Self::World;

    /// The plan for a fresh world.
    async fn plan(&self, world: &Self::World) -> SealedPlan;

    /// The kinds, as a freshly started process has them: nothing remembered.
    async fn registry(&self, world: &Self::World) -> Registry;

    /// The state that resume and undo promise, one fact a line; names that the platform makes up must not be in it.
    async fn digest(&self, world: &Self::World) -> String;

    /// What nobody may leave behind once a run is over: leases, fences, guards, orphans. Empty if all is well.
    async fn leftovers(&self, world: &Self::World) -> Vec<String> {
        let _ = world;
        Vec::new()
    }

    /// Lets time pass between a crash and the next process, such as until leases end.
    async fn settle(&self, world: &Self::World) {
        let _ = world;
    }

    /// Wall clock; a second passes with each look unless this says otherwise.
    fn clock(&self, world: &Self::World) -> Clock {
        let _ = world;
        ticking_clock()
    }

    /// The operator's answers.
    fn answers(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// A clock that is a second further with each look.
pub fn ticking_clock() -> Clock {
    let seconds = Arc::new(AtomicI64::new(1_700_000_000));
    Arc::new(move || {
        let now = seconds.fetch_add(1, Ordering::Relaxed);
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(now)
    })
}

/// How many cases were tried and what was wrong.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Cases by name of the check.
    pub cases: BTreeMap<&'static str, usize>,
    /// What was wrong, one sentence each.
    pub failures: Vec<String>,
}

impl Verdict {
    /// All cases.
    pub fn total(&self) -> usize {
        self.cases.values().sum()
    }

    /// Adds another.
    pub fn add(&mut self, other: Self) {
        for (name, count) in other.cases {
            *self.cases.entry(name).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    fn case(&mut self, check: &'static str, result: Result<(), String>) {
        *self.cases.entry(check).or_default() += 1;
        if let Err(why) = result {
            self.failures.push(format!("{check}: {why}"));
        }
    }

    /// Panics with all failures if there is one.
    #[expect(clippy::panic, reason = "this is an assertion for tests")]
    pub fn assert_clean(&self) {
        if !self.failures.is_empty() {
            let shown: Vec<&str> = self.failures.iter().take(20).map(String::as_str).collect();
            panic!(
                "{} of {} cases failed:\n{}",
                self.failures.len(),
                self.total(),
                shown.join("\n")
            );
        }
    }
}

/// Every check of this module.
pub async fn check_all<S: Scenario>(scenario: &S) -> Verdict {
    let mut verdict = each_step_twice(scenario).await;
    verdict.add(fail_at_each_step(scenario, false).await);
    verdict.add(fail_at_each_step(scenario, true).await);
    verdict.add(crash_forward(scenario, &|_| true).await);
    verdict.add(crash_backward(scenario, &|_| true).await);
    verdict
}

/// Where a run begins and where it ends if nothing goes wrong.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Digest before.
    pub start: String,
    /// Digest after.
    pub end: String,
    /// The plan.
    pub plan: Plan,
}

/// One uninterrupted run.
///
/// # Errors
/// If it does not end well.
pub async fn baseline<S: Scenario>(scenario: &S) -> Result<Baseline, String> {
    let bench = Bench::new(scenario, false).await;
    let start = scenario.digest(&bench.world).await;
    let report = bench.apply(Faults::none()).await.map_err(|refusal| refusal.to_string())?;
    if report.outcome != Outcome::Done {
        return Err(format!("the uninterrupted run ended as {:?}", report.outcome));
    }
    let end = scenario.digest(&bench.world).await;
    bench.nothing_left().await?;
    Ok(Baseline { start, end, plan: bench.plan.plan().clone() })
}

/// Every call of every step is made twice and has the same result.
pub async fn each_step_twice<S: Scenario>(scenario: &S) -> Verdict {
    let mut verdict = Verdict::default();
    let base = match baseline(scenario).await {
        Ok(base) => base,
        Err(why) => {
            verdict.case("baseline", Err(why));
            return verdict;
        }
    };
    let bench = Bench::new(scenario, true).await;
    let result = match bench.apply(Faults::none()).await {
        Ok(report) => bench.ended(&report, &base).await,
        Err(refusal) => Err(refusal.to_string()),
    };
    verdict.case("each step twice", result);
    verdict
}

/// Each step fails, before, in the middle of, and after its act, and when it is verified. Then the run is undone, or resumed.
pub async fn fail_at_each_step<S: Scenario>(scenario: &S, undo_twice: bool) -> Verdict {
    fail_at_some_steps(scenario, undo_twice, &|_| true).await
}

/// The same at those points that are taken.
pub async fn fail_at_some_steps<S: Scenario>(
    scenario: &S,
    undo_twice: bool,
    take: &(dyn Fn(&Point) -> bool + Send + Sync),
) -> Verdict {
    let check = if undo_twice { "fail, undo twice" } else { "fail" };
    let points = |plan: &Plan| {
        let phases = [
            (Phase::Act, Moment::Before),
            (Phase::Act, Moment::During),
            (Phase::Act, Moment::After),
            (Phase::Verify, Moment::Before),
        ];
        let of = |id: &crate::plan::Id| {
            phases.map(|(phase, moment)| Point { id: id.clone(), phase, moment })
        };
        plan.steps().flat_map(|step| of(&step.id)).filter(|point| take(point)).collect()
    };
    interrupt(scenario, check, &points, Effect::Fail, undo_twice).await
}

/// The process dies at each point forward. Then the run is undone, or resumed.
pub async fn crash_forward<S: Scenario>(
    scenario: &S,
    take: &(dyn Fn(&Point) -> bool + Send + Sync),
) -> Verdict {
    let points =
        |plan: &Plan| forward_points(plan).into_iter().filter(|point| take(point)).collect();
    interrupt(scenario, "crash forward", &points, Effect::Crash, false).await
}

async fn interrupt<S: Scenario>(
    scenario: &S,
    check: &'static str,
    points: &(dyn Fn(&Plan) -> Vec<Point> + Send + Sync),
    effect: Effect,
    twice: bool,
) -> Verdict {
    let mut verdict = Verdict::default();
    let base = match baseline(scenario).await {
        Ok(base) => base,
        Err(why) => {
            verdict.case("baseline", Err(why));
            return verdict;
        }
    };
    for point in points(&base.plan) {
        for undo in [false, true] {
            let result = one_interruption(scenario, &base, &point, effect, twice, undo).await;
            let way = if undo { "undo" } else { "resume" };
            verdict.case(
                check,
                result.map_err(|why| format!("{effect:?} at {point}, then {way}: {why}")),
            );
        }
    }
    verdict
}

async fn one_interruption<S: Scenario>(
    scenario: &S,
    base: &Baseline,
    point: &Point,
    effect: Effect,
    twice: bool,
    undo: bool,
) -> Result<(), String> {
    let bench = Bench::new(scenario, twice).await;
    match bench.apply(Faults::one(point.clone(), effect)).await {
        // The point may lie where this run does not come by.
        Ok(report) if report.outcome == Outcome::Done => return bench.ended(&report, base).await,
        Ok(_) | Err(Refusal::Crashed(_)) => {}
        Err(refusal) => return Err(format!("apply refused: {refusal}")),
    }
    scenario.settle(&bench.world).await;
    if undo {
        match bench.undo(Faults::none()).await {
            Ok(report) => return bench.undone(&report, base).await,
            Err(Refusal::NotPossible { why, .. }) if base.plan.point_of_no_return.is_some() => {
                let point = base.plan.point_of_no_return.as_ref();
                if !point.is_some_and(|point| why.contains(&point.way_forward)) {
                    return Err(format!("undo was refused without the way forward: {why}"));
                }
            }
            Err(refusal) => return Err(format!("undo refused: {refusal}")),
        }
    }
    let report = bench
        .resume(Faults::none())
        .await
        .map_err(|refusal| format!("resume refused: {refusal}"))?;
    bench.ended(&report, base).await
}

/// The run fails at its last undoable step, is undone, and the process dies at each point backward. Then it is undone again, or
/// resumed and ends well.
pub async fn crash_backward<S: Scenario>(
    scenario: &S,
    take: &(dyn Fn(&Point) -> bool + Send + Sync),
) -> Verdict {
    let check = "crash backward";
    let mut verdict = Verdict::default();
    let base = match baseline(scenario).await {
        Ok(base) => base,
        Err(why) => {
            verdict.case("baseline", Err(why));
            return verdict;
        }
    };
    for point in undo_points(&base.plan).into_iter().filter(|point| take(point)) {
        for resume in [false, true] {
            let result = one_way_back(scenario, &base, &point, resume).await;
            let way = if resume { "resume" } else { "undo" };
            verdict
                .case(check, result.map_err(|why| format!("Crash at {point}, then {way}: {why}")));
        }
    }
    verdict
}

async fn one_way_back<S: Scenario>(
    scenario: &S,
    base: &Baseline,
    point: &Point,
    resume: bool,
) -> Result<(), String> {
    let turn = base.plan.point_of_no_return.as_ref().map(|point| &point.step);
    let Some(turn) = turn.or_else(|| base.plan.steps().last().map(|step| &step.id)) else {
        return Err("the plan has no step".to_owned());
    };
    let stop = Point { id: turn.clone(), phase: Phase::Act, moment: Moment::Before };
    let bench = Bench::new(scenario, false).await;
    match bench.apply(Faults::one(stop, Effect::Fail)).await {
        Ok(report) if report.outcome == Outcome::Done => {}
        Ok(_) => {}
        Err(refusal) => return Err(format!("apply refused: {refusal}")),
    }
    match bench.undo(Faults::one(point.clone(), Effect::Crash)).await {
        // The step may have had no effect that could be undone.
        Ok(report) if report.outcome == Outcome::Undone => {
            return bench.undone(&report, base).await;
        }
        Ok(report) => return Err(format!("undo ended as {:?}", report.outcome)),
        Err(Refusal::Crashed(_)) => {}
        Err(refusal) => return Err(format!("undo refused: {refusal}")),
    }
    scenario.settle(&bench.world).await;
    if resume {
        let report = bench
            .resume(Faults::none())
            .await
            .map_err(|refusal| format!("resume refused: {refusal}"))?;
        return bench.ended(&report, base).await;
    }
    let report = bench
        .undo(Faults::none())
        .await
        .map_err(|refusal| format!("second undo refused: {refusal}"))?;
    bench.undone(&report, base).await
}

/// A world, a store and a plan, with a new process for each call.
pub struct Bench<'a, S: Scenario> {
    scenario: &'a S,
    /// The world.
    pub world: S::World,
    /// The plan made for it.
    pub plan: SealedPlan,
    /// Where runs are kept.
    pub store: MemoryStore,
    clock: Clock,
    twice: bool,
}

impl<'a, S: Scenario> Bench<'a, S> {
    /// A fresh world with its plan. With `twice` every call of every step is made twice.
    pub async fn new(scenario: &'a S, twice: bool) -> Self {
        let world = scenario.world().await;
        let plan = scenario.plan(&world).await;
        let clock = scenario.clock(&world);
        Self { scenario, world, plan, store: MemoryStore::new(), clock, twice }
    }

    /// The name of the run of the plan.
    pub fn run(&self) -> RunId {
        RunId::of(self.plan.plan(), self.plan.digest())
    }

    /// An executor as a new process would have it.
    pub async fn process(&self, faults: Faults) -> LocalExecutor {
        let registry = self.scenario.registry(&self.world).await;
        let registry =
            if self.twice { registry.wrap(|kind| Arc::new(Twice(kind))) } else { registry };
        LocalExecutor::new(registry, Arc::new(self.store.clone()), Arc::clone(&self.clock))
            .faults(faults)
            .answers(self.scenario.answers())
    }

    /// Applies the plan in a new process.
    ///
    /// # Errors
    /// As the executor's.
    pub async fn apply(&self, faults: Faults) -> Result<Report, Refusal> {
        let approval = Approval::from_flag(&self.plan, true, phrase(&self.plan))?;
        self.process(faults).await.apply(&self.plan, &approval).await
    }

    /// Resumes the run in a new process.
    ///
    /// # Errors
    /// As the executor's.
    pub async fn resume(&self, faults: Faults) -> Result<Report, Refusal> {
        let process = self.process(faults).await;
        let loaded = process.load(&self.run()).await?;
        process.resume(&self.run(), &Approval::of_run(&loaded.plan, &loaded.state)?).await
    }

    /// Undoes the run in a new process.
    ///
    /// # Errors
    /// As the executor's.
    pub async fn undo(&self, faults: Faults) -> Result<Report, Refusal> {
        let process = self.process(faults).await;
        let loaded = process.load(&self.run()).await?;
        process.undo(&self.run(), None, &Approval::of_run(&loaded.plan, &loaded.state)?).await
    }

    async fn nothing_left(&self) -> Result<(), String> {
        let left = self.scenario.leftovers(&self.world).await;
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", "))) }
    }

    async fn ended(&self, report: &Report, base: &Baseline) -> Result<(), String> {
        if report.outcome != Outcome::Done {
            return Err(format!("it ended as {:?}", report.outcome));
        }
        self.state_is("the end of an uninterrupted run", &base.end).await
    }

    async fn undone(&self, report: &Report, base: &Baseline) -> Result<(), String> {
        if report.outcome != Outcome::Undone {
            return Err(format!("it ended as {:?}", report.outcome));
        }
        self.state_is("the start", &base.start).await
    }

    async fn state_is(&self, what: &str, expected: &str) -> Result<(), String> {
        let now = self.scenario.digest(&self.world).await;
        if now != expected {
            return Err(format!("the state differs from {what}:\n{}", difference(expected, &now)));
        }
        self.nothing_left().await
    }
}

/// Lines that are in one of two texts only.
fn difference(expected: &str, now: &str) -> String {
    let missing = expected.lines().filter(|line| !now.lines().any(|other| other == *line));
    let extra = now.lines().filter(|line| !expected.lines().any(|other| other == *line));
    missing
        .map(|line| format!("  - {line}"))
        .chain(extra.map(|line| format!("  + {line}")))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A kind whose every call is made twice.
struct Twice(Arc<dyn StepKind>);

#[async_trait]
impl StepKind for Twice {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        self.0.observe(cx).await?;
        self.0.observe(cx).await
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        self.0.act(cx, permit).await?;
        self.0.act(cx, permit).await
    }

    async fn wait(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        self.0.wait(cx).await?;
        self.0.wait(cx).await
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let first = self.0.verify(cx).await?;
        let second = self.0.verify(cx).await?;
        if first == second {
            Ok(second)
        } else {
            Err(StepError::failed(format!("step `{}` verified twice and differed", cx.step.id)))
        }
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        self.0.undo(cx, permit).await?;
        self.0.undo(cx, permit).await
    }
}
