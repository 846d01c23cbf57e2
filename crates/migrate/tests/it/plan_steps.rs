//! Steps that a plan asks for beyond copying: the primary region of other regions, the wait for requests, the patch of fly.toml.

use fly_types::RegionCode;
use migrate::region::patch::primary_region;
use migrate::template::Options;
use runbook::inject::Faults;
use runbook::outcome::{Outcome, Report};
use runbook::testing::{Bench, baseline};
use test_kit::Sandbox;

use crate::bench::{Moving, options};
use crate::saga::STATELESS;

pub(crate) const PRIMARY: &str = include_str!("worlds/primary.toml");

#[tokio::test]
async fn machines_of_other_regions_learn_the_new_primary_region_and_undo_takes_it_back() {
    let scenario = Moving::of(PRIMARY);
    let base = baseline(&scenario).await.unwrap();
    let iad = |state: &str| {
        state.lines().find(|line| line.contains("in iad")).map(str::to_owned).unwrap()
    };
    assert!(iad(&base.start).contains("primary fra"), "{}", base.start);
    assert!(iad(&base.end).contains("primary ams"), "{}", base.end);
    assert!(iad(&base.end).contains("running"), "{}", base.end);
    let bench = Bench::new(&scenario, false).await;
    let stop = "watch:observe:before:fail".parse().unwrap();
    bench.apply(Faults { faults: vec![stop], later: 0 }).await.unwrap();
    assert!(iad(&bench.world.state().await).contains("primary ams"));
    assert_eq!(bench.undo(Faults::none()).await.unwrap().outcome, Outcome::Undone);
    assert_eq!(bench.world.state().await, base.start);
}

/// How long the drain took, and what it said in the end.
async fn drained(extra: &str) -> (i64, String) {
    let text: &'static str = format!("{STATELESS}{extra}").leak();
    let scenario =
        Moving { options: Options { drain_seconds: 90, ..options() }, ..Moving::of(text) };
    let bench = Bench::new(&scenario, false).await;
    let report: Report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done, "{:?}", report.outcome);
    let requests = bench.world.sim.requests();
    let at = |word: &'static str| {
        requests
            .iter()
            .filter(move |one| one.method == "POST" && one.path.ends_with(word))
            .map(|one| one.at)
    };
    let seconds = at("/stop").min().unwrap().duration_since(at("/cordon").max().unwrap()).as_secs();
    let step = report.steps.iter().find(|step| step.id.as_str() == "drain").unwrap();
    (seconds, step.outputs.text("under_way").unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_drain_ends_when_no_request_is_under_way() {
    let (seconds, said) = drained("").await;
    assert!((15..30).contains(&seconds), "{seconds} s, {said}");
    assert_eq!(said, "0");
}

#[tokio::test]
async fn a_drain_gives_up_on_requests_that_do_not_end() {
    let busy = "\n[[apps.metrics]]\nname = \"fly_app_concurrency\"\nmachine = \"148e21ea7e4301\"\nvalue = 3.0\n";
    let (seconds, said) = drained(busy).await;
    assert!(seconds >= 90, "{seconds} s, {said}");
    assert_eq!(said, "3");
}

#[tokio::test]
async fn a_drain_without_metrics_waits_its_time_and_says_so() {
    let dead =
        "\n[[faults]]\npath = \"/prometheus/*/api/v1/query\"\neffect = \"status\"\nstatus = 500\n";
    let (seconds, said) = drained(dead).await;
    assert!(seconds >= 90, "{seconds} s, {said}");
    assert!(said.starts_with("unknown ("), "{said}");
}

/// The patch, applied by git to the very file.
fn patched(text: &str) -> (String, String) {
    let region = |code: &str| code.parse::<RegionCode>().unwrap();
    let patch = primary_region("fly.toml", text, &region("fra"), &region("ams")).unwrap().unwrap();
    let sandbox = Sandbox::new().unwrap();
    std::fs::write(sandbox.path("fly.toml"), text).unwrap();
    std::fs::write(sandbox.path("change.patch"), &patch).unwrap();
    let directory = sandbox.path("fly.toml").parent().unwrap().to_owned();
    for check in [Some("--check"), None] {
        let mut git = std::process::Command::new("git");
        git.arg("apply").args(check).arg("change.patch").current_dir(&directory);
        let out = git.env("GIT_CEILING_DIRECTORIES", directory.parent().unwrap()).output().unwrap();
        assert!(out.status.success(), "{}\n{patch}", String::from_utf8_lossy(&out.stderr));
    }
    (std::fs::read_to_string(sandbox.path("fly.toml")).unwrap(), patch)
}

#[test]
fn git_takes_the_patch_of_fly_toml() {
    let lines: Vec<String> =
        (0..40).map(|number| format!("  V{number} = \"{number}\"\n")).collect();
    let long = lines.concat();
    for (text, wanted, hunks) in [
        // One place, comment and spacing kept.
        (
            "app = \"shop\"\nprimary_region  =  'fra' # home\n".to_owned(),
            "primary_region  =  \"ams\" # home",
            1,
        ),
        // Two places near each other, and far from each other.
        (
            "primary_region = \"fra\"\napp = \"a\"\n[env]\nPRIMARY_REGION = \"fra\"\n".to_owned(),
            "PRIMARY_REGION = \"ams\"",
            1,
        ),
        (
            format!(
                "app = \"a\"\nprimary_region = \"fra\"\n[env]\n{long}  PRIMARY_REGION = \"fra\"\n"
            ),
            "  PRIMARY_REGION = \"ams\"",
            2,
        ),
        // None yet.
        (
            "app = \"shop\"\n\n[build]\n  image = \"shop:1\"\n".to_owned(),
            "primary_region = \"ams\"",
            1,
        ),
        // No line break at the end, other line breaks, an inline table.
        ("app = \"shop\"\nprimary_region = \"fra\"".to_owned(), "primary_region = \"ams\"", 1),
        (
            "app = \"shop\"\r\nprimary_region = \"fra\"\r\nx = 1\r\n".to_owned(),
            "primary_region = \"ams\"\r\n",
            1,
        ),
        (
            "primary_region = \"fra\"\nenv = { PRIMARY_REGION = \"fra\", A = \"fra\" }\n"
                .to_owned(),
            "env = { PRIMARY_REGION = \"ams\", A = \"fra\" }",
            1,
        ),
    ] {
        let (new, patch) = patched(&text);
        assert!(new.contains(wanted), "{new}");
        assert_eq!(patch.matches("@@ -").count(), hunks, "{patch}");
        let differ = new.lines().filter(|line| !text.lines().any(|old| old == *line)).count();
        assert!(differ <= 2, "only those lines changed: {new}");
    }
    let region = |code: &str| code.parse::<RegionCode>().unwrap();
    let patch = |text| primary_region("fly.toml", text, &region("fra"), &region("ams"));
    assert_eq!(patch("primary_region = \"iad\"\n").unwrap(), None);
    assert!(patch("primary_region = \n").is_err());
}
