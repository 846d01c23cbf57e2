//! The same moves whatever shape the platform answers in: every documented spelling, absent fields, lists that lag behind.

use fly_sim::Variants;
use runbook::inject::{Effect, Faults, Moment, Phase, Point};
use runbook::outcome::Outcome;
use runbook::testing::{Bench, baseline};

use crate::bench::Moving;
use crate::dice::{everything, seed};
use crate::saga::{TEMPLATES, Template};

/// Selections of shapes per template, beside each one alone.
const SAMPLE: u64 = 3;
const ALL: u64 = 64;

fn selections() -> Vec<Variants> {
    let single = (0..Variants::COMBINATIONS.ilog2()).map(|bit| Variants::from_bits(1 << bit));
    let mixed = (1..=if everything() { ALL } else { SAMPLE })
        .map(|number| Variants::from_seed(seed().wrapping_add(number)));
    single.chain(mixed).collect()
}

/// A state without the digests of configurations, which cover fields that only one shape has.
fn comparable(state: &str) -> Vec<&str> {
    state.lines().map(|line| line.split(", config ").next().unwrap_or(line)).collect()
}

async fn one(template: &Template, variants: Variants) -> Result<(), String> {
    let scenario = Moving { variants, ..Moving::of(template.world) };
    let plain = baseline(&Moving::of(template.world)).await?;
    let base = baseline(&scenario).await?;
    if comparable(&base.end) != comparable(&plain.end)
        || comparable(&base.start) != comparable(&plain.start)
    {
        return Err(format!("expected\n{}\nbut found\n{}", plain.end, base.end));
    }
    let turn = base.plan.point_of_no_return.as_ref().map(|point| point.step.clone());
    let last = || base.plan.steps().last().unwrap().id.clone();
    let phase = if turn.is_some() { Phase::Act } else { Phase::Verify };
    let point = Point { id: turn.unwrap_or_else(last), phase, moment: Moment::Before };
    let bench = Bench::new(&scenario, false).await;
    let report = bench.apply(Faults::one(point, Effect::Fail)).await;
    report.map_err(|error| error.to_string())?;
    let report = bench.undo(Faults::none()).await.map_err(|error| error.to_string())?;
    let state = bench.world.state().await;
    if report.outcome == Outcome::Undone && state == base.start {
        return Ok(());
    }
    Err(format!("{:?}, expected\n{}\nbut found\n{state}", report.outcome, base.start))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_template_in_every_shape_of_answers() {
    let mut failed = Vec::new();
    for template in TEMPLATES {
        let selections = selections();
        println!("{}: {} selections of shapes, seed {}", template.name, selections.len(), seed());
        let all = selections.into_iter().map(|variants| async move {
            let result = one(template, variants).await;
            result.err().map(|why| format!("{} with {variants:?}: {why}", template.name))
        });
        failed.extend(futures_util::future::join_all(all).await.into_iter().flatten());
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n\n"));
}
