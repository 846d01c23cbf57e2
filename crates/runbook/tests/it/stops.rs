//! How runs stop: cancelled, drifted, session lost, hold lifted, committed; and how they go on.

use std::sync::Arc;
use std::time::Duration;

use runbook::approval::Approval;
use runbook::cancel::Cancel;
use runbook::error::{Failure, Refusal};
use runbook::event::Event;
use runbook::executor::Executor as _;
use runbook::inject::Faults;
use runbook::outcome::{Outcome, Report};
use runbook::state::Status;
use runbook::store::Store as _;
use runbook::testing::{Bench, Scenario as _};
use serde_json::json;

use crate::toy::Toy;

fn fault(text: &str) -> Faults {
    Faults { faults: vec![text.parse().unwrap()], later: 0 }
}

fn status(report: &Report, id: &str) -> Status {
    report.steps.iter().find(|step| step.id.as_str() == id).unwrap().status
}

async fn events(bench: &Bench<'_, Toy>) -> Vec<Event> {
    let bytes = bench.store.journal(&bench.run()).await.unwrap();
    runbook::journal::read(&bytes).unwrap().records.into_iter().map(|record| record.event).collect()
}

#[tokio::test]
async fn a_failure_unwinds_nothing_but_what_must_not_be_left() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    let report = bench.apply(fault("switch:act:before:fail")).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }));
    assert_eq!(report.next, ["resume to go on, or undo to go back"]);
    // The fence is taken back at once, with its guard; the copies and the mark stay.
    assert_eq!(status(&report, "fence"), Status::Undone);
    assert_eq!(status(&report, "copy-0"), Status::Done);
    {
        let state = bench.world.lock();
        assert_eq!(state.cells.get("fence"), None);
        assert_eq!(state.cells["mark"], json!("moving"));
        assert_eq!((&state.guard_until, &state.lease), (&None, &None));
    }
    // What was copied under the fence is worthless now: resume makes it anew.
    let copies = |world: &crate::toy::World| {
        world.lock().calls.iter().filter(|call| call.starts_with("act copy")).count()
    };
    assert_eq!(copies(&bench.world), 3);
    bench.resume(Faults::none()).await.unwrap();
    assert_eq!(copies(&bench.world), 6);
}

#[tokio::test]
async fn a_hold_whose_undo_fails_is_an_unsafe_end() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    let faults = Faults {
        faults: vec![
            "switch:act:before:fail".parse().unwrap(),
            "fence:undo_act:before:fail".parse().unwrap(),
        ],
        later: 0,
    };
    let report = bench.apply(faults).await.unwrap();
    let Outcome::Unsafe { error } = &report.outcome else { panic!("{:?}", report.outcome) };
    assert!(error.message.contains("step `fence` must not be left as it is"), "{error}");
    // The guard stays armed: it is what lifts the fence now.
    assert_eq!(bench.world.lock().guard_until.as_deref(), Some("fence"));
    let report = bench.undo(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Undone);
    assert!(toy.leftovers(&bench.world).await.is_empty());
}

#[tokio::test]
async fn a_fence_that_its_guard_lifted_is_put_up_again_and_the_copies_made_anew() {
    let toy = Toy::default();
    let end = runbook::testing::baseline(&toy).await.unwrap().end;
    let bench = Bench::new(&toy, false).await;
    assert!(matches!(
        bench.apply(fault("switch:act:before:crash")).await,
        Err(Refusal::Crashed(_))
    ));
    {
        let mut state = bench.world.lock();
        assert_eq!(state.guard_until.as_deref(), Some("fence"));
        state.cells.remove("fence");
        state.guard_until = None;
        state.cells.insert("index".to_owned(), json!("written meanwhile"));
    }
    let report = bench.resume(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(toy.digest(&bench.world).await, end);
    let rebuilt = events(&bench).await.into_iter().find_map(|event| match event {
        Event::Invalidated { steps, because, .. } if because.contains("`fence` held") => {
            Some(steps)
        }
        _ => None,
    });
    let rebuilt: Vec<String> = rebuilt.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(rebuilt, ["fence", "copy-0", "copy-1", "copy-2"]);
}

#[tokio::test]
async fn what_was_made_from_something_rebuilt_is_rebuilt_too() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.apply(fault("switch:act:before:fail")).await.unwrap();
    bench.resume(Faults::none()).await.unwrap();
    let calls = bench.world.lock().calls.clone();
    let undone: Vec<&str> =
        calls.iter().filter(|call| call.starts_with("undo")).map(String::as_str).collect();
    // The fence at the stop; on resume, last first, the index made from a copy, then the copies.
    assert_eq!(undone, ["undo fence", "undo index", "undo copy-2", "undo copy-1", "undo copy-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_stops_the_run_and_resume_redoes_its_steps() {
    let toy = Toy::default();
    let end = runbook::testing::baseline(&toy).await.unwrap().end;
    let bench = Bench::new(&toy, false).await;
    {
        let mut state = bench.world.lock();
        state.slow = Some("copy-2".to_owned());
        state.lose_snapshot = true;
    }
    let report = bench.apply(Faults::none()).await.unwrap();
    let error = report.outcome.error().unwrap();
    assert!(error.message.starts_with("session `snapshot` was lost: connection lost"), "{error}");
    assert_eq!(status(&report, "copy-0"), Status::Done);
    assert_eq!(status(&report, "copy-2"), Status::Failed);
    {
        let mut state = bench.world.lock();
        state.slow = None;
        state.lose_snapshot = false;
    }
    let report = bench.resume(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(toy.digest(&bench.world).await, end);
    assert!(bench.world.lock().calls.iter().filter(|call| *call == "act copy-0").count() == 2);
}

#[tokio::test(start_paused = true)]
async fn sessions_and_guards_are_refreshed_while_steps_wait() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().slow = Some("index".to_owned());
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    let state = bench.world.lock();
    // An hour of waiting, a third of 30 s for each look.
    assert!(state.refreshes >= 300, "{}", state.refreshes);
    assert!(state.arms >= 300, "{}", state.arms);
}

#[tokio::test(start_paused = true)]
async fn cancelling_a_wait_stops_at_once_and_an_act_after_a_moment() {
    let toy = Toy::default();
    for slow in ["mark", "act mark"] {
        let bench = Bench::new(&toy, false).await;
        bench.world.lock().slow = Some(slow.to_owned());
        let cancel = Cancel::new();
        let process = bench.process(Faults::none()).await.cancel(cancel.clone());
        let approval = Approval::from_flag(&bench.plan, true, Some("duck")).unwrap();
        let began = tokio::time::Instant::now();
        let ask = async {
            tokio::time::sleep(Duration::from_secs(100)).await; // sleep: virtual time
            cancel.cancel();
        };
        let (report, ()) = tokio::join!(process.apply(&bench.plan, &approval), ask);
        let report = report.unwrap();
        let error = report.outcome.error().unwrap();
        assert_eq!(error.failure, Failure::Cancelled);
        assert_eq!(status(&report, "mark"), Status::Failed);
        assert_eq!(status(&report, "fence"), Status::Pending);
        assert!(began.elapsed() < Duration::from_secs(102), "{slow}: {:?}", began.elapsed());
        assert!(toy.leftovers(&bench.world).await.is_empty(), "the lease is given back");
        bench.world.lock().slow = None;
        assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
    }
}

#[tokio::test]
async fn a_wait_that_takes_too_long_fails_its_step() {
    // The toy's steps have no deadline; one is given to the first.
    tokio::time::pause();
    let toy = Toy { deadline: Some(60), ..Toy::default() };
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().slow = Some("mark".to_owned());
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(
        report.outcome.error().unwrap().message,
        "step `mark` did not get there within 60 s"
    );
}

#[tokio::test]
async fn somebody_elses_change_in_the_middle_is_detected() {
    let toy = Toy::default();
    // Before a step that asks for it.
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().deploy_during = Some("found".to_owned());
    let report = bench.apply(Faults::none()).await.unwrap();
    let error = report.outcome.error().unwrap();
    assert_eq!(error.failure, Failure::Stale);
    assert_eq!(
        error.message,
        "before step `switch`: release was 0 and is 1 (a deploy would undo it)"
    );
    // On resume, and then even the fence is lifted that a dead process left.
    let bench = Bench::new(&toy, false).await;
    assert!(matches!(
        bench.apply(fault("switch:act:before:crash")).await,
        Err(Refusal::Crashed(_))
    ));
    bench.world.lock().release = 1;
    let report = bench.resume(Faults::none()).await.unwrap();
    let error = report.outcome.error().unwrap();
    assert_eq!(error.failure, Failure::Stale);
    assert!(error.message.contains("release was 0 and is 1"), "{error}");
    assert_eq!(bench.world.lock().cells.get("fence"), None);
    assert!(toy.leftovers(&bench.world).await.is_empty());
    // Undo is possible in spite of it.
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
}

#[tokio::test]
async fn a_held_lease_is_named_and_nothing_is_half_done() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().lease = Some("ann's deploy".to_owned());
    let report = bench.apply(Faults::none()).await.unwrap();
    let Outcome::Held { error } = &report.outcome else { panic!("{:?}", report.outcome) };
    assert!(error.message.contains("ann's deploy"));
    assert_eq!(bench.world.lock().calls, Vec::<String>::new());
    assert_eq!(bench.world.lock().lease.as_deref(), Some("ann's deploy"));
}

#[tokio::test]
async fn after_the_point_of_no_return_only_forward_is_left() {
    let toy = Toy::default();
    for effect in [
        "note:act:before:fail",
        "note:act:before:crash",
        "destroy:act:after:crash",
        "destroy:act:during:crash",
    ] {
        let bench = Bench::new(&toy, false).await;
        if let Ok(report) = bench.apply(fault(effect)).await {
            assert!(matches!(report.outcome, Outcome::FollowUpFailed { .. }));
            assert_eq!(report.next, ["resume; there is no undo any more: finish the move"]);
        }
        let refusal = bench.undo(Faults::none()).await.unwrap_err();
        assert!(refusal.to_string().contains("no undo; finish the move"), "{refusal}");
        assert!(toy.leftovers(&bench.world).await.is_empty(), "{effect}");
        assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
    }
}

#[tokio::test]
async fn undo_can_stop_at_a_step_and_go_forward_again() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.apply(fault("destroy:act:before:fail")).await.unwrap();
    let process = bench.process(Faults::none()).await;
    let loaded = process.load(&bench.run()).await.unwrap();
    let approval = Approval::of_run(&loaded.plan, &loaded.state).unwrap();
    let report = process.undo(&bench.run(), Some(&"mark".into()), &approval).await.unwrap();
    assert_eq!(report.outcome, Outcome::UndoneTo { step: "mark".into() });
    {
        let state = bench.world.lock();
        assert_eq!(state.cells["mark"], json!("moving"));
        assert_eq!(state.cells["traffic"], json!("old"));
        assert_eq!(state.cells.keys().filter(|name| name.starts_with("new")).count(), 0);
    }
    let unknown = process.undo(&bench.run(), Some(&"nowhere".into()), &approval).await.unwrap_err();
    assert!(unknown.to_string().contains("has no step `nowhere`"));
    assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
}

#[tokio::test]
async fn a_plan_without_a_point_of_no_return_can_be_undone_when_done() {
    let toy = Toy { reversible: true, ..Toy::default() };
    let bench = Bench::new(&toy, false).await;
    let start = toy.digest(&bench.world).await;
    assert_eq!(bench.apply(Faults::none()).await.unwrap().outcome, Outcome::Done);
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert_eq!(toy.digest(&bench.world).await, start);
    assert!(matches!(bench.undo(Faults::none()).await, Err(Refusal::NotPossible { .. })));
}

#[tokio::test]
async fn what_was_so_already_is_neither_done_nor_undone() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().cells.insert("mark".to_owned(), json!("moving"));
    let report = bench.apply(fault("destroy:act:before:fail")).await.unwrap();
    assert!(!report.steps[0].acted && report.steps[0].status == Status::Done);
    bench.undo(Faults::none()).await.unwrap();
    let state = bench.world.lock();
    assert_eq!(state.cells["mark"], json!("moving"));
    assert!(!state.calls.iter().any(|call| call.ends_with(" mark")));
}

#[tokio::test(start_paused = true)]
async fn a_parallel_group_keeps_to_its_limit_and_finishes_what_is_under_way() {
    let toy = Toy { copies: 9, ..Toy::default() };
    let bench = Bench::new(&toy, false).await;
    bench.apply(Faults::none()).await.unwrap();
    assert_eq!(bench.world.lock().most_at_once, 2);

    let bench = Bench::new(&toy, false).await;
    let report = bench.apply(fault("copy-0:act:before:fail")).await.unwrap();
    let done = report
        .steps
        .iter()
        .filter(|step| step.id.as_str().starts_with("copy") && step.status == Status::Done);
    assert_eq!(done.count(), 1, "its neighbour was under way, nothing else was begun");
}

#[tokio::test]
async fn cleanup_puts_away_what_a_dead_process_left() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    assert!(matches!(bench.apply(fault("mark:act:after:crash")).await, Err(Refusal::Crashed(_))));
    assert_eq!(toy.leftovers(&bench.world).await.len(), 1);
    let process = Arc::new(bench.process(Faults::none()).await);
    let loaded = process.load(&bench.run()).await.unwrap();
    let approval = Approval::of_run(&loaded.plan, &loaded.state).unwrap();
    let report = process.cleanup(&bench.run(), &approval).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }));
    assert!(toy.leftovers(&bench.world).await.is_empty());
    assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
}
