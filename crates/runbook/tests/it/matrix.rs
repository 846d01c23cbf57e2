//! The generic checks, applied to the toy. One test a check, so that they run beside each other.

use runbook::testing::{self, Verdict};

use crate::toy::Toy;

#[expect(clippy::print_stdout, reason = "the sizes of the matrices are worth seeing")]
fn clean(verdict: &Verdict, at_least: usize) {
    println!("{:?}", verdict.cases);
    verdict.assert_clean();
    assert!(verdict.total() >= at_least, "only {} cases", verdict.total());
}

#[tokio::test(start_paused = true)]
async fn each_step_twice() {
    clean(&testing::each_step_twice(&Toy::default()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn fail_at_each_step() {
    clean(&testing::fail_at_each_step(&Toy::default(), false).await, 80);
}

#[tokio::test(start_paused = true)]
async fn fail_at_each_step_and_undo_twice() {
    clean(&testing::fail_at_each_step(&Toy::default(), true).await, 80);
}

#[tokio::test(start_paused = true)]
async fn die_at_each_point_forward() {
    clean(&testing::crash_forward(&Toy::default(), &|_| true).await, 200);
}

#[tokio::test(start_paused = true)]
async fn die_at_each_point_backward() {
    clean(&testing::crash_backward(&Toy::default(), &|_| true).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_runbook_without_a_point_of_no_return() {
    let toy = Toy { reversible: true, ..Toy::default() };
    clean(&testing::crash_backward(&toy, &|_| true).await, 100);
}

/// The checks can fail: a kind that forgets to undo, and one that acts twice as much the second time.
#[tokio::test(start_paused = true)]
async fn the_checks_find_a_bad_kind() {
    for (flaw, check) in
        [("lazy undo", "fail"), ("counts", "each step twice"), ("leaks", "left behind")]
    {
        let toy = Toy { flaw: Some(flaw), ..Toy::default() };
        let mut verdict = testing::each_step_twice(&toy).await;
        verdict.add(testing::fail_at_each_step(&toy, false).await);
        assert!(
            verdict.failures.iter().any(|failure| failure.contains(check)),
            "{flaw}: {:?}",
            verdict.failures
        );
    }
}
