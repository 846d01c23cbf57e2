//! Bad input at the command line: refused with what to do, and nothing was changed.

use runbook::store::RunId;
use test_kit::Outcome;

use crate::bench::Net;
use crate::live::{Live, PLAN};
use crate::saga::{STATELESS, VOLUME};

/// Refused: the exit code, words of the message, a hint, and no call that changes anything.
#[track_caller]
pub(crate) fn refused(live: &Live, out: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(out.code, Some(code), "{}\n{}", out.stdout, out.stderr);
    for word in words {
        assert!(out.stderr.contains(word), "no `{word}` in: {}", out.stderr);
    }
    assert!(out.stderr.contains("hint:"), "no hint in: {}", out.stderr);
    assert!(!out.stderr.contains("panicked"), "{}", out.stderr);
    assert_eq!(live.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_files_that_are_not_what_plan_wrote() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let sealed = live.plan().await;
    let text = sealed.to_text();
    let pretty: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut newer = pretty.clone();
    newer["version"] = 99.into();
    let edited = |path: &str, value: serde_json::Value| {
        let mut plan = pretty.clone();
        *plan.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        plan.to_string().into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("cut", text.as_bytes()[..text.len() / 2].to_vec()),
        ("cut by a byte", text.trim_end().as_bytes()[..text.trim_end().len() - 1].to_vec()),
        ("no JSON", b"plan: yes\n".to_vec()),
        ("not UTF-8", vec![0xff, 0xfe, 0x00]),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        ("another target region", text.replace("\"ams\"", "\"cdg\"").into_bytes()),
        ("another app", text.replace("\"shop\"", "\"shap\"").into_bytes()),
        ("a step less", edited("/plan/groups/0/steps", serde_json::json!([]))),
        ("a newer version", newer.to_string().into_bytes()),
    ];
    for (what, bytes) in cases {
        std::fs::write(live.file("bad.json"), bytes).unwrap();
        for command in ["apply", "show"] {
            let mut args = vec!["region", command, "bad.json"];
            args.extend((command == "apply").then_some("--yes"));
            let out = live.run(&args).await;
            assert!(matches!(out.code, Some(2 | 4)), "{what}: {:?} {}", out.code, out.stderr);
            assert!(out.stderr.contains("bad.json"), "{what}: {}", out.stderr);
            refused(&live, &out, out.code.unwrap(), &[]);
        }
    }
    // Only spaces and line breaks differ: the same plan.
    std::fs::write(live.file("same.json"), serde_json::to_vec(&pretty).unwrap()).unwrap();
    assert_eq!(live.run(&["region", "show", "same.json"]).await.code, Some(0));
    for path in ["missing.json", "."] {
        let out = live.run(&["region", "apply", path, "--yes"]).await;
        refused(&live, &out, 2, &[path]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_to_answer_a_question() {
    let live = Live::new(&Net::new(), STATELESS).await;
    live.plan().await;
    refused(&live, &live.run(&["region", "apply", "plan.json"]).await, 4, &["--yes"]);
    let live = Live::new(&Net::new(), VOLUME).await;
    live.plan().await;
    refused(&live, &live.run(&["region", "apply", "plan.json"]).await, 4, &["--confirm shop"]);
    let yes = live.run(&["region", "apply", "plan.json", "--yes"]).await;
    refused(&live, &yes, 4, &["--confirm shop"]);
    let wrong = live.run(&["region", "apply", "plan.json", "--confirm", "shop2"]).await;
    refused(&live, &wrong, 4, &["shop"]);
    let spaces = live.run(&["region", "apply", "plan.json", "--confirm", " shop"]).await;
    refused(&live, &spaces, 4, &["shop"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_that_cannot_be_moved_to() {
    let live = Live::new(&Net::new(), STATELESS).await;
    for (from, to, words) in [
        ("fra", "fra", ["nothing to move", "--to"]),
        ("fra", "yul", ["deprecated", "yyz"]),
        ("fra", "waw", ["deprecated", "fra"]),
        ("fra", "zzz", ["zzz", "ams"]),
        ("fra", "eu", ["eu", "fly platform regions"]),
        ("nrt", "ams", ["no Machine in nrt", "fra"]),
        ("fra", "AMS!", ["AMS!", "--to"]),
        ("", "ams", ["--from", ""]),
    ] {
        let args = ["region", "plan", "--app", "shop", "--from", from, "--to", to];
        let out = live.run(&args).await;
        assert!(matches!(out.code, Some(2 | 4)), "{from} {to}: {:?} {}", out.code, out.stderr);
        refused(&live, &out, out.code.unwrap(), &words);
        assert!(!live.file("plan.json").exists(), "{from} {to}: no plan is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_to_go_on_with() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let status = live.run(&["region", "status"]).await;
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let json = live.run(&["region", "status", "--json"]).await;
    assert_eq!(json.stdout.trim(), "[]", "{}", json.stderr);
    for command in ["resume", "rollback"] {
        refused(&live, &live.run(&["region", command]).await, 2, &["no run is unfinished"]);
    }
    for command in ["resume", "rollback", "verify", "cleanup", "status"] {
        let out = live.run(&["region", command, "shop-0000000000"]).await;
        refused(&live, &out, 2, &["shop-0000000000"]);
        for name in ["../../etc", "a/b", ""] {
            let out = live.run(&["region", command, name]).await;
            assert_eq!(out.code, Some(2), "{command} {name:?}: {}", out.stderr);
        }
    }
    let plan = live.plan().await;
    let name = RunId::of(plan.plan(), plan.digest());
    let stopped = live.run_with(&Live::apply_args(&plan), Some("open:act:before:fail")).await;
    assert_eq!(stopped.code, Some(6), "{}", stopped.stderr);
    let early = live.run(&["region", "cleanup", name.as_str(), "--confirm", "shop"]).await;
    assert_eq!(early.code, Some(4), "{}", early.stderr);
    assert!(early.stderr.contains("not finished"), "{}", early.stderr);
    let wrong = live.run(&["region", "rollback", "--to", "no-such-step"]).await;
    assert_eq!(wrong.code, Some(4), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("no-such-step"), "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_is_done_once() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let plan = live.plan().await;
    let name = RunId::of(plan.plan(), plan.digest());
    assert_eq!(live.run(&Live::apply_args(&plan)).await.code, Some(0));
    let args = ["region", "cleanup", name.as_str(), "--confirm", "shop"];
    let dry = live.run(&["region", "cleanup", name.as_str(), "--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    assert!(live.world.state().await.contains("in fra"), "a dry run destroys nothing");
    let cleaned = live.run(&args).await;
    assert_eq!(cleaned.code, Some(0), "{}\n{}", cleaned.stdout, cleaned.stderr);
    let state = live.world.state().await;
    let again = live.run(&args).await;
    assert!(matches!(again.code, Some(2 | 4)), "{:?} {}", again.code, again.stderr);
    assert!(again.stderr.contains("nothing is left"), "{}", again.stderr);
    assert_eq!(live.world.state().await, state);
}

/// Two runs, and the journal of one in the folder of the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_of_another_plan_or_damaged() {
    let live = Live::new(&Net::new(), STATELESS).await;
    let plan = live.plan().await;
    let name = RunId::of(plan.plan(), plan.digest());
    let stopped = live.run_with(&Live::apply_args(&plan), Some("open:act:before:fail")).await;
    assert_eq!(stopped.code, Some(6), "{}", stopped.stderr);
    let path = live.journal(name.as_str());
    let sound = std::fs::read(&path).unwrap();
    let state = live.world.state().await;

    let elsewhere = Live::new(&Net::new(), STATELESS).await;
    let mut args = PLAN.to_vec();
    args[7] = "cdg";
    assert_eq!(elsewhere.run(&args).await.code, Some(0));
    let other = elsewhere.sealed("plan.json");
    let other_name = RunId::of(other.plan(), other.digest());
    let begun = elsewhere.run_with(&Live::apply_args(&other), Some("open:act:before:fail")).await;
    assert_eq!(begun.code, Some(6), "{}", begun.stderr);
    let foreign = std::fs::read(elsewhere.journal(other_name.as_str())).unwrap();

    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let lines: Vec<&[u8]> = sound.split_inclusive(|byte| *byte == b'\n').collect();
    let without = |at: usize| -> Vec<u8> {
        let kept = lines.iter().enumerate().filter(|(number, _)| *number != at);
        kept.flat_map(|(_, line)| line.iter().copied()).collect()
    };
    let twice: Vec<u8> = lines.iter().flat_map(|line| [*line, *line].concat()).collect();
    for (what, bytes) in [
        ("of another plan", foreign),
        ("a flipped bit", flipped),
        ("a line less at the start", without(0)),
        ("a line less in the middle", without(lines.len() / 2)),
        ("every line twice", twice),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        live.world.sim.forget_requests();
        for command in ["resume", "rollback"] {
            let out = live.run(&["region", command, name.as_str()]).await;
            refused(&live, &out, 4, &["journal", name.as_str()]);
        }
        let status = live.run(&["region", "status"]).await;
        assert_eq!(status.code, Some(0), "{what}: {}", status.stderr);
        assert!(status.stdout.contains("unreadable"), "{what}: {}", status.stdout);
        // A new plan must not start beside a run of which nobody knows how far it came.
        let mut args = PLAN.to_vec();
        args.extend(["--out", "next.json"]);
        assert_eq!(live.run(&args).await.code, Some(0));
        let out = live.run(&["region", "apply", "next.json", "--yes"]).await;
        refused(&live, &out, 4, &["journal"]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{what}: it is left as it is");
    }
    assert_eq!(live.world.state().await, state);

    // A torn last line is what a power cut leaves: no damage.
    let torn = [sound.as_slice(), &sound[..sound.len().min(40)]].concat();
    std::fs::write(&path, torn).unwrap();
    let done = live.run(&["region", "resume"]).await;
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
}

/// The approval names the app of the plan: that of another plan does not count.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_for_one_plan() {
    use runbook::approval::{Approval, ApprovalFile};
    use runbook::error::Refusal;
    use runbook::executor::Executor as _;
    let scenario = crate::bench::Moving::of(STATELESS);
    let bench = runbook::testing::Bench::new(&scenario, false).await;
    let other = bench.world.plan("fra", "cdg", &crate::bench::options()).await;
    let approval = Approval::from_flag(&other, true, None).unwrap();
    let process = bench.process(runbook::inject::Faults::none()).await;
    let refused = process.apply(&bench.plan, &approval).await;
    assert!(matches!(refused, Err(Refusal::NotApproved(_))), "{refused:?}");
    let now = bench.world.sim.now();
    let file = ApprovalFile {
        digest: other.digest().clone(),
        approver: "ops".to_owned(),
        at: now,
        expires: now + jiff::SignedDuration::from_hours(1),
        typed: None,
    };
    assert!(Approval::from_file(&bench.plan, &file, now).is_err());
    assert!(Approval::from_file(&other, &file, file.expires).is_err(), "it has ended");
    assert!(Approval::from_file(&other, &file, now).is_ok());
}
