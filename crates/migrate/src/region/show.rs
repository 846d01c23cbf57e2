//! A plan for a terminal of a given width: what, why, until when it can be undone, how long, what it costs, and what one would type.

use ops_cli::{CliError, Context};
use runbook::plan::{Cost, Group, Plan, Risk, Step, Undo};
use runbook::sealed::SealedPlan;
use std::fmt::Write as _;

/// Of steps that are alike and run beside each other, so many are shown.
const ALIKE: usize = 3;
/// Of the commands of a step, so many are shown; the script has all.
const COMMANDS: usize = 2;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A table.
    Table,
    /// Markdown.
    Markdown,
    /// A script.
    Script,
}

impl Form {
    pub(crate) fn of(markdown: bool, script: bool) -> Self {
        match (markdown, script) {
            (_, true) => Self::Script,
            (true, _) => Self::Markdown,
            _ => Self::Table,
        }
    }
}

/// Prints a plan.
pub(crate) fn plan(context: &Context, sealed: &SealedPlan, form: Form) -> Result<(), CliError> {
    let ui = &context.ui;
    if ui.is_json() {
        return ui.out(&sealed.to_text());
    }
    match form {
        Form::Table => ui.out(&text(sealed, ui.width())),
        Form::Markdown => ui.out(&runbook::render::plan_markdown(sealed)),
        Form::Script => ui.out(&super::script::script(sealed.plan())),
    }
}

/// The plan as text of this width.
pub fn text(sealed: &SealedPlan, width: u16) -> String {
    let plan = sealed.plan();
    let mut out = format!(
        "{}\nplan {} for {}, made {}\n",
        plan.summary,
        sealed.digest().short(),
        plan.target,
        plan.created_at.strftime("%Y-%m-%d %H:%M UTC"),
    );
    let mut number = 0;
    for group in &plan.groups {
        let beside = if group.at_once > 1 && group.steps.len() > 1 {
            format!(", {} at once", group.at_once)
        } else {
            String::new()
        };
        let _ = writeln!(out, "\n{}{beside}", group.title.to_uppercase());
        let rows = rows(plan, group, number);
        number += group.steps.len();
        out.push_str(&ops_cli::table(&["#", "what and why", "undo", "time", "cost"], rows, width));
        out.push('\n');
    }
    for line in notes(plan) {
        out.push('\n');
        out.push_str(&wrapped(&line, width));
    }
    out.push('\n');
    out
}

fn rows(plan: &Plan, group: &Group, before: usize) -> Vec<[String; 5]> {
    let mut rows: Vec<[String; 5]> = Vec::new();
    let alike = group.at_once > 1
        && group.steps.len() > ALIKE + 1
        && group.steps.iter().all(|step| step.kind == group.steps[0].kind);
    let shown = if alike { ALIKE } else { group.steps.len() };
    for (at, step) in group.steps.iter().take(shown).enumerate() {
        let mut cell = step.title.clone();
        if !step.why.is_empty() {
            let _ = write!(cell, "\n  why: {}", step.why);
        }
        for command in step.commands.iter().take(COMMANDS) {
            let _ = write!(cell, "\n  $ {command}");
        }
        if step.commands.len() > COMMANDS {
            let _ = write!(cell, "\n  (and {} more)", step.commands.len() - COMMANDS);
        }
        if step.risk == Risk::DataLoss {
            cell.push_str("\n  RISK: data can be lost");
        }
        rows.push([
            (before + at + 1).to_string(),
            cell,
            until(plan, step),
            seconds(step.expected_seconds),
            cost(step.cost),
        ]);
    }
    if alike {
        let rest = &group.steps[shown..];
        let sum = rest.iter().fold(Cost::default(), |sum, step| add(sum, step.cost));
        rows.push([
            format!("…{}", before + group.steps.len()),
            format!("and {} more like it (`region show PLAN --markdown` has all)", rest.len()),
            until(plan, &rest[0]),
            seconds(group_seconds(group)),
            cost(sum),
        ]);
    }
    rows
}

/// Until when a step can be taken back.
fn until(plan: &Plan, step: &Step) -> String {
    let point = plan.point_of_no_return.as_ref();
    let turn = point.and_then(|point| plan.position(&point.step));
    let late = turn.is_some_and(|turn| plan.position(&step.id).is_some_and(|at| at >= turn));
    match (&step.undo, turn) {
        (Undo::Nothing, _) => "-".to_owned(),
        (Undo::Irreversible { .. }, _) => "no".to_owned(),
        (Undo::Action { .. }, _) if late => "no".to_owned(),
        (Undo::Action { .. }, Some(turn)) => format!("until #{}", turn + 1),
        (Undo::Action { .. }, None) => "any time".to_owned(),
    }
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    let number = |id: &runbook::plan::Id| plan.position(id).map_or(0, |at| at + 1);
    match &plan.point_of_no_return {
        Some(point) => notes.push(format!(
            "can be undone until step `{}` (#{}); after that: {}",
            point.step,
            number(&point.step),
            point.way_forward.trim_end_matches('.')
        )),
        None => notes.push("can be undone at any time".to_owned()),
    }
    let date = plan.inputs.get("prices").and_then(|prices| prices["as_of"].as_str());
    notes.push(format!(
        "expected time {}, cost {} by list prices of {}",
        seconds(total_seconds(plan)),
        cost(total_cost(plan)),
        date.unwrap_or("an unknown date"),
    ));
    notes.extend(guarded(plan));
    if !plan.warnings.is_empty() {
        notes.push(String::new());
        notes.push("TO KNOW BEFORE".to_owned());
        notes.extend(plan.warnings.iter().map(|warning| format!("- {warning}")));
    }
    notes
}

/// Which steps guard against which hazards.
fn guarded(plan: &Plan) -> Option<String> {
    let hazards = plan.inputs.get("hazards")?.as_array()?;
    let one = |entry: &serde_json::Value| {
        let steps: Vec<String> = entry["steps"]
            .as_array()?
            .iter()
            .filter_map(|id| Some((plan.position(&id.as_str()?.into())? + 1).to_string()))
            .collect();
        (!steps.is_empty()).then(|| {
            let some = steps.len().min(2);
            let more = if steps.len() > some { "…" } else { "" };
            format!(
                "{} #{}{more}",
                entry["hazard"].as_str().unwrap_or_default(),
                steps[..some].join(" #")
            )
        })
    };
    let list: Vec<String> = hazards.iter().filter_map(one).collect();
    (!list.is_empty())
        .then(|| format!("guards: {} (docs/reference/region-hazards.md)", list.join(", ")))
}

/// All steps one after the other; steps beside each other share the time.
pub(crate) fn total_seconds(plan: &Plan) -> u64 {
    plan.groups.iter().map(group_seconds).sum()
}

fn group_seconds(group: &Group) -> u64 {
    let sum: u64 = group.steps.iter().map(|step| step.expected_seconds).sum();
    let longest = group.steps.iter().map(|step| step.expected_seconds).max().unwrap_or(0);
    sum.div_ceil(u64::from(group.at_once.max(1))).max(longest)
}

pub(crate) fn total_cost(plan: &Plan) -> Cost {
    plan.steps().fold(Cost::default(), |sum, step| add(sum, step.cost))
}

fn add(one: Cost, other: Cost) -> Cost {
    Cost {
        once_usd: one.once_usd + other.once_usd,
        monthly_usd: one.monthly_usd + other.monthly_usd,
    }
}

pub(crate) fn seconds(seconds: u64) -> String {
    match seconds {
        0 => "-".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

pub(crate) fn cost(cost: Cost) -> String {
    let money = |usd: f64| if usd < 0.0 { format!("-${:.2}", -usd) } else { format!("${usd:.2}") };
    let counts = |usd: f64| usd.abs() >= 0.005;
    match (counts(cost.once_usd), counts(cost.monthly_usd)) {
        (false, false) => "-".to_owned(),
        (true, false) => money(cost.once_usd),
        (false, true) => format!("{}/month", money(cost.monthly_usd)),
        (true, true) => format!("{} and {}/month", money(cost.once_usd), money(cost.monthly_usd)),
    }
}

/// Lines of at most this width; what follows the first is indented as its text is.
pub(crate) fn wrapped(text: &str, width: u16) -> String {
    let width = usize::from(width).max(20);
    let start = text.len() - text.trim_start_matches([' ', '-']).len();
    let indent = " ".repeat(start);
    let mut out = text[..start].to_owned();
    let mut column = start;
    for (number, word) in text[start..].split(' ').enumerate() {
        let length = word.chars().count();
        if number > 0 && column + 1 + length > width {
            out.push('\n');
            out.push_str(&indent);
            column = start;
        } else if number > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
