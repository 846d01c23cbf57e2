//! A plan as a commented shell script, for people who want to do it by hand.

use std::fmt::Write as _;

use runbook::plan::{Plan, Undo};

/// The script. It stops at the first error and names what is decided by a person.
pub fn script(plan: &Plan) -> String {
    let mut out = String::from("#!/bin/sh\n");
    let mut line = |text: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{text}");
    };
    line(format!("# {} (made by {} at {})", plan.summary, plan.tool, plan.created_at));
    line("# Replace COPY by the id that the create command printed. Read each step before you run it.".to_owned());
    line("set -eu".to_owned());
    for warning in &plan.warnings {
        line(format!("# warning: {warning}"));
    }
    for (number, step) in plan.steps().enumerate() {
        line(String::new());
        line(format!("# {}. {}", number + 1, step.title));
        if !step.why.is_empty() {
            line(format!("#    why: {}", step.why));
        }
        line(format!("#    afterwards: {}", step.postcondition));
        match &step.undo {
            Undo::Nothing => {}
            Undo::Action { what, commands } => {
                line(format!("#    undo: {what}{}", if commands.is_empty() { "" } else { ":" }));
                for command in commands {
                    line(format!("#      {command}"));
                }
            }
            Undo::Irreversible { why } => line(format!("#    NO UNDO: {why}")),
        }
        if step.commands.is_empty() {
            line("#    (nothing to type: look that it is so)".to_owned());
        }
        for command in &step.commands {
            line(command.clone());
        }
    }
    out
}
