//! Plans and reports for people: plain text for a terminal, Markdown for a ticket. JSON is what the types serialise to.
//!
//! No colours and no width of a terminal: whoever prints adds them.

use std::fmt::Write as _;

use crate::outcome::{Outcome, Report, StepReport};
use crate::plan::{Cost, Plan, Risk, Step, Undo};
use crate::sealed::SealedPlan;
use crate::state::Status;

/// A plan as a table with what a reviewer must know around it.
pub fn plan_text(sealed: &SealedPlan) -> String {
    let plan = sealed.plan();
    let mut out = format!(
        "plan {} of {} for {}\n{}\n\n",
        sealed.digest().short(),
        plan.runbook,
        plan.target,
        plan.summary
    );
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(plan_rows(plan));
    table(&mut out, &rows);
    out.push('\n');
    for line in plan_notes(plan) {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// A plan as Markdown, with reasons and commands of each step.
pub fn plan_markdown(sealed: &SealedPlan) -> String {
    let plan = sealed.plan();
    let mut out = format!("# {}\n\n", plan.summary);
    let _ = writeln!(out, "{} for {}, plan `{}`.\n", plan.runbook, plan.target, sealed.digest());
    markdown_table(&mut out, &HEADER, &plan_rows(plan));
    out.push('\n');
    for line in plan_notes(plan) {
        let _ = writeln!(out, "- {line}");
    }
    for (number, step) in plan.steps().enumerate() {
        let _ = writeln!(out, "\n## {}. {} (`{}`)\n", number + 1, step.title, step.id);
        let sentence = |text: &str| text.trim_end_matches('.').to_owned();
        if !step.why.is_empty() {
            let _ = writeln!(out, "- why: {}", sentence(&step.why));
        }
        let _ = writeln!(out, "- afterwards: {}", sentence(&step.postcondition));
        for one in &step.preconditions {
            let _ = writeln!(out, "- only if `{}` is still `{}`: {}", one.fact, one.seen, one.why);
        }
        if !step.commands.is_empty() {
            let _ = writeln!(out, "- by hand:{}", commands(&step.commands));
        }
        match &step.undo {
            Undo::Nothing => {}
            Undo::Action { what, commands: lines } => {
                let _ = writeln!(out, "- undo: {what}{}", commands(lines));
            }
            Undo::Irreversible { why } => {
                let _ = writeln!(out, "- no undo: {why}");
            }
        }
    }
    out
}

/// A report for a terminal.
pub fn report_text(report: &Report) -> String {
    let mut out = format!(
        "{} ({} for {}, run {})\n\n",
        headline(report),
        report.runbook,
        report.target,
        report.run
    );
    let rows: Vec<[String; 5]> =
        std::iter::once(REPORT_HEADER.map(str::to_owned)).chain(report_rows(report)).collect();
    table(&mut out, &rows);
    let notes = report_notes(report);
    if !notes.is_empty() {
        out.push('\n');
    }
    for line in notes {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// A report for a ticket.
pub fn report_markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n", headline(report));
    let _ = writeln!(
        out,
        "{} for {}, run `{}`, plan `{}`, {} to {}.\n",
        report.runbook, report.target, report.run, report.digest, report.began, report.ended
    );
    markdown_table(&mut out, &REPORT_HEADER, &report_rows(report).collect::<Vec<_>>());
    let notes = report_notes(report);
    if !notes.is_empty() {
        out.push('\n');
    }
    for line in notes {
        let _ = writeln!(out, "- {line}");
    }
    out
}

const HEADER: [&str; 7] = ["#", "step", "what", "risk", "undo", "time", "cost"];
const REPORT_HEADER: [&str; 5] = ["#", "step", "what", "state", "result"];

fn plan_rows(plan: &Plan) -> Vec<[String; 7]> {
    let mut rows = Vec::new();
    for group in &plan.groups {
        for step in &group.steps {
            let beside = if group.at_once > 1 && group.steps.len() > 1 { "=" } else { "" };
            let number = rows.len() + 1;
            rows.push([
                format!("{number}{beside}"),
                step.id.to_string(),
                step.title.clone(),
                risk(step.risk).to_owned(),
                undo(plan, step).to_owned(),
                seconds(step.expected_seconds),
                cost(step.cost),
            ]);
        }
    }
    rows
}

fn plan_notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    if plan.groups.iter().any(|group| group.at_once > 1 && group.steps.len() > 1) {
        notes.push("steps marked = run beside each other".to_owned());
    }
    match &plan.point_of_no_return {
        Some(point) => notes.push(format!(
            "can be undone until step `{}`; after that: {}",
            point.step, point.way_forward
        )),
        None => notes.push("can be undone at any time".to_owned()),
    }
    let total = plan.groups.iter().map(group_seconds).sum();
    let sum = plan.steps().fold(Cost::default(), |sum, step| Cost {
        once_usd: sum.once_usd + step.cost.once_usd,
        monthly_usd: sum.monthly_usd + step.cost.monthly_usd,
    });
    notes.push(format!("expected time {}, cost {}", seconds(total), cost(sum)));
    notes.extend(plan.warnings.iter().map(|warning| format!("warning: {warning}")));
    notes
}

/// Steps beside each other share the time.
fn group_seconds(group: &crate::plan::Group) -> u64 {
    let sum: u64 = group.steps.iter().map(|step| step.expected_seconds).sum();
    let longest = group.steps.iter().map(|step| step.expected_seconds).max().unwrap_or(0);
    sum.div_ceil(u64::from(group.at_once.max(1))).max(longest)
}

fn report_rows(report: &Report) -> impl Iterator<Item = [String; 5]> {
    report.steps.iter().enumerate().map(|(number, step)| {
        [
            (number + 1).to_string(),
            step.id.to_string(),
            step.title.clone(),
            state(step).to_owned(),
            result(step),
        ]
    })
}

fn report_notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> =
        report.drift.iter().map(|drift| format!("changed meanwhile, harmless: {drift}")).collect();
    notes.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    notes.extend(report.next.iter().map(|next| format!("next: {next}")));
    notes
}

fn headline(report: &Report) -> String {
    match &report.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Undone => "undone: everything is as it was at the start".to_owned(),
        Outcome::UndoneTo { step } => format!("undone to step `{step}`"),
        Outcome::Stopped { error } => format!("stopped: {error}"),
        Outcome::FollowUpFailed { error } => format!("committed, but a follow-up failed: {error}"),
        Outcome::Held { error } => format!("held by somebody else: {error}"),
        Outcome::Unsafe { error } => format!("unsafe: {error}"),
    }
}

fn state(step: &StepReport) -> &'static str {
    match step.status {
        Status::Pending => "not done",
        Status::Started => "unknown, it had begun",
        Status::Done if step.acted => "done",
        Status::Done => "was so already",
        Status::Failed => "failed",
        Status::Undoing => "unknown, its undo had begun",
        Status::Undone => "undone",
        Status::UndoFailed => "undo failed",
    }
}

fn result(step: &StepReport) -> String {
    if let Some(error) = &step.error {
        return error.to_string();
    }
    let outputs = step.outputs.iter().map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name} {text}"),
        None => format!("{name} {value}"),
    });
    outputs.collect::<Vec<_>>().join(", ")
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "none",
        Risk::Availability => "availability",
        Risk::DataLoss => "data loss",
    }
}

fn undo(plan: &Plan, step: &Step) -> &'static str {
    let turn = plan.point_of_no_return.as_ref().and_then(|point| plan.position(&point.step));
    let late =
        turn.is_some_and(|turn| plan.position(&step.id).is_some_and(|position| position >= turn));
    match &step.undo {
        Undo::Nothing => "-",
        Undo::Action { .. } if late => "no",
        Undo::Action { .. } => "yes",
        Undo::Irreversible { .. } => "no",
    }
}

fn seconds(seconds: u64) -> String {
    match seconds {
        0 => "-".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

fn cost(cost: Cost) -> String {
    let money = |usd: f64| if usd < 0.0 { format!("-${:.2}", -usd) } else { format!("${usd:.2}") };
    // Below half a cent nobody pays anything.
    let counts = |usd: f64| usd.abs() >= 0.005;
    match (counts(cost.once_usd), counts(cost.monthly_usd)) {
        (false, false) => "-".to_owned(),
        (true, false) => money(cost.once_usd),
        (false, true) => format!("{}/month", money(cost.monthly_usd)),
        (true, true) => format!("{} and {}/month", money(cost.once_usd), money(cost.monthly_usd)),
    }
}

/// A code block that belongs to a list item.
fn commands(lines: &[String]) -> String {
    if lines.is_empty() {
        String::new()
    } else {
        format!("\n\n  ```sh\n  {}\n  ```", lines.join("\n  "))
    }
}

fn table<const N: usize>(out: &mut String, rows: &[[String; N]]) {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn markdown_table<const N: usize>(out: &mut String, header: &[&str; N], rows: &[[String; N]]) {
    let _ = writeln!(out, "| {} |\n|{}", header.join(" | "), " --- |".repeat(N));
    for row in rows {
        let cells: Vec<String> =
            row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}
