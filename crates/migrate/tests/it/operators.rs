//! People at work: two at once, one who presses Ctrl-C, one whose disk is full, one who looks while another works.

use std::process::Stdio;

use rustix::process::Signal;
use test_kit::Outcome;
use tokio::process::Command;

use crate::bench::Net;
use crate::live::{Live, PROGRAM, outcome, signal};
use crate::saga::{STATELESS, VOLUME};

/// The n-th call of this kind takes effect and is never answered, until it is switched off.
fn hold(live: &Live, method: &str, path: &str) {
    live.world
        .sim
        .add_fault(&format!(
            "name = \"held\"\nmethod = \"{method}\"\npath = \"{path}\"\neffect = \"silent\"\ncount = 1\n"
        ))
        .unwrap();
}

const CORDON: &str = "/v1/apps/*/machines/*/cordon";
const FORK: &str = "/v1/apps/*/volumes";

async fn uninterrupted(net: &Net, world: &str) -> (String, String) {
    let live = Live::new(net, world).await;
    let start = live.world.state().await;
    let plan = live.plan().await;
    let done = live.run(&Live::apply_args(&plan)).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    (start, live.world.state().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_computer_is_refused_and_told_who_works() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let plan = live.plan().await;
    hold(&live, "POST", CORDON);
    let first = live.start(&Live::apply_args(&plan), None);
    live.world.sim.struck("held", 1).await;
    // The first one's own: the other Machine of the same step, and its leases.
    let others = || {
        let all = live.writes().into_iter();
        all.filter(|one| !one.ends_with("/cordon") && !one.ends_with("/lease")).collect::<Vec<_>>()
    };
    let writes = others();
    let number = first.id().unwrap().to_string();

    // The same plan, another plan of the same app, and every command that would write.
    let again = live.run(&Live::apply_args(&plan)).await;
    assert_eq!(again.code, Some(8), "{}", again.stderr);
    assert!(again.stderr.contains(&number), "the holder is named: {}", again.stderr);
    let mut args = crate::live::PLAN.to_vec();
    args.extend(["--out", "other.json"]);
    assert_eq!(live.run(&args).await.code, Some(0), "planning is reading");
    let other = live.run(&["region", "apply", "other.json", "--yes"]).await;
    assert_eq!(other.code, Some(8), "{}", other.stderr);
    for command in ["resume", "rollback"] {
        let refused = live.run(&["region", command]).await;
        assert_eq!(refused.code, Some(8), "{command}: {}", refused.stderr);
    }
    // Looking is allowed, and tells how far it is.
    let status = live.status().await;
    assert_eq!(status["target"]["name"], "shop", "{status}");
    assert!(!["done", "undone"].contains(&status["status"].as_str().unwrap()), "{status}");
    assert_eq!(others(), writes, "nothing was changed by any of them");
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_computers_with_one_plan_make_one_move() {
    let net = Net::new();
    let (_, end) = uninterrupted(&net, STATELESS).await;
    let one = Live::new(&net, STATELESS).await;
    let two = one.elsewhere();
    let plan = one.plan().await;
    std::fs::copy(one.file("plan.json"), two.file("plan.json")).unwrap();
    let args = Live::apply_args(&plan);
    let (first, second) = (one.start(&args, None), two.start(&args, None));
    let (first, second) = tokio::join!(outcome(first), outcome(second));
    let told = format!("{first:?}\n{second:?}");
    // Whoever came second waited for the other's leases, or was told whose they are; neither made anything twice.
    assert!([first.code, second.code].contains(&Some(0)), "{told}");
    // Taking back what the other goes on to use is refused.
    let late = if first.code == Some(0) { &two } else { &one };
    if [first.code, second.code] != [Some(0); 2] {
        let back = late.run(&["region", "rollback"]).await;
        assert!(matches!(back.code, Some(6 | 9)), "{back:?}");
    }
    for code in [first.code, second.code] {
        assert!(matches!(code, Some(0 | 6 | 8)), "{told}");
    }
    one.leases_end();
    assert_eq!(one.world.state().await, end, "{told}");
}

/// A run that was left behind does not take away what another run of the same plan uses.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_a_run_that_somebody_else_finished_is_refused() {
    let net = Net::new();
    let (_, end) = uninterrupted(&net, STATELESS).await;
    let one = Live::new(&net, STATELESS).await;
    let two = one.elsewhere();
    let plan = one.plan().await;
    std::fs::copy(one.file("plan.json"), two.file("plan.json")).unwrap();
    let args = Live::apply_args(&plan);
    let stopped = two.run_with(&args, Some("unchanged:observe:before:fail")).await;
    assert_eq!(stopped.code, Some(6), "{}", stopped.stderr);
    let done = one.run(&args).await;
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    let back = two.run(&["region", "rollback"]).await;
    assert!(matches!(back.code, Some(6 | 9)), "{:?} {}", back.code, back.stdout);
    assert!(back.stdout.contains("another computer"), "{}", back.stdout);
    assert_eq!(one.world.state().await, end);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_on_another_computer_stops_before_the_cutover() {
    let net = Net::new();
    let one = Live::new(&net, STATELESS).await;
    let two = one.elsewhere();
    let plan = one.plan().await;
    let other = two.plan().await;
    assert_ne!(plan.digest(), other.digest());
    hold(&one, "POST", CORDON);
    let first = one.start(&Live::apply_args(&plan), None);
    one.world.sim.struck("held", 1).await;
    let refused = two.run(&Live::apply_args(&other)).await;
    // The first has made its copies already: for the second the app is not what it planned for.
    assert!(matches!(refused.code, Some(4 | 8)), "{:?} {}", refused.code, refused.stderr);
    assert!(refused.stderr.contains("hint:"), "{}", refused.stderr);
    drop(first);
}

/// Ctrl-C while a call is out: the run is journalled as stopped, leases are given back, and somebody can go on or back.
async fn interrupted(world: &str, method: &str, path: &str, send: Signal, code: i32) {
    let net = Net::new();
    let (start, end) = uninterrupted(&net, world).await;
    for back in [false, true] {
        let live = Live::new(&net, world).await;
        let plan = live.plan().await;
        hold(&live, method, path);
        let child = live.start(&Live::apply_args(&plan), None);
        live.world.sim.struck("held", 1).await;
        signal(&child, send);
        let stopped = outcome(child).await;
        assert_eq!(stopped.code, Some(code), "{}\n{}", stopped.stdout, stopped.stderr);
        let said = format!("{}{}", stopped.stdout, stopped.stderr);
        assert!(said.contains("region resume") && said.contains("region rollback"), "{said}");
        assert_eq!(live.world.leases().await, Vec::<String>::new(), "leases are given back");
        let status = live.status().await;
        assert_eq!(status["status"], "stopped", "the journal is closed: {status}");
        // Machines with data serve again at once, whatever the run was about to do.
        let state = live.world.state().await;
        if world == VOLUME {
            let serves = |line: &str| line.contains("in fra running") && !line.contains("cordoned");
            assert!(state.lines().any(serves), "the freeze is lifted: {state}");
        }
        let (command, code, expected) =
            if back { ("rollback", 10, &start) } else { ("resume", 0, &end) };
        let done = live.run(&["region", command]).await;
        assert_eq!(done.code, Some(code), "{command}: {}\n{}", done.stdout, done.stderr);
        assert_eq!(&live.world.state().await, expected, "{command}");
        assert_eq!(live.world.leases().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_in_a_cutover() {
    interrupted(STATELESS, "POST", CORDON, Signal::INT, 130).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_while_volumes_are_copied_lifts_the_freeze() {
    interrupted(VOLUME, "POST", FORK, Signal::TERM, 143).await;
}

/// Runs the command where `mount` is its own to call; `script` ends with `"$@"`.
async fn in_namespace(live: &Live, script: &str, args: &[&str]) -> Outcome {
    let inner = live.sandbox.command(PROGRAM);
    #[expect(clippy::disallowed_methods, reason = "a mount of its own needs unshare(1)")]
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(inner.get_program()).args(inner.get_args()).args(args);
    command.env_clear().current_dir(live.sandbox.work());
    command.envs(live.sandbox.variables());
    command.env("STATE", live.sandbox.path("state"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let out = outcome(command.spawn().unwrap()).await;
    assert!(!out.stderr.contains("unshare:"), "namespaces are needed: {}", out.stderr);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_state_directory_is_found_before_anything_is_changed() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let plan = live.plan().await;
    let script = "mount -t tmpfs -o ro none $STATE && \"$@\"";
    let refused = in_namespace(&live, script, &Live::apply_args(&plan)).await;
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.to_lowercase().contains("read-only"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint:"), "what to do: {}", refused.stderr);
    assert_eq!(live.writes(), Vec::<String>::new());
}

/// The disk fills up somewhere in the run: what cannot be journalled is not done, and with room the run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_run_and_room_lets_it_go_on() {
    let net = Net::new();
    let (_, end) = uninterrupted(&net, STATELESS).await;
    let mut stopped = 0;
    // Room for the plan, and then for so many pages of everything else.
    for pages in [1, 2, 3, 4, 6] {
        let live = Live::new(&net, STATELESS).await;
        let plan = live.plan().await;
        let kilobytes = (plan.to_text().len().div_ceil(4096) + pages) * 4;
        let saved = live.sandbox.path("tmp/saved");
        std::fs::create_dir(&saved).unwrap();
        // What was written before the disk was full is carried over, as a person would who makes room.
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k none $STATE && \"$@\"; code=$?; cp -r $STATE/. {} ; exit $code",
            saved.display()
        );
        let full = in_namespace(&live, &script, &Live::apply_args(&plan)).await;
        if full.code == Some(0) {
            continue;
        }
        assert!(
            matches!(full.code, Some(4 | 6 | 9)),
            "{kilobytes}k: {:?} {}\n{}",
            full.code,
            full.stdout,
            full.stderr
        );
        let said = format!("{}{}", full.stdout, full.stderr).to_lowercase();
        assert!(said.contains("space"), "{kilobytes}k: {said}");
        if full.code == Some(4) {
            assert_eq!(live.writes(), Vec::<String>::new(), "{kilobytes}k: {said}");
            continue;
        }
        stopped += 1;
        let copy = Command::from(live.sandbox.command("cp"))
            .arg("-r")
            .arg(saved.join("."))
            .arg(live.sandbox.path("state"))
            .status()
            .await;
        assert!(copy.unwrap().success());
        live.leases_end();
        let done = live.run(&["region", "resume"]).await;
        assert_eq!(done.code, Some(0), "{kilobytes}k: {}\n{}", done.stdout, done.stderr);
        assert_eq!(live.world.state().await, end, "{kilobytes}k");
    }
    assert!(stopped > 0, "no size filled up in the middle of the run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_lets_a_paused_run_go_on() {
    let net = Net::new();
    let (_, end) = uninterrupted(&net, STATELESS).await;
    let mut live = Live::new(&net, STATELESS).await;
    let plan = live.plan().await;
    live.world
        .sim
        .add_fault("name = \"ended\"\npath = \"/v1/apps/*/machines/*/cordon\"\neffect = \"status\"\nstatus = 401\n")
        .unwrap();
    let paused = live.run(&Live::apply_args(&plan)).await;
    assert_eq!(paused.code, Some(6), "{}\n{}", paused.stdout, paused.stderr);
    let said = format!("{}{}", paused.stdout, paused.stderr);
    assert!(said.contains("fly tokens create deploy"), "{said}");
    live.world.sim.switch_fault("ended", false);
    std::fs::write(live.file("new-token"), "fo1_new_token_of_the_test\n").unwrap();
    live.sandbox.set("FLY_API_TOKEN", "fo1_the_old_one");
    let done = live.run(&["region", "resume", "--token-file", "new-token"]).await;
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert_eq!(live.world.state().await, end);
}
