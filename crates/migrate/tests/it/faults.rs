//! A platform that misbehaves, and other people at work: no duplicate, nothing lost, and the next step named.

use std::sync::Arc;

use fly_types::wire::Sensitive;
use runbook::approval::{Approval, phrase};
use runbook::error::Refusal;
use runbook::executor::Executor as _;
use runbook::inject::Faults;
use runbook::journal::Record;
use runbook::outcome::{Outcome, Report};
use runbook::outputs::Outputs;
use runbook::plan::{Id, Plan};
use runbook::progress::Progress;
use runbook::testing::{Bench, Scenario as _, baseline};
use serde_json::json;

use crate::bench::{Moving, app};
use crate::saga::{STATELESS, VOLUME};

fn error(report: &Report) -> String {
    let error = report.outcome.error().unwrap();
    format!("{error} / {}", error.hint.clone().unwrap_or_default())
}

async fn ends_the_same_with(world: &'static str, faults: &[&str]) {
    let scenario = Moving::of(world);
    let base = baseline(&scenario).await.unwrap();
    let bench = Bench::new(&scenario, false).await;
    for fault in faults {
        bench.world.sim.add_fault(fault).unwrap();
    }
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    assert_eq!(bench.world.state().await, base.end);
    assert_eq!(bench.world.leases().await, Vec::<String>::new());
}

const CREATE: &str = "method = \"POST\"\npath = \"/v1/apps/*/machines\"\n";

#[tokio::test]
async fn a_lost_reply_on_create_makes_no_second_machine() {
    let fault = format!("{CREATE}effect = \"lost_reply\"\nfrom = 2\ncount = 1\n");
    ends_the_same_with(STATELESS, &[&fault]).await;
}

#[tokio::test]
async fn limits_and_server_errors_are_ridden_out() {
    let create = format!("{CREATE}effect = \"status\"\nstatus = 429\ncount = 1\n");
    let cordon = "method = \"POST\"\npath = \"/v1/apps/*/machines/*/cordon\"\neffect = \"status\"\nstatus = 503\ncount = 1\n";
    let stop = "method = \"POST\"\npath = \"/v1/apps/*/machines/*/stop\"\neffect = \"lost_reply\"\ncount = 1\n";
    ends_the_same_with(STATELESS, &[&create, cordon, stop]).await;
}

#[tokio::test]
async fn a_lost_reply_on_a_fork_makes_no_second_volume() {
    let fault =
        "method = \"POST\"\npath = \"/v1/apps/*/volumes\"\neffect = \"lost_reply\"\ncount = 1\n";
    ends_the_same_with(VOLUME, &[fault]).await;
}

#[tokio::test]
async fn a_token_that_ends_half_way_pauses_the_run() {
    let scenario = Moving::of(STATELESS);
    let base = baseline(&scenario).await.unwrap();
    let bench = Bench::new(&scenario, false).await;
    bench
        .world
        .sim
        .add_fault("name = \"token\"\nmethod = \"POST\"\npath = \"/v1/apps/*/machines/*/cordon\"\neffect = \"status\"\nstatus = 401\n")
        .unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
    assert!(error(&report).contains("fly tokens create deploy"), "{}", error(&report));
    bench.world.sim.switch_fault("token", false);
    let report = bench.resume(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(bench.world.state().await, base.end);
}

#[tokio::test]
async fn a_full_target_is_refused_and_another_region_is_offered() {
    let scenario = Moving::of(STATELESS);
    let bench = Bench::new(&scenario, false).await;
    let start = bench.world.state().await;
    bench.world.sim.control("POST", "/_sim/regions/ams", json!({"machines": 1})).unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
    assert!(error(&report).contains("region plan --to lhr"), "{}", error(&report));
    let report = bench.undo(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
}

#[tokio::test]
async fn a_lease_of_somebody_else_is_named_and_nothing_is_cut_over() {
    let scenario = Moving::of(STATELESS);
    let bench = Bench::new(&scenario, false).await;
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("the test"));
    let id = "148e21ea7e4303".parse().unwrap();
    let wanted = fly_api::LeaseRequest::new("a deploy of CI");
    let name = app();
    let lease = writer.machine(&name, &id).lease(&wanted).await.unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Held { .. }), "{:?}", report.outcome);
    assert!(
        error(&report).contains("a deploy of CI") && error(&report).contains("148e21ea7e4303"),
        "{}",
        error(&report)
    );
    lease.release().await.unwrap();
    assert_eq!(bench.world.leases().await, Vec::<String>::new(), "ours were given back");
    assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
}

/// Does something to the world when a step is done.
struct Meddler<F> {
    after: Id,
    act: F,
}

impl<F: Fn(&Outputs) + Send + Sync> Progress for Meddler<F> {
    fn record(&self, _: &Plan, record: &Record) {
        if let runbook::event::Event::Done { step, outputs, .. } = &record.event
            && *step == self.after
        {
            (self.act)(outputs);
        }
    }
}

async fn meddled(
    bench: &Bench<'_, Moving>,
    after: &str,
    act: impl Fn(&Outputs) + Send + Sync + 'static,
) -> Report {
    let approval = Approval::from_flag(&bench.plan, true, phrase(&bench.plan)).unwrap();
    let process = bench
        .process(Faults::none())
        .await
        .progress(Arc::new(Meddler { after: after.into(), act }));
    process.apply(&bench.plan, &approval).await.unwrap()
}

/// Guard of H04: a copy that lost a file is found out before it is written, and the old side runs again.
#[tokio::test]
async fn h04_a_copy_that_lacks_a_file_is_never_released() {
    let scenario = Moving::of(VOLUME);
    let bench = Bench::new(&scenario, false).await;
    let start = bench.world.state().await;
    let sim = Arc::clone(&bench.world.sim);
    let report = meddled(&bench, "fork-148e21ea7e4301-0", move |outputs| {
        let path = format!("/_sim/volumes/{}", outputs.text("volume").unwrap());
        sim.control("POST", &path, json!({"files": {"db.sqlite": null}})).unwrap();
    })
    .await;
    assert!(matches!(report.outcome, Outcome::Unsafe { .. }), "{:?}", report.outcome);
    assert!(error(&report).contains("db.sqlite"), "{}", error(&report));
    let report = bench.undo(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
}

/// Guard of H02: what the app wrote last, and has not synced, is on the copy.
#[tokio::test]
async fn h02_what_was_written_last_arrives() {
    let scenario = Moving::of(VOLUME);
    let bench = Bench::new(&scenario, false).await;
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("the test"));
    let (name, id) = (app(), "148e21ea7e4301".parse().unwrap());
    let write = fly_api::Command::new(["sh", "-c", "echo late > /data/late.txt"]);
    writer.machine(&name, &id).exec(&write).await.unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    let state = bench.world.state().await;
    let copy = state.lines().find(|line| line.starts_with("content of data in ams")).unwrap();
    assert!(copy.contains("late.txt"), "{copy}");
}

/// Guard of H13: the platform moved the Machine to another host between plan and apply.
#[tokio::test]
async fn h13_a_host_migration_is_harmless() {
    let scenario = Moving::of(VOLUME);
    let base = baseline(&scenario).await.unwrap();
    let bench = Bench::new(&scenario, false).await;
    bench
        .world
        .sim
        .control("POST", "/_sim/machines/148e21ea7e4301", json!({"migrate": true}))
        .unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    assert!(
        report.drift.iter().any(|drift| drift.fact.contains("volume/data")),
        "{:?}",
        report.drift
    );
    assert_eq!(bench.world.state().await, base.end);
}

pub(crate) async fn deploy(client: &fly_api::Client, id: &str) -> Result<(), fly_api::WriteError> {
    let writer = client.writer(fly_api::WriteAccess::approved("the test"));
    let (name, id) = (app(), id.parse().unwrap());
    let change = |config: &mut fly_types::wire::MachineConfig| {
        let mut env = config.env.get().map(|env| env.expose().clone()).unwrap_or_default();
        env.insert("DEPLOYED".to_owned(), "again".to_owned());
        config.env = Sensitive::new(env).into();
    };
    writer.machine(&name, &id).update(&fly_api::UpdateOptions::default(), change).await.map(|_| ())
}

/// Guard of H14: a deploy between plan and apply makes the plan stale; nothing is done.
#[tokio::test]
async fn h14_a_deploy_before_apply_is_refused() {
    let scenario = Moving::of(STATELESS);
    let bench = Bench::new(&scenario, false).await;
    deploy(&bench.world.client, "148e21ea7e4303").await.unwrap();
    let start = bench.world.state().await;
    match bench.apply(Faults::none()).await {
        Err(Refusal::Stale(drift)) => {
            assert!(drift[0].fact.contains("148e21ea7e4303"), "{drift:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.world.state().await, start);
}

/// Guard of H14: a deploy while the copies are made stops the run before the cutover, and undo goes back to what the deploy left.
#[tokio::test]
async fn h14_a_deploy_in_the_middle_stops_before_the_cutover() {
    let scenario = Moving::of(STATELESS);
    let bench = Bench::new(&scenario, false).await;
    let stop = "unchanged:observe:before:fail".parse().unwrap();
    let report = bench.apply(Faults { faults: vec![stop], later: 0 }).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }));
    deploy(&bench.world.client, "148e21ea7e4304").await.unwrap();
    let report = bench.resume(Faults::none()).await.unwrap();
    assert!(error(&report).contains("148e21ea7e4304"), "{}", error(&report));
    let state = bench.world.state().await;
    assert!(!state.contains("cordoned") || !state.contains("in fra running cordoned"), "{state}");
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert!(!bench.world.state().await.contains("in ams"), "no orphan");
}

/// A deploy at any moment: never over it, never past it. Either the run finds it and stops, or nothing of the app was left to deploy to.
#[tokio::test]
async fn h14_a_deploy_at_any_moment_is_found() {
    for (world, machine) in [(STATELESS, "148e21ea7e4303"), (VOLUME, "148e21ea7e4301")] {
        let scenario = Moving::of(world);
        let plan = baseline(&scenario).await.unwrap().plan;
        for step in plan.steps().skip(1) {
            let bench = Bench::new(&scenario, false).await;
            let stop = format!("{}:observe:before:fail", step.id).parse().unwrap();
            let report = bench.apply(Faults { faults: vec![stop], later: 0 }).await.unwrap();
            assert!(report.outcome.error().is_some(), "{}: {:?}", step.id, report.outcome);
            deploy(&bench.world.client, machine).await.unwrap();
            let committed = report.committed;
            let report = bench.resume(Faults::none()).await.unwrap();
            assert!(report.outcome.error().is_some(), "{}: {:?}", step.id, report.outcome);
            assert!(error(&report).contains(machine), "{}: {}", step.id, error(&report));
            if committed {
                continue;
            }
            let report = bench.undo(Faults::none()).await.unwrap();
            assert_eq!(report.outcome, Outcome::Undone, "{}: {:?}", step.id, report.outcome);
            let state = bench.world.state().await;
            assert!(
                !state.contains("in ams") && !state.contains("cordoned"),
                "{}: {state}",
                step.id
            );
        }
    }
}

/// A host goes away at any moment, and comes back: the run stops with what to do, and both ways are open.
#[tokio::test]
async fn a_host_that_is_unreachable_for_a_while() {
    for world in [STATELESS, VOLUME] {
        let scenario = Moving::of(world);
        let base = baseline(&scenario).await.unwrap();
        let mut stopped = 0;
        for step in base.plan.steps() {
            for back in [false, true] {
                let bench = Bench::new(&scenario, false).await;
                let sim = Arc::clone(&bench.world.sim);
                let host = |status: &str| {
                    sim.control(
                        "POST",
                        "/_sim/machines/148e21ea7e4301",
                        json!({"host_status": status}),
                    )
                    .unwrap();
                };
                let (away, id) = (Arc::clone(&sim), step.id.clone());
                let act = move |_: &Outputs| {
                    away.control(
                        "POST",
                        "/_sim/machines/148e21ea7e4301",
                        json!({"host_status": "unreachable"}),
                    )
                    .unwrap();
                };
                let report = meddled(&bench, id.as_str(), act).await;
                if let Some(error) = report.outcome.error() {
                    stopped += 1;
                    assert!(error.hint.is_some(), "{}: {error}", step.id);
                }
                host("ok");
                scenario.settle(&bench.world).await;
                let expected = if back && !report.committed {
                    let report = bench.undo(Faults::none()).await.unwrap();
                    assert_eq!(
                        report.outcome,
                        Outcome::Undone,
                        "{}: {:?}",
                        step.id,
                        report.outcome
                    );
                    &base.start
                } else {
                    if report.outcome != Outcome::Done {
                        let report = bench.resume(Faults::none()).await.unwrap();
                        assert_eq!(
                            report.outcome,
                            Outcome::Done,
                            "{}: {:?}",
                            step.id,
                            report.outcome
                        );
                    }
                    &base.end
                };
                assert_eq!(&bench.world.state().await, expected, "after {}", step.id);
            }
        }
        println!("the host was gone in {stopped} runs that stopped");
        assert!(stopped > 0);
    }
}

/// No room for the copy of a volume: another region is offered, the freeze is over, nothing is left behind.
#[tokio::test]
async fn a_target_without_room_for_volumes_is_named_with_another_region() {
    let scenario = Moving::of(VOLUME);
    let bench = Bench::new(&scenario, false).await;
    let start = bench.world.state().await;
    bench.world.sim.control("POST", "/_sim/regions/ams", json!({"volumes": 0})).unwrap();
    let report = bench.apply(Faults::none()).await.unwrap();
    assert!(matches!(report.outcome, Outcome::Stopped { .. }), "{:?}", report.outcome);
    assert!(error(&report).contains("region plan --to lhr"), "{}", error(&report));
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, start);
}

/// A lease that ends by itself is waited out by whoever resumes, and its end is told.
#[tokio::test]
async fn h21_a_lease_that_a_dead_client_left_is_told_with_its_end() {
    let scenario = Moving::of(STATELESS);
    let base = baseline(&scenario).await.unwrap();
    let bench = Bench::new(&scenario, false).await;
    let writer = bench.world.client.writer(fly_api::WriteAccess::approved("the test"));
    let (name, id) = (app(), "148e21ea7e4301".parse().unwrap());
    let wanted = fly_api::LeaseRequest {
        ttl: std::time::Duration::from_mins(2),
        ..fly_api::LeaseRequest::new("a console session")
    };
    // Its holder dies without giving it back.
    std::mem::forget(writer.machine(&name, &id).lease(&wanted).await.unwrap());
    let report = bench.apply(Faults::none()).await.unwrap();
    let end = bench.world.sim.now() + jiff::SignedDuration::from_mins(2);
    assert!(matches!(report.outcome, Outcome::Held { .. }), "{:?}", report.outcome);
    let said = error(&report);
    assert!(
        said.contains("a console session") && said.contains("fly machine leases clear"),
        "{said}"
    );
    // The time of its end, to the minute.
    assert!(said.contains(&end.to_string()[..13]), "{said}, {end}");
    bench.world.sim.advance(std::time::Duration::from_mins(3));
    assert_eq!(bench.resume(Faults::none()).await.unwrap().outcome, Outcome::Done);
    assert_eq!(bench.world.state().await, base.end);
}

/// A list that cannot be read is unknown, not empty: no plan is called stale for it, and one that was made without it goes on.
#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_an_empty_one() {
    let fault = "name = \"unreadable\"\nmethod = \"GET\"\npath = \"/v1/apps/*/secrets\"\neffect = \"status\"\nstatus = 403\n";
    let scenario = Moving::of(STATELESS);
    let bench = Bench::new(&scenario, false).await;
    bench.world.sim.add_fault(fault).unwrap();
    match bench.apply(Faults::none()).await {
        Err(refusal @ Refusal::Observe(_)) => {
            assert!(refusal.to_string().contains("secrets"), "{refusal}");
            assert!(refusal.hint().contains("token"), "{}", refusal.hint());
        }
        other => panic!("{other:?}"),
    }
    bench.world.sim.switch_fault("unreadable", false);
    assert_eq!(bench.apply(Faults::none()).await.unwrap().outcome, Outcome::Done);

    let world = scenario.world().await;
    world.sim.add_fault(fault).unwrap();
    let sealed = world.plan("fra", "ams", &scenario.options).await;
    world.sim.switch_fault("unreadable", false);
    let approval = Approval::from_flag(&sealed, true, phrase(&sealed)).unwrap();
    let registry = scenario.registry(&world).await;
    let store = Arc::new(runbook::store::memory::MemoryStore::new());
    let executor = runbook::executor::LocalExecutor::new(registry, store, scenario.clock(&world));
    let report = executor.apply(&sealed, &approval).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
}
