//! Machines without volumes: copies are made and checked while the old ones serve; the cutover is a cordon; the old ones are kept, stopped.

use std::collections::BTreeMap;

use runbook::outputs::reference;
use runbook::plan::{Risk, Step};
use serde_json::{Value, json};

use super::commands::{clone, each};
use super::draft::{Draft, copies, copy, ids};
use super::kinds::Kind;
use crate::inventory::MachineInfo;
use crate::leases::LEASES;
use crate::steps::{CORDON, CREATE, DRAIN, HEALTH, PATCH, START, STOP, UNCHANGED, UNCORDON, WATCH};

/// Copies that are made beside each other: the platform allows one create a second per app, so more only wait.
const AT_ONCE: u32 = 4;

/// Name of the patch of fly.toml beside a plan `plan.json`.
pub(super) const PATCH_FILE: &str = "plan.fly.toml.patch";

/// The whole plan for an app without volumes.
pub(super) fn build(draft: &mut Draft<'_>) {
    let services = draft.of(Kind::Service);
    let workers = draft.of(Kind::Worker);
    notes(draft);
    draft.gates();
    super::restore::confirm(draft);
    super::egress::build(draft);
    let mut create: Vec<Step> =
        services.iter().map(|machine| service_copy(draft, machine)).collect();
    create.extend(workers.iter().map(|machine| worker_copy(draft, machine)));
    create.extend(super::scheduled::copies(draft));
    super::primary::build(draft, true);
    draft.parallel("create", "make the copies", AT_ONCE, create);
    super::replicated::grow(draft);
    let checked: Vec<&MachineInfo> =
        services.iter().copied().filter(|machine| launched(machine)).collect();
    if !checked.is_empty() {
        let step =
            Step::new("healthy", HEALTH, format!("{} new Machines are healthy", checked.len()))
                .why("nobody is sent to a Machine that does not work")
                .params(json!({"machines": copies(&checked)}))
                .ensures("all checks of the new Machines pass")
                .takes(60, 600)
                .passing();
        draft.serial("check", "check the copies", vec![step]);
    }
    let unchanged = unchanged(draft);
    draft.serial("recheck", "the last look", vec![unchanged]);
    super::replicated::lead(draft);
    super::volume::build(draft);
    if !(services.is_empty() && workers.is_empty()) {
        let cutover = cutover(draft, &services, &workers);
        draft.serial("cutover", "cut over", cutover);
    }
    super::scheduled::build(draft);
    super::standby::build(draft);
    super::primary::build(draft, false);
    let mut close = super::volume::hydrated(draft);
    close.push(watch(draft, &checked, &workers));
    close.extend(patch(draft));
    close.push(draft.accounted());
    draft.serial("close", "watch and account", close.into_iter().collect());
    draft.price_note();
    draft.configuration_notes();
}

/// Whether the copy is booted. A Machine that somebody stopped stays so; one that the proxy stopped is tried once.
fn launched(machine: &MachineInfo) -> bool {
    machine.runs() || machine.autostops()
}

/// What the step that copies a Machine is told.
pub(super) fn copy_params(draft: &Draft<'_>, machine: &MachineInfo) -> Value {
    let target = &draft.request.target;
    let primary = machine.primary_region.as_ref().map(|region| {
        if *region == draft.request.source.as_str() { target.to_string() } else { region.clone() }
    });
    json!({
        "source": machine.id,
        "config": machine.config,
        "image": machine.image,
        "region": target,
        "mark": draft.scope.mark,
        "cordoned": false,
        "launch": false,
        "primary_region": primary,
        "fallback": fallback(draft),
    })
}

/// Regions near the target that may do should it have no room.
pub(super) fn fallback(draft: &Draft<'_>) -> Vec<String> {
    let near = draft.regions.near(&draft.request.target, &[&draft.request.source]);
    near.into_iter().take(3).map(|code| code.to_string()).collect()
}

/// The step that copies a Machine.
pub(super) fn create(
    draft: &Draft<'_>,
    machine: &MachineInfo,
    cordoned: bool,
    launch: bool,
) -> Step {
    let (app, target) = (draft.app(), &draft.request.target);
    let mut params = copy_params(draft, machine);
    params["cordoned"] = cordoned.into();
    params["launch"] = launch.into();
    let title = format!("copy Machine {} ({}) to {target}", machine.id, machine.size());
    Step::new(copy(machine), CREATE, title)
        .why("a Machine cannot change its region")
        .params(params)
        .ensures(format!("a Machine with the same image and configuration is in {target}"))
        .undo("destroy the copy", ["fly machine destroy --force COPY -a ".to_owned() + app])
        .risk(Risk::None)
        .takes(30, 600)
        .costs(0.0, draft.copy_month(machine).unwrap_or(0.0))
        .command(clone(app, machine, target))
}

fn service_copy(draft: &Draft<'_>, machine: &MachineInfo) -> Step {
    create(draft, machine, true, launched(machine))
}

fn worker_copy(draft: &Draft<'_>, machine: &MachineInfo) -> Step {
    create(draft, machine, false, false)
}

fn cutover(draft: &Draft<'_>, services: &[&MachineInfo], workers: &[&MachineInfo]) -> Vec<Step> {
    let (app, source) = (draft.app().to_owned(), &draft.request.source);
    let mut steps = Vec::new();
    let open: Vec<&MachineInfo> =
        services.iter().copied().filter(|machine| !machine.cordoned).collect();
    let closed: Vec<&MachineInfo> =
        open.iter().copied().filter(|machine| machine.reachable()).collect();
    if !open.is_empty() {
        let uncordon =
            Step::new("open", UNCORDON, format!("{} new Machines take traffic", open.len()))
                .why("the nearest Machine serves: from now on both regions do")
                .params(json!({"machines": copies(&open)}))
                .ensures("the new Machines are in the proxy's pool")
                .undo(
                    "take them out of the pool",
                    each(&open, |_| format!("fly machine cordon COPY -a {app}")),
                )
                .risk(Risk::Availability)
                .takes(5, 120);
        let cordon = Step::new(
            "close",
            CORDON,
            format!("{} old Machines take no more traffic", closed.len()),
        )
        .why("the proxy sends users to the nearest healthy Machine, so only a cordon moves them")
        .params(json!({"machines": ids(&closed), "behind": groups(&open)}))
        .ensures("the old Machines are out of the proxy's pool")
        .undo("put them back", each(&closed, |id| format!("fly machine uncordon {id} -a {app}")))
        .risk(Risk::Availability)
        .takes(5, 120)
        .session(LEASES);
        steps.push(uncordon);
        if !closed.is_empty() {
            steps.push(
                each(&closed, |id| format!("fly machine cordon {id} -a {app}"))
                    .into_iter()
                    .fold(cordon, Step::command),
            );
        }
        steps.push(drain(draft, "drain", &closed));
    }
    let running: Vec<&MachineInfo> =
        workers.iter().copied().filter(|machine| machine.runs()).collect();
    let all: Vec<&MachineInfo> =
        services.iter().chain(workers).copied().filter(|machine| machine.reachable()).collect();
    let seconds = all.iter().map(|machine| machine.stop_seconds).max().unwrap_or(5);
    let saved: f64 = all.iter().map(|machine| draft.saved_month(machine)).sum();
    let stop = Step::new("stop", STOP, format!("{} old Machines in {source} stop", all.len()))
        .why("they are kept as the way back until `cleanup`")
        .params(json!({"machines": ids(&all), "stop_seconds": seconds}))
        .ensures("the old Machines rest")
        .undo("start those that ran", each(&all, |id| format!("fly machine start {id} -a {app}")))
        .risk(Risk::Availability)
        .takes(seconds + 5, seconds + 600)
        .costs(0.0, -saved)
        .session(LEASES);
    if !all.is_empty() {
        steps.push(
            each(&all, |id| format!("fly machine stop {id} -a {app}"))
                .into_iter()
                .fold(stop, Step::command),
        );
    }
    if !running.is_empty() {
        steps.push(
            Step::new("start-workers", START, format!("{} new workers start", running.len()))
                .why("workers do not run in both regions at once")
                .params(json!({"machines": copies(&running)}))
                .ensures("the new workers run")
                .undo("stop them", each(&running, |_| format!("fly machine stop COPY -a {app}")))
                .risk(Risk::Availability)
                .takes(30, 600),
        );
    }
    steps
}

/// Requests that are under way on cordoned Machines end.
pub(super) fn drain(draft: &Draft<'_>, id: &str, machines: &[&MachineInfo]) -> Step {
    let seconds = draft.request.options.drain_seconds;
    Step::new(id, DRAIN, "requests that are under way end")
        .why("stopping kills what is under way (H08)")
        .params(json!({"seconds": seconds, "machines": ids(machines), "org": draft.inventory.org}))
        .ensures(format!("no request is under way on the old Machines, or {seconds} s are over"))
        .takes(seconds, seconds * 2 + 60)
}

fn unchanged(draft: &Draft<'_>) -> Step {
    Step::new("unchanged", UNCHANGED, "nobody changed the app meanwhile")
        .why("a deploy in the middle makes copies of what is no longer there")
        .params(json!({"scope": draft.scope}))
        .ensures("the app is as the plan saw it")
        .session(LEASES)
        .passing()
}

/// Copies by process group: each group has to be served before its old Machines leave the pool.
fn groups(machines: &[&MachineInfo]) -> Value {
    let mut groups: BTreeMap<Option<&str>, Vec<Value>> = BTreeMap::new();
    for machine in machines {
        let copy = reference(&copy(machine), "machine");
        groups.entry(machine.group.as_deref()).or_default().push(copy);
    }
    groups.into_values().map(Value::Array).collect()
}

/// What the plan says about Machines that are not like the others.
fn notes(draft: &mut Draft<'_>) {
    let list = |machines: Vec<&MachineInfo>| {
        machines.iter().map(|machine| machine.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let moved: Vec<&MachineInfo> = draft.inventory.in_region(&draft.request.source).collect();
    let having = |what: &dyn Fn(&MachineInfo) -> bool| {
        moved.iter().copied().filter(|machine| what(machine)).collect::<Vec<_>>()
    };
    let mut notes = Vec::new();
    let unmanaged = having(&|machine| !machine.managed);
    if !unmanaged.is_empty() {
        notes.push(format!(
            "Machines {} are not managed: `fly deploy` and `fly scale` do not touch them, before and after the move; their copies keep all metadata and their image",
            list(unmanaged)
        ));
    }
    let suspended = having(&|machine| machine.state == "suspended");
    if !suspended.is_empty() {
        notes.push(format!(
            "H22: Machines {} are suspended: what they have in memory is not moved, their copies boot anew",
            list(suspended)
        ));
    }
    let lost = having(&|machine| !machine.reachable());
    if !lost.is_empty() {
        notes.push(format!(
            "H12: the hosts of Machines {} do not answer: their copies are made from the last known configuration. They can be neither cordoned nor stopped, and may run again for a moment when the host is back; `cleanup` destroys them, which the platform carries out then",
            list(lost)
        ));
    }
    draft.warnings.extend(notes);
}

fn watch(draft: &Draft<'_>, services: &[&MachineInfo], workers: &[&MachineInfo]) -> Step {
    let seconds = draft.request.options.watch_seconds;
    let running = workers.iter().copied().filter(|machine| machine.runs());
    let watched: Vec<&MachineInfo> = services
        .iter()
        .copied()
        .chain(running)
        .chain(draft.of(Kind::Volume))
        .chain(draft.of(Kind::Replica))
        .collect();
    Step::new("watch", WATCH, format!("{} new Machines are watched", watched.len()))
        .why("what breaks after a cutover breaks soon")
        .params(json!({"machines": copies(&watched), "seconds": seconds}))
        .ensures("the new Machines stayed healthy")
        .takes(seconds, seconds + 600)
}

fn patch(draft: &Draft<'_>) -> Option<Step> {
    let (source, target) = (&draft.request.source, &draft.request.target);
    let primary = draft
        .inventory
        .machines
        .iter()
        .any(|machine| machine.primary_region.as_deref() == Some(source.as_str()));
    let name = draft.request.options.fly_toml_name.as_str();
    let found = draft
        .request
        .options
        .fly_toml
        .as_deref()
        .map(|text| crate::region::patch::primary_region(name, text, source, target));
    let by_hand = || format!("set primary_region = \"{target}\" in fly.toml\n");
    let (patch, is_patch) = match found {
        Some(Ok(Some(patch))) => (patch, true),
        Some(Err(error)) => (format!("{name} cannot be edited ({error}): {}", by_hand()), false),
        None if primary => (by_hand(), false),
        // It names another region already, or nothing runs by its word.
        Some(Ok(None)) | None => return None,
    };
    let step = Step::new("config", PATCH, format!("the change of {name} is shown"))
        .why("without it the next deploy puts new process groups and the release command into the old region (H15)")
        .params(json!({"patch": patch, "is_patch": is_patch}))
        .ensures("the patch is in the report; you commit it and deploy");
    Some(if is_patch {
        step.command(format!("git apply {PATCH_FILE} && fly deploy -a {}", draft.app()))
    } else {
        step.command(format!("fly deploy --primary-region {target} -a {}", draft.app()))
    })
}
