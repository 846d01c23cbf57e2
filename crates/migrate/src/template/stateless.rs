//! Machines without volumes: copies are made and checked while the old ones serve; the cutover is a cordon; the old ones are kept, stopped.

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

/// The whole plan for an app without volumes.
pub(super) fn build(draft: &mut Draft<'_>) {
    let services = draft.of(Kind::Service);
    let workers = draft.of(Kind::Worker);
    draft.gates();
    let mut create: Vec<Step> =
        services.iter().map(|machine| service_copy(draft, machine)).collect();
    create.extend(workers.iter().map(|machine| worker_copy(draft, machine)));
    draft.parallel("create", "make the copies", AT_ONCE, create);
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
    super::volume::build(draft);
    if !(services.is_empty() && workers.is_empty()) {
        let cutover = cutover(draft, &services, &workers);
        draft.serial("cutover", "cut over", cutover);
    }
    standbys(draft);
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

fn create(draft: &Draft<'_>, machine: &MachineInfo, cordoned: bool, launch: bool) -> Step {
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
            format!("{} old Machines take no more traffic", open.len()),
        )
        .why("the proxy sends users to the nearest healthy Machine, so only a cordon moves them")
        .params(json!({"machines": ids(&open), "behind": copies(&open)}))
        .ensures("the old Machines are out of the proxy's pool")
        .undo("put them back", each(&open, |id| format!("fly machine uncordon {id} -a {app}")))
        .risk(Risk::Availability)
        .takes(5, 120)
        .session(LEASES);
        steps.push(uncordon);
        steps.push(
            each(&open, |id| format!("fly machine cordon {id} -a {app}"))
                .into_iter()
                .fold(cordon, Step::command),
        );
        steps.push(
            Step::new("drain", DRAIN, "requests that are under way end")
                .why("stopping kills what is under way")
                .params(json!({"seconds": draft.request.options.drain_seconds}))
                .ensures("the old Machines had time to finish")
                .takes(
                    draft.request.options.drain_seconds,
                    draft.request.options.drain_seconds * 2 + 60,
                ),
        );
    }
    let running: Vec<&MachineInfo> =
        workers.iter().copied().filter(|machine| machine.runs()).collect();
    let all: Vec<&MachineInfo> = services.iter().chain(workers).copied().collect();
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
    steps.push(
        each(&all, |id| format!("fly machine stop {id} -a {app}"))
            .into_iter()
            .fold(stop, Step::command),
    );
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

fn unchanged(draft: &Draft<'_>) -> Step {
    Step::new("unchanged", UNCHANGED, "nobody changed the app meanwhile")
        .why("a deploy in the middle makes copies of what is no longer there")
        .params(json!({"scope": draft.scope}))
        .ensures("the app is as the plan saw it")
        .session(LEASES)
        .passing()
}

/// Standbys wait for Machines that have moved: theirs are the copies now.
fn standbys(draft: &mut Draft<'_>) {
    let source = &draft.request.source;
    let step = |machine: &&MachineInfo| {
        let of: Vec<Value> = machine
            .standbys
            .iter()
            .map(|id| match draft.inventory.machine(id) {
                Some(other) if &other.region == source => reference(&copy(other), "machine"),
                _ => json!(id),
            })
            .collect();
        let mut step = create(draft, machine, false, false);
        step.params["standbys"] = Value::Array(of);
        step
    };
    let steps = draft.of(Kind::Standby).iter().map(step).collect();
    draft.serial("standbys", "new standbys", steps);
}

fn watch(draft: &Draft<'_>, services: &[&MachineInfo], workers: &[&MachineInfo]) -> Step {
    let seconds = draft.request.options.watch_seconds;
    let running = workers.iter().copied().filter(|machine| machine.runs());
    let watched: Vec<&MachineInfo> =
        services.iter().copied().chain(running).chain(draft.of(Kind::Volume)).collect();
    Step::new("watch", WATCH, format!("{} new Machines are watched", watched.len()))
        .why("what breaks after a cutover breaks soon")
        .params(json!({"machines": copies(&watched), "seconds": seconds}))
        .ensures("the new Machines stayed healthy")
        .takes(seconds, seconds + 600)
}

fn patch(draft: &Draft<'_>) -> Option<Step> {
    let source = draft.request.source.as_str();
    let primary = draft
        .inventory
        .machines
        .iter()
        .any(|machine| machine.primary_region.as_deref() == Some(source));
    let text = draft.request.options.fly_toml.as_deref();
    let patch =
        crate::region::patch::primary_region(text, &draft.request.source, &draft.request.target);
    (primary || patch.is_some()).then(|| {
        let patch = patch.unwrap_or_else(|| format!("primary_region = \"{}\"\n", draft.request.target));
        Step::new("config", PATCH, "the change of fly.toml is shown")
            .why("without it the next deploy puts new process groups and the release command into the old region")
            .params(json!({"patch": patch}))
            .ensures("the patch is in the report; you commit it and deploy")
            .command("git apply fly.toml.patch && fly deploy")
    })
}
