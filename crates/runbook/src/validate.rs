//! The rules that every plan keeps, whoever made it.

use std::collections::{BTreeMap, BTreeSet};

use crate::outputs;
use crate::plan::{Id, OnLoss, Plan, Step, Undo};

/// Every problem of a plan, in words that name the step. Empty for a sound plan.
pub fn check(plan: &Plan) -> Vec<String> {
    let mut problems = Vec::new();
    let mut order: BTreeMap<&Id, (usize, usize)> = BTreeMap::new();
    let mut groups = BTreeSet::new();
    for (number, group) in plan.groups.iter().enumerate() {
        if !group.id.is_valid() || !groups.insert(&group.id) {
            problems.push(format!("group id `{}` is not a legal name or is used twice", group.id));
        }
        if group.at_once == 0 {
            problems.push(format!("group `{}` runs 0 steps at once", group.id));
        }
        for step in &group.steps {
            let position = order.len();
            if !step.id.is_valid() || order.insert(&step.id, (number, position)).is_some() {
                problems
                    .push(format!("step id `{}` is not a legal name or is used twice", step.id));
            }
        }
    }
    if order.is_empty() {
        problems.push("the plan has no step".to_owned());
    }
    let sessions: BTreeSet<&Id> = plan.sessions.iter().map(|session| &session.id).collect();
    if sessions.len() != plan.sessions.len() || !sessions.iter().all(|id| id.is_valid()) {
        problems.push("a session id is not a legal name or is used twice".to_owned());
    }
    for session in &plan.sessions {
        if session.ttl_seconds == 0 {
            problems.push(format!("session `{}` has no life time", session.id));
        }
        let first = plan.steps().find(|step| step.sessions.contains(&session.id));
        match first {
            None => problems.push(format!("session `{}` is named by no step", session.id)),
            Some(step) => references(plan, &order, &step.id, &session.params, &mut problems),
        }
    }
    let no_return = no_return(plan, &order, &mut problems);
    for session in plan.sessions.iter().filter(|session| session.on_loss == OnLoss::Rebuild) {
        let late = |step: &Step| {
            order.get(&step.id).zip(no_return).is_some_and(|(at, point)| at.1 >= point)
        };
        let mut naming = plan.steps().filter(|step| step.sessions.contains(&session.id)).map(late);
        let first = naming.next();
        if naming.any(|late| Some(late) != first) {
            problems.push(format!(
                "session `{}` spans the point of no return: what it made could not be rebuilt after it",
                session.id
            ));
        }
    }
    for step in plan.steps() {
        check_step(plan, step, &order, &sessions, no_return, &mut problems);
    }
    problems
}

fn no_return(
    plan: &Plan,
    order: &BTreeMap<&Id, (usize, usize)>,
    problems: &mut Vec<String>,
) -> Option<usize> {
    let point = plan.point_of_no_return.as_ref()?;
    let Some((group, position)) = order.get(&point.step) else {
        problems.push(format!("the point of no return names `{}`, which is no step", point.step));
        return None;
    };
    let group = &plan.groups[*group];
    if group.at_once > 1 && group.steps.len() > 1 {
        problems.push(format!(
            "the point of no return `{}` runs beside other steps: give it a group of its own",
            point.step
        ));
    }
    if point.way_forward.is_empty() {
        problems.push("the point of no return names no way forward".to_owned());
    }
    Some(*position)
}

fn check_step(
    plan: &Plan,
    step: &Step,
    order: &BTreeMap<&Id, (usize, usize)>,
    sessions: &BTreeSet<&Id>,
    no_return: Option<usize>,
    problems: &mut Vec<String>,
) {
    let id = &step.id;
    let place = order.get(id).copied().unwrap_or_default();
    if step.postcondition.is_empty() {
        problems.push(format!("step `{id}` says nothing about what is true afterwards"));
    }
    if matches!(step.undo, Undo::Irreversible { .. })
        && no_return.is_none_or(|point| place.1 < point)
    {
        problems.push(format!("step `{id}` cannot be undone but is before the point of no return"));
    }
    for session in step.sessions.iter().filter(|session| !sessions.contains(session)) {
        problems.push(format!("step `{id}` names session `{session}`, which is not in the plan"));
    }
    for held in &step.under {
        let known = plan.step(held).is_some_and(|held| held.hold.is_some());
        if !known || order.get(held).is_none_or(|at| at.0 >= place.0 && at.1 >= place.1) {
            problems.push(format!(
                "step `{id}` is under `{held}`, which is no earlier step with a hold"
            ));
        }
    }
    if let Some(hold) = &step.hold {
        if order.get(&hold.until).is_none_or(|until| until.1 <= place.1) {
            problems.push(format!(
                "step `{id}` is held until `{}`, which is no later step",
                hold.until
            ));
        }
        if !matches!(step.undo, Undo::Action { .. }) {
            problems.push(format!("step `{id}` must not be left half-done but has no undo"));
        }
        if hold.guard.as_ref().is_some_and(|guard| guard.ttl_seconds == 0) {
            problems.push(format!("the guard of step `{id}` has no life time"));
        }
    }
    references(plan, order, id, &step.params, problems);
    for precondition in &step.preconditions {
        references(plan, order, id, &precondition.seen, problems);
    }
}

/// An output may come from an earlier group, or from an earlier step of a serial group.
fn references(
    plan: &Plan,
    order: &BTreeMap<&Id, (usize, usize)>,
    id: &Id,
    params: &serde_json::Value,
    problems: &mut Vec<String>,
) {
    let place = order.get(id).copied().unwrap_or_default();
    for reference in outputs::references(params) {
        let source = outputs::split(&reference).and_then(|(step, _)| order.get(&step).copied());
        let earlier = source.is_some_and(|(group, position)| {
            let serial = plan.groups[group].at_once == 1;
            group < place.0 || (group == place.0 && serial && position < place.1)
        });
        if !earlier {
            problems.push(format!(
                "step `{id}` uses output `{reference}`, which no earlier step can have made"
            ));
        }
    }
}
