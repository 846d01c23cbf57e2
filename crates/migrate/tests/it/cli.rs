//! The command itself, from outside: plan, apply, kill, resume, roll back, clean up.

use std::path::Path;

use test_kit::{Outcome, Sandbox, SimProcess};

/// A sandbox that talks to a simulator with this world.
fn setup(world: &str) -> (Sandbox, SimProcess) {
    let mut sandbox = Sandbox::new().unwrap();
    let file = sandbox.path("world.toml");
    std::fs::write(&file, world).unwrap();
    let sim = SimProcess::start(file.to_str().unwrap()).unwrap();
    sandbox.set_all(sim.env());
    sandbox.set("FLY_OPS_LOOPBACK_ONLY", "1");
    (sandbox, sim)
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run(Path::new(env!("CARGO_BIN_EXE_fly-migrate")), args).unwrap()
}

const PLAN: [&str; 12] = [
    "region", "plan", "--app", "shop", "--from", "fra", "--to", "ams", "--drain", "0", "--watch",
    "0",
];

fn planned(sandbox: &Sandbox) -> Outcome {
    let mut args = PLAN.to_vec();
    args.extend(["--rehearsed", "waived: a test"]);
    let outcome = run(sandbox, &args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome
}

#[test]
fn a_move_is_planned_shown_applied_verified_and_cleaned_up() {
    let (sandbox, _sim) = setup(crate::saga::STATELESS);
    let plan = planned(&sandbox);
    assert!(plan.stdout.contains("can be undone at any time"), "{}", plan.stdout);
    let script = run(&sandbox, &["region", "show", "plan.json", "--script"]);
    assert!(
        script.stdout.contains("fly machine cordon 148e21ea7e4301 -a shop"),
        "{}",
        script.stdout
    );

    let refused = run(&sandbox, &["region", "apply", "plan.json"]);
    assert_eq!(refused.code, Some(4), "nobody said yes: {}", refused.stderr);

    let applied = run(&sandbox, &["region", "apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.stdout, applied.stderr);
    let again = run(&sandbox, &["region", "apply", "plan.json", "--yes"]);
    assert_eq!(again.code, Some(4), "one plan, one run: {}", again.stderr);

    let status = run(&sandbox, &["region", "status", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(runs[0]["status"], "done", "{runs}");
    let name = runs[0]["run"].as_str().unwrap().to_owned();
    let verified = run(&sandbox, &["region", "verify", &name]);
    assert_eq!(verified.code, Some(0), "{}\n{}", verified.stdout, verified.stderr);

    let unconfirmed = run(&sandbox, &["region", "cleanup", &name]);
    assert_eq!(unconfirmed.code, Some(4), "{}", unconfirmed.stderr);
    let wrong = run(&sandbox, &["region", "cleanup", &name, "--confirm", "other"]);
    assert_eq!(wrong.code, Some(4), "{}", wrong.stderr);
    let cleaned = run(&sandbox, &["region", "cleanup", &name, "--confirm", "shop"]);
    assert_eq!(cleaned.code, Some(0), "{}\n{}", cleaned.stdout, cleaned.stderr);
    let mut args = PLAN.to_vec();
    args.extend(["--out", "second.json"]);
    let nothing = run(&sandbox, &args);
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
    assert!(nothing.stderr.contains("no Machine in fra"), "{}", nothing.stderr);
}

#[test]
fn a_missing_rehearsal_pauses_and_rollback_goes_back() {
    let (sandbox, _sim) = setup(crate::saga::STATELESS);
    assert_eq!(run(&sandbox, &PLAN).code, Some(0));
    let paused = run(&sandbox, &["region", "apply", "plan.json", "--yes"]);
    assert_eq!(paused.code, Some(6), "{}\n{}", paused.stdout, paused.stderr);
    assert!(paused.stdout.contains("--rehearsed"), "{}", paused.stdout);
    let other = run(&sandbox, &["region", "resume", "--rehearsed", "staging, ticket 7"]);
    assert_eq!(other.code, Some(0), "{}\n{}", other.stdout, other.stderr);
}

#[test]
fn a_run_that_stopped_is_rolled_back() {
    let (sandbox, _sim) = setup(crate::saga::STATELESS);
    assert_eq!(run(&sandbox, &PLAN).code, Some(0));
    assert_eq!(run(&sandbox, &["region", "apply", "plan.json", "--yes"]).code, Some(6));
    let back = run(&sandbox, &["region", "rollback"]);
    assert_eq!(back.code, Some(10), "{}\n{}", back.stdout, back.stderr);
}

#[test]
fn a_plan_that_passes_a_point_of_no_return_wants_the_name_typed() {
    let (sandbox, _sim) = setup(crate::saga::VOLUME);
    let plan = planned(&sandbox);
    assert!(plan.stdout.contains("can be undone until step `release`"), "{}", plan.stdout);
    let refused = run(&sandbox, &["region", "apply", "plan.json", "--yes"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("--confirm shop"), "{}", refused.stderr);
    let applied = run(&sandbox, &["region", "apply", "plan.json", "--confirm", "shop"]);
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.stdout, applied.stderr);
    let back = run(&sandbox, &["region", "rollback", run_name(&sandbox).as_str()]);
    assert_eq!(back.code, Some(4), "{}", back.stderr);
    assert!(
        back.stderr.contains("plan a move from ams to fra"),
        "the way forward: {}",
        back.stderr
    );
}

fn run_name(sandbox: &Sandbox) -> String {
    let status = run(sandbox, &["region", "status", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    runs[0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_plan_of_another_organization_is_refused() {
    let (sandbox, _sim) = setup(crate::saga::STATELESS);
    planned(&sandbox);
    let world = format!(
        "{}\n[[orgs]]\nslug = \"other\"\n",
        crate::saga::STATELESS.replacen("name = \"shop\"", "name = \"shop\"\norg = \"other\"", 1)
    );
    let (mut elsewhere, sim) = setup(&world);
    std::fs::copy(sandbox.work().join("plan.json"), elsewhere.work().join("plan.json")).unwrap();
    elsewhere.set_all(sim.env());
    let refused = run(&elsewhere, &["region", "apply", "plan.json", "--yes"]);
    assert_eq!(refused.code, Some(4), "{}\n{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("organization other"), "{}", refused.stderr);
}
