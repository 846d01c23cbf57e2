//! Plan files, the rules of plans, approvals, and what apply refuses.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use runbook::approval::{Approval, ApprovalFile};
use runbook::error::Refusal;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::inject::Faults;
use runbook::kind::Registry;
use runbook::plan::{Group, Plan, Risk};
use runbook::render;
use runbook::sealed::SealedPlan;
use runbook::store::memory::MemoryStore;
use runbook::testing::{Bench, Scenario as _, ticking_clock};
use serde_json::{Value, json};

use crate::toy::{self, Toy, set};

fn draft() -> Plan {
    Toy::default().draft(&toy::world())
}

fn sealed() -> SealedPlan {
    SealedPlan::seal(draft()).unwrap()
}

fn refusal(text: &str) -> Refusal {
    SealedPlan::parse(text).unwrap_err()
}

#[test]
fn a_plan_file_is_read_back_as_it_was() {
    let plan = sealed();
    assert_eq!(SealedPlan::parse(&plan.to_text()).unwrap(), plan);
    // Layout is not content.
    let value: Value = serde_json::from_str(&plan.to_text()).unwrap();
    assert_eq!(SealedPlan::parse(&value.to_string()).unwrap().digest(), plan.digest());
}

#[test]
fn a_plan_cut_at_any_byte_is_refused() {
    let text = sealed().to_text();
    let text = text.trim_end();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(matches!(refusal(&text[..end]), Refusal::Plan(_)), "cut at {end}");
    }
    assert!(refusal(&text[..text.len() / 2]).to_string().contains("cut short"));
}

/// Every single value of the file is changed in turn.
#[test]
fn a_plan_edited_anywhere_is_refused() {
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| paths(value, &format!("{at}/{key}"), found));
            }
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, value)| paths(value, &format!("{at}/{index}"), found));
            }
            _ => found.push(at.to_owned()),
        }
    }
    let file: Value = serde_json::from_str(&sealed().to_text()).unwrap();
    let mut found = Vec::new();
    paths(&file, "", &mut found);
    assert!(found.len() > 200, "{}", found.len());
    for path in &found {
        let mut edited = file.clone();
        *edited.pointer_mut(path).unwrap() = json!("edited");
        assert!(SealedPlan::parse(&edited.to_string()).is_err(), "{path}");
    }
    let mut more = file;
    more["plan"]["groups"][0]["steps"][0]["surprise"] = json!(1);
    assert!(refusal(&more.to_string()).to_string().contains("edited"));
}

#[test]
fn a_newer_format_is_refused_as_newer() {
    let mut file: Value = serde_json::from_str(&sealed().to_text()).unwrap();
    file["version"] = json!(2);
    assert!(matches!(refusal(&file.to_string()), Refusal::NewerPlan { found: 2, known: 1 }));
}

#[test]
fn plans_that_break_a_rule_are_not_sealed() {
    type Break = (&'static str, fn(&mut Plan));
    let cases: [Break; 12] = [
        ("used twice", |plan| plan.groups[0].steps[1].id = "mark".into()),
        ("not a legal name", |plan| plan.groups[0].steps[0].id = "Mark it".into()),
        ("no step", |plan| plan.groups.clear()),
        ("before the point of no return", |plan| {
            plan.groups[0].steps[0] = plan.groups[0].steps[0].clone().irreversible("x");
        }),
        ("which is no step", |plan| {
            plan.point_of_no_return.as_mut().unwrap().step = "nowhere".into();
        }),
        ("beside other steps", |plan| plan.groups[3].at_once = 2),
        ("which is not in the plan", |plan| plan.groups[0].steps[0].sessions.push("other".into())),
        ("named by no step", |plan| {
            plan.groups[1].steps.iter_mut().for_each(|step| step.sessions.clear());
        }),
        ("no earlier step with a hold", |plan| plan.groups[0].steps[0].under.push("fence".into())),
        ("which is no later step", |plan| {
            plan.groups[0].steps[2].hold.as_mut().unwrap().until = "mark".into();
        }),
        ("no earlier step can have made", |plan| {
            plan.groups[0].steps[0].params = json!({"a": [{"$output": "copy-0/name"}]});
        }),
        ("spans the point of no return", |plan| {
            plan.groups[3].steps[1].sessions.push("snapshot".into());
        }),
    ];
    for (expected, breaks) in cases {
        let mut plan = draft();
        breaks(&mut plan);
        let refusal = SealedPlan::seal(plan).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{refusal} lacks {expected}");
    }
    // Steps beside each other cannot use each other's outputs.
    let mut plan = draft();
    plan.groups[1].steps[1].params = json!({"to": {"$output": "copy-0/name"}});
    assert!(SealedPlan::seal(plan).unwrap_err().to_string().contains("no earlier step"));
}

#[test]
fn an_approval_is_for_one_plan_and_asks_for_the_name_where_data_can_be_lost() {
    let plan = sealed();
    assert!(Approval::from_flag(&plan, true, None).is_err());
    assert!(Approval::from_flag(&plan, true, Some("goose")).is_err());
    assert!(Approval::from_flag(&plan, false, Some("duck")).is_ok());
    assert!(Approval::from_prompt(&plan, "yes\n").is_err());
    assert!(Approval::from_prompt(&plan, "duck\n").is_ok());

    let mut harmless = draft();
    harmless.groups.truncate(1);
    harmless.groups[0].steps.truncate(2);
    harmless.sessions.truncate(1);
    harmless.point_of_no_return = None;
    assert_eq!(harmless.risk(), Risk::Availability);
    let harmless = SealedPlan::seal(harmless).unwrap();
    assert!(Approval::from_flag(&harmless, true, None).is_ok());
    assert!(Approval::from_flag(&harmless, false, None).is_err());
    assert!(Approval::from_prompt(&harmless, " Y ").is_ok());
    assert!(Approval::from_prompt(&harmless, "no").is_err());

    let at = Timestamp::UNIX_EPOCH;
    let mut file = ApprovalFile {
        digest: plan.digest().clone(),
        approver: "ann".to_owned(),
        at,
        expires: at + SignedDuration::from_hours(1),
        typed: Some("duck".to_owned()),
    };
    assert!(Approval::from_file(&plan, &file, at).is_ok());
    assert!(
        Approval::from_file(&plan, &file, file.expires).unwrap_err().to_string().contains("ended")
    );
    assert!(
        Approval::from_file(&harmless, &file, at).unwrap_err().to_string().contains("is for plan")
    );
    file.typed = None;
    assert!(Approval::from_file(&plan, &file, at).is_err());
}

#[tokio::test]
async fn apply_refuses_what_it_was_not_made_for_and_changes_nothing() {
    let world = toy::world();
    let plan = sealed();
    let approval = Approval::from_flag(&plan, true, Some("duck")).unwrap();
    let store = Arc::new(MemoryStore::new());

    let mut other = draft();
    other.summary = "something else".to_owned();
    let other = SealedPlan::seal(other).unwrap();
    let executor = LocalExecutor::new(toy::registry(&world), store.clone(), ticking_clock());
    assert!(matches!(executor.apply(&other, &approval).await, Err(Refusal::NotApproved(_))));

    let mut foreign = draft();
    foreign.target.owner = "strangers".to_owned();
    let foreign = SealedPlan::seal(foreign).unwrap();
    let yes = Approval::from_flag(&foreign, true, Some("duck")).unwrap();
    let refusal = executor.apply(&foreign, &yes).await.unwrap_err();
    assert!(matches!(refusal, Refusal::OtherTarget { .. }));
    assert_eq!(refusal.to_string(), "plan is for toy strangers/duck: this token is for `toys`");

    let bare = Registry::new(Arc::new(toy::Eyes(world.clone())));
    let bare = LocalExecutor::new(bare, store.clone(), ticking_clock());
    let refusal = bare.apply(&plan, &approval).await.unwrap_err();
    assert!(refusal.to_string().contains("no step kind `set`"), "{refusal}");

    assert_eq!(world.lock().calls, Vec::<String>::new());
    assert!(executor.runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stale_plan_names_the_fact_and_benign_drift_is_only_told() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().release = 7;
    let refusal = bench.apply(Faults::none()).await.unwrap_err();
    assert_eq!(refusal.to_string(), "plan is stale: release was 0 and is 7");
    assert!(bench.process(Faults::none()).await.runs().await.unwrap().is_empty());

    let bench = Bench::new(&toy, false).await;
    bench.world.lock().leases = 3;
    let report = bench.apply(Faults::none()).await.unwrap();
    assert_eq!(report.drift.len(), 1);
    assert!(
        render::report_text(&report).contains("changed meanwhile, harmless: leases was 0 and is 3")
    );
}

#[tokio::test]
async fn a_plan_reads_well_in_text_and_markdown() {
    let mut plan = draft();
    plan.groups[1].steps.iter_mut().for_each(|step| step.expected_seconds = 90);
    plan.groups[2].steps[1] =
        plan.groups[2].steps[1].clone().why("users follow").takes(30, 60).costs(0.5, -2.0);
    plan.warnings.push("the duck may quack".to_owned());
    plan.groups.push(Group::serial("late", "late", vec![set("late", "late", 1)]));
    let plan = SealedPlan::seal(plan).unwrap();
    insta::assert_snapshot!("plan_text", render::plan_text(&plan));
    insta::assert_snapshot!("plan_markdown", render::plan_markdown(&plan));
}

#[tokio::test]
async fn a_report_reads_well_in_text_markdown_and_json() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    let fault = "switch:act:before:fail".parse().unwrap();
    let report = bench.apply(Faults { faults: vec![fault], later: 0 }).await.unwrap();
    insta::assert_snapshot!("report_text", render::report_text(&report));
    insta::assert_snapshot!("report_markdown", render::report_markdown(&report));
    let json = report.to_json();
    assert_eq!(json["outcome"], "stopped");
    assert_eq!(serde_json::from_value::<runbook::outcome::Report>(json).unwrap(), report);
    let _ = toy.world().await;
}
