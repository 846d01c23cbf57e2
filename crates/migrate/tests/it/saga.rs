//! The generic checks of `runbook::testing` over every template.
//!
//! In CI every kill forward at every step, phase and moment, and a part of the rest; with FLY_OPS_TEST_CASES everything, which
//! is what `cargo xtask soak migrate` runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use runbook::inject::Point;
use runbook::testing::{self, Verdict, check_all};

use crate::bench::Moving;

pub(crate) const STATELESS: &str = include_str!("worlds/stateless.toml");

pub(crate) const VOLUME: &str = include_str!("worlds/volume.toml");

/// Of the kills on the way back, CI takes one in so many.
const BACKWARD_SHARE: usize = 4;

async fn matrix(name: &str, scenario: &Moving) {
    let everything = std::env::var_os("FLY_OPS_TEST_CASES").is_some();
    let verdict = if everything { check_all(scenario).await } else { sample(scenario).await };
    println!("{name}: {} cases {:?}", verdict.total(), verdict.cases);
    verdict.assert_clean();
}

async fn sample(scenario: &Moving) -> Verdict {
    let count = AtomicUsize::new(0);
    let some =
        move |_: &Point| count.fetch_add(1, Ordering::Relaxed).is_multiple_of(BACKWARD_SHARE);
    let mut verdict = testing::each_step_twice(scenario).await;
    verdict.add(testing::crash_forward(scenario, &|_| true).await);
    verdict.add(testing::crash_backward(scenario, &some).await);
    verdict
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
async fn stateless() {
    matrix("stateless", &Moving::of(STATELESS)).await;
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
async fn volume() {
    matrix("volume", &Moving::of(VOLUME)).await;
}
