//! Real processes, killed with SIGKILL: at a named step, phase and moment, or while a call to the platform is out. Then another process
//! goes on, or back.
//!
//! In CI a seeded sample of at most 60 kills; with FLY_OPS_TEST_CASES (`cargo xtask soak migrate`) all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use runbook::inject::{Effect, Fault, Phase, Point, forward_points, undo_points};
use runbook::plan::Plan;

use crate::bench::Net;
use crate::dice::Dice;
use crate::live::{Live, outcome};
use crate::saga::{TEMPLATES, Template};

/// Processes beside each other: most of the time they wait for limits of the platform.
const AT_ONCE: usize = 60;

/// How a process is killed.
#[derive(Debug, Clone)]
enum Kill {
    /// It kills itself at a point of its run.
    Apply(Point),
    /// We kill it while its n-th call that changes something is out: before, or after the call had its effect.
    Call { number: u64, effect: bool },
    /// It is stopped, rolled back, and kills itself at a point of that.
    Rollback(Point),
}

/// What the next process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    Rollback,
}

struct Case {
    template: &'static Template,
    kill: Kill,
    then: Then,
}

/// Where an uninterrupted run of the same command begins and ends, and how many calls that change something it makes.
struct Whole {
    start: String,
    end: String,
    plan: Plan,
    calls: u64,
    /// Steps that did something.
    acted: Vec<String>,
}

async fn whole(net: &Net, template: &Template) -> Whole {
    let live = Live::new(net, template.world).await;
    let start = live.world.state().await;
    let plan = live.plan().await;
    let done = live.run(&Live::apply_args(&plan)).await;
    assert_eq!(done.code, Some(0), "{}: {}\n{}", template.name, done.stdout, done.stderr);
    let calls = live.writes().len() as u64;
    let status = live.status().await;
    let steps = status["steps"].as_array().unwrap().iter();
    let acted = steps.filter(|step| step["acted"] == true);
    let acted = acted.map(|step| step["id"].as_str().unwrap().to_owned()).collect();
    Whole { start, end: live.world.state().await, plan: plan.plan().clone(), calls, acted }
}

fn cases(template: &'static Template, whole: &Whole) -> Vec<Case> {
    // A step that finds nothing to do has an outcome only.
    let passed = |point: &Point| {
        point.phase == Phase::Outcome
            || whole.acted.iter().any(|id| id == point.id.as_str())
            || whole.plan.sessions.iter().any(|session| session.id == point.id)
    };
    let points = forward_points(&whole.plan).into_iter().filter(passed);
    let mut kills: Vec<Kill> = points.map(Kill::Apply).collect();
    let calls = 1..=whole.calls;
    kills
        .extend(calls.flat_map(|number| [false, true].map(|effect| Kill::Call { number, effect })));
    kills.extend(undo_points(&whole.plan).into_iter().map(Kill::Rollback));
    let ways = [Then::Resume, Then::Rollback];
    let all = kills.into_iter().flat_map(|kill| ways.map(|then| (kill.clone(), then)));
    all.map(|(kill, then)| Case { template, kill, then }).collect()
}

/// True when a process was killed; else the point was not passed, and the run ended by itself.
async fn kill(live: &Live, plan: &Plan, args: &[&str], kill: &Kill) -> Result<bool, String> {
    let end = match kill {
        Kill::Apply(point) => {
            let fault = Fault { point: point.clone(), effect: Effect::Kill }.to_string();
            live.run_with(args, Some(&fault)).await
        }
        Kill::Call { number, effect } => {
            let word = if *effect { "silent" } else { "hang" };
            live.world
                .sim
                .add_fault(&format!(
                    "name = \"out\"\nmethod = \"!GET\"\npath = \"/v1/apps/**\"\neffect = \"{word}\"\nfrom = {number}\n"
                ))
                .unwrap();
            let mut child = live.start(args, None);
            tokio::select! {
                () = live.world.sim.struck("out", 1) => child.start_kill().unwrap(),
                // It never came that far.
                _ = child.wait() => {}
            }
            let end = outcome(child).await;
            live.world.sim.switch_fault("out", false);
            end
        }
        Kill::Rollback(point) => {
            let fault = match &plan.point_of_no_return {
                Some(turn) => format!("{}:act:before:fail", turn.step),
                None => format!("{}:verify:before:fail", plan.steps().last().unwrap().id),
            };
            let stopped = live.run_with(args, Some(&fault)).await;
            if stopped.code != Some(6) {
                return Err(format!("it did not stop: {:?} {}", stopped.code, stopped.stderr));
            }
            let fault = Fault { point: point.clone(), effect: Effect::Kill }.to_string();
            live.run_with(&["region", "rollback"], Some(&fault)).await
        }
    };
    match (end.signal, end.code) {
        (Some(9), _) => Ok(true),
        (None, Some(0 | 10)) => Ok(false),
        _ => Err(format!("it ended with {:?} {:?}: {}", end.code, end.signal, end.stderr)),
    }
}

async fn one(net: &Net, whole: &Whole, case: &Case) -> Result<bool, String> {
    let live = Live::new(net, case.template.world).await;
    let plan = live.plan().await;
    let killed = kill(&live, plan.plan(), &Live::apply_args(&plan), &case.kill).await?;
    if !killed {
        return Ok(false);
    }
    live.leases_end();
    let began = live.journal_exists(&plan);
    if !began {
        // Killed before the first record: there is no run, and nothing may have been changed.
        let state = live.world.state().await;
        return if state == whole.start { Ok(true) } else { Err(format!("no run, but\n{state}")) };
    }
    let mut expected = &whole.end;
    if case.then == Then::Rollback {
        let back = live.run(&["region", "rollback"]).await;
        match back.code {
            Some(10) => expected = &whole.start,
            // The point of no return was passed: the way forward is named, and taken.
            Some(4) if back.stderr.contains("plan a move from ams to fra") => {
                resume(&live).await?;
            }
            _ => return Err(format!("rollback: {:?} {}{}", back.code, back.stdout, back.stderr)),
        }
    } else {
        resume(&live).await?;
    }
    let state = live.world.state().await;
    if &state != expected {
        return Err(format!("expected\n{expected}\nbut found\n{state}"));
    }
    let leases = live.world.leases().await;
    if leases.is_empty() { Ok(true) } else { Err(format!("left behind: {leases:?}")) }
}

async fn resume(live: &Live) -> Result<(), String> {
    let done = live.run(&["region", "resume"]).await;
    match done.code {
        Some(0) => Ok(()),
        // It was over when it was killed.
        Some(2) if live.status().await["status"] == "done" => Ok(()),
        code => Err(format!("resume: {code:?} {}{}", done.stdout, done.stderr)),
    }
}

impl Live {
    fn journal_exists(&self, plan: &runbook::sealed::SealedPlan) -> bool {
        let run = runbook::store::RunId::of(plan.plan(), plan.digest());
        std::fs::read(self.journal(run.as_str())).is_ok_and(|bytes| bytes.contains(&b'\n'))
    }
}

/// In CI: at most 60 kills, over all templates.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_are_resumed_or_rolled_back() {
    let net = Net::new();
    let dice = Dice::new("kills");
    println!("seed {}", crate::dice::seed());
    let mut wholes = BTreeMap::new();
    let mut chosen = Vec::new();
    let all =
        futures_util::future::join_all(TEMPLATES.iter().map(|template| whole(&net, template)));
    for (template, whole) in TEMPLATES.iter().zip(all.await) {
        let all = cases(template, &whole);
        let count = all.len();
        let some = dice.some(all, 60 / TEMPLATES.len());
        println!("{}: {} of {count} kills", template.name, some.len());
        chosen.extend(some);
        wholes.insert(template.name, Arc::new(whole));
    }
    let (net, wholes) = (&net, &wholes);
    let results: Vec<(String, Result<bool, String>)> = futures_util::stream::iter(chosen)
        .map(|case| async move {
            let result = one(net, &wholes[case.template.name], &case).await;
            (format!("{}: {:?} then {:?}", case.template.name, case.kill, case.then), result)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let killed = results.iter().filter(|(_, result)| *result == Ok(true)).count();
    let failed: Vec<String> = results
        .iter()
        .filter_map(|(case, result)| result.as_ref().err().map(|why| format!("{case}: {why}")))
        .collect();
    println!("{killed} processes killed in {} cases, {} failures", results.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(killed * 2 > results.len(), "most of the kills must hit: {killed}");
}
