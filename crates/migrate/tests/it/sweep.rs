//! One fault at each call of a run, forward and back: no call may be made twice in effect, nothing may be lost, and what stops can go on.

use futures_util::StreamExt as _;
use runbook::error::Refusal;
use runbook::inject::{Effect, Faults, Moment, Phase, Point};
use runbook::outcome::{Outcome, Report};
use runbook::plan::Plan;
use runbook::testing::{Baseline, Bench, Scenario as _, baseline};

use crate::bench::Moving;
use crate::dice::{Dice, seed};
use crate::saga::{TEMPLATES, Template};

/// What happens to one call.
const FAULTS: [(&str, &str); 6] = [
    ("a lost reply", "effect = \"lost_reply\""),
    ("half an answer", "effect = \"cut_body\"\nafter = 15"),
    ("a limit", "effect = \"status\"\nstatus = 429"),
    ("a server error", "effect = \"status\"\nstatus = 500"),
    ("no service", "effect = \"status\"\nstatus = 503"),
    ("an ended token", "effect = \"status\"\nstatus = 401"),
];

/// Cases beside each other: they wait for pauses between tries.
const AT_ONCE: usize = 32;
/// How often somebody resumes before giving up.
const PATIENCE: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Way {
    Forward,
    Back,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    way: Way,
    method: &'static str,
    number: usize,
    fault: (&'static str, &'static str),
}

fn turn(plan: &Plan) -> Faults {
    let (id, phase) = match &plan.point_of_no_return {
        Some(turn) => (turn.step.clone(), Phase::Act),
        None => (plan.steps().last().unwrap().id.clone(), Phase::Verify),
    };
    Faults::one(Point { id, phase, moment: Moment::Before }, Effect::Fail)
}

fn count(bench: &Bench<'_, Moving>, method: &str) -> usize {
    let all = bench.world.sim.requests().into_iter();
    all.filter(|one| (one.method == "GET") == (method == "GET")).count()
}

async fn cases(scenario: &Moving) -> Vec<Case> {
    let mut all = Vec::new();
    let bench = Bench::new(scenario, false).await;
    for way in [Way::Forward, Way::Back] {
        match way {
            Way::Forward => {
                bench.world.sim.forget_requests();
                bench.apply(Faults::none()).await.unwrap();
                push(&mut all, &bench, way);
            }
            Way::Back => {
                let bench = Bench::new(scenario, false).await;
                bench.apply(turn(bench.plan.plan())).await.unwrap();
                bench.world.sim.forget_requests();
                bench.undo(Faults::none()).await.unwrap();
                push(&mut all, &bench, way);
            }
        }
    }
    all
}

fn push(all: &mut Vec<Case>, bench: &Bench<'_, Moving>, way: Way) {
    for method in ["!GET", "GET"] {
        for number in 1..=count(bench, method) {
            all.extend(FAULTS.map(|fault| Case { way, method, number, fault }));
        }
    }
}

fn arm(bench: &Bench<'_, Moving>, case: Case) {
    let (method, number, effect) = (case.method, case.number, case.fault.1);
    bench
        .world
        .sim
        .add_fault(&format!(
            "name = \"one\"\nmethod = \"{method}\"\npath = \"/v1/**\"\nfrom = {number}\ncount = 1\n{effect}\n"
        ))
        .unwrap();
}

/// Whether the report says what to do about a token that ended.
fn says_so(report: &Report) -> Result<(), String> {
    let error = report.outcome.error().ok_or_else(|| format!("{:?}", report.outcome))?;
    let hint = error.hint.clone().unwrap_or_default();
    if hint.is_empty() { Err(format!("no hint: {error}")) } else { Ok(()) }
}

async fn one(scenario: &Moving, base: &Baseline, case: Case) -> Result<(), String> {
    let bench = Bench::new(scenario, false).await;
    let expected = match case.way {
        Way::Forward => {
            arm(&bench, case);
            match bench.apply(Faults::none()).await {
                Ok(report) if report.outcome == Outcome::Done => {}
                Ok(report) => {
                    says_so(&report)?;
                    go_on(scenario, &bench).await?;
                }
                // Nothing was begun.
                Err(Refusal::Observe(_)) => {
                    let report = bench.apply(Faults::none()).await.map_err(|e| e.to_string())?;
                    if report.outcome != Outcome::Done {
                        return Err(format!("then {:?}", report.outcome));
                    }
                }
                Err(refusal) => return Err(format!("refused: {refusal}")),
            }
            &base.end
        }
        Way::Back => {
            bench.apply(turn(bench.plan.plan())).await.map_err(|error| error.to_string())?;
            arm(&bench, case);
            go_back(scenario, &bench).await?;
            &base.start
        }
    };
    // A run that polled less often than the one that was counted never made this call: the fault is not for our own reads.
    bench.world.sim.control("DELETE", "/_sim/faults", serde_json::Value::Null).unwrap();
    let state = bench.world.state().await;
    if &state != expected {
        return Err(format!("expected\n{expected}\nbut found\n{state}"));
    }
    scenario.settle(&bench.world).await;
    let left = bench.world.leases().await;
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
}

async fn go_on(scenario: &Moving, bench: &Bench<'_, Moving>) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..PATIENCE {
        scenario.settle(&bench.world).await;
        match bench.resume(Faults::none()).await {
            Ok(report) if report.outcome == Outcome::Done => return Ok(()),
            Ok(report) => last = format!("{:?}", report.outcome),
            Err(refusal) => return Err(format!("resume refused: {refusal}")),
        }
    }
    Err(format!("it never ended: {last}"))
}

async fn go_back(scenario: &Moving, bench: &Bench<'_, Moving>) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..PATIENCE {
        match bench.undo(Faults::none()).await {
            Ok(report) if report.outcome == Outcome::Undone => return Ok(()),
            Ok(report) => {
                says_so(&report)?;
                last = format!("{:?}", report.outcome);
            }
            Err(refusal) => last = refusal.to_string(),
        }
        scenario.settle(&bench.world).await;
    }
    Err(format!("it was never undone: {last}"))
}

/// In CI so many cases per template.
const SAMPLE: usize = 40;

async fn sweep(template: &Template) -> Vec<String> {
    let scenario = Moving::of(template.world);
    let base = baseline(&scenario).await.unwrap();
    let all = cases(&scenario).await;
    let count = all.len();
    let some = Dice::new(template.name).some(all, SAMPLE);
    println!("{}: {} of {count} faults, seed {}", template.name, some.len(), seed());
    let (scenario, base) = (&scenario, &base);
    let results: Vec<Option<String>> = futures_util::stream::iter(some)
        .map(|case| async move {
            let result = one(scenario, base, case).await;
            result.err().map(|why| format!("{}: {case:?}: {why}", template.name))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    results.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_call_loses_nothing_and_doubles_nothing() {
    let mut failed = Vec::new();
    for template in TEMPLATES {
        failed.extend(sweep(template).await);
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n\n"));
}
