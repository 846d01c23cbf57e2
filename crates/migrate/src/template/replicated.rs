//! LiteFS clusters: nodes are added in the target with empty volumes and fill themselves from the primary; then the primary goes over,
//! and the old nodes stop one by one. Nothing is copied, and at no moment is there more than one node missing.

use fly_types::MachineId;
use runbook::outputs::reference;
use runbook::plan::{Id, Risk, Step};
use serde_json::{Value, json};

use super::commands::each;
use super::draft::{Draft, copies, copy, ids};
use super::kinds::{Kind, kind};
use super::volume::{id, mounts};
use crate::inventory::MachineInfo;
use crate::leases::LEASES;
use crate::steps::{CORDON, DRAIN, HEALTH, IN_SYNC, LEAD, STOP, UNCORDON};
use crate::volume::make::MAKE;

/// Where LiteFS shows its databases, unless its configuration says otherwise, which nobody outside can read.
const FOLDER: &str = "/litefs";
/// Until the new nodes take traffic nobody is served: that must not stay so.
const OPENED: &str = "open-nodes";

/// Nodes that stay where they are.
fn elsewhere<'a>(draft: &Draft<'a>) -> Vec<&'a MachineInfo> {
    let source = &draft.request.source;
    let all = draft.inventory.machines.iter();
    all.filter(|one| kind(one) == Kind::Replica && &one.region != source && one.state == "started")
        .collect()
}

fn members(old: &[&MachineInfo], others: &[&MachineInfo], new: &[&MachineInfo]) -> Value {
    let stay = old.iter().chain(others).map(|machine| json!(machine.id));
    stay.chain(new.iter().map(|machine| reference(&copy(machine), "machine"))).collect()
}

fn in_sync(id: impl Into<Id>, title: String, params: Value) -> Step {
    Step::new(id, IN_SYNC, title)
        .params(params)
        .ensures("every node follows one primary and has what it has")
        .takes(30, 3600)
        .passing()
}

/// The new nodes, until they have everything.
pub(super) fn grow(draft: &mut Draft<'_>) {
    let nodes = draft.of(Kind::Replica);
    if nodes.is_empty() {
        return;
    }
    let (app, target) = (draft.app().to_owned(), draft.request.target.clone());
    draft.warnings.push(format!(
        "H20: app {app} is taken for a LiteFS cluster ({}). LiteFS says where it stands in {FOLDER}; a lease that is static in litefs.yml does not follow PRIMARY_REGION and has to be moved there",
        nodes[0].litefs.as_deref().unwrap_or_default()
    ));
    let others = elsewhere(draft);
    let start = in_sync(
        "cluster",
        format!("{} nodes follow one primary", nodes.len() + others.len()),
        json!({"members": members(&[], &others, &[]), "old": ids(&nodes), "folder": FOLDER, "target": target}),
    )
    .why("a cluster that is not whole must not be moved")
    .command(format!("fly ssh console -a {app} -C \"cat {FOLDER}/.primary\""));
    let mut volumes = vec![start];
    for (machine, number, mount) in mounts(&nodes) {
        let size = draft.inventory.volume(&mount.volume).map_or(1, |volume| volume.size_gb);
        #[expect(clippy::cast_precision_loss, reason = "volumes have at most 500 GB")]
        let month = draft.prices.map_or(0.0, |prices| prices.volume_gb_month * size as f64);
        volumes.push(
            Step::new(
                id("volume", machine, number),
                MAKE,
                format!("empty volume {} of {size} GB in {target}", mount.name),
            )
            .why("a new node fills itself from the primary")
            .params(json!({"name": mount.name, "region": target, "size_gb": size}))
            .ensures("the volume can be mounted")
            .undo("delete it", [format!("fly volumes destroy NEW_VOLUME -y -a {app}")])
            .takes(10, 600)
            .costs(0.0, month)
            .changes("target-volume/*")
            .command(format!(
                "fly volumes create {} --region {target} --size {size} -y -a {app}",
                mount.name
            )),
        );
    }
    draft.serial("node-volumes", "volumes for new nodes", volumes);
    let create = nodes.iter().map(|machine| {
        let mut step = super::stateless::create(draft, machine, true, true);
        let of = |(number, mount): (usize, &crate::inventory::MountInfo)| {
            (mount.path.clone(), reference(&id("volume", machine, number), "volume"))
        };
        step.params["volumes"] = Value::Object(machine.mounts.iter().enumerate().map(of).collect());
        // It may not lead yet.
        step.params["primary_region"] = Value::Null;
        step.title = format!("new node for {} in {target}, which follows the primary", machine.id);
        step.commands = vec![format!(
            "fly machine clone {} --region {target} --attach-volume NEW_VOLUME -a {app}",
            machine.id
        )];
        step
    });
    let create = create.collect();
    draft.parallel("nodes", "new nodes", 4, create);
    let caught_up = in_sync(
        "caught-up",
        format!("{} new nodes have everything", nodes.len()),
        json!({"members": members(&[], &others, &nodes), "old": ids(&nodes), "folder": FOLDER, "target": target}),
    )
    .why("a node that lacks something and leads discards what it lacks")
    .command(format!("fly ssh console -a {app} -C \"sh -c 'cat {FOLDER}/*-pos'\""));
    let healthy =
        Step::new("healthy-nodes", HEALTH, format!("{} new nodes are healthy", nodes.len()))
            .why("nobody is sent to a Machine that does not work")
            .params(json!({"machines": copies(&nodes)}))
            .ensures("they run and their checks pass")
            .takes(60, 600)
            .passing();
    draft.serial("check-nodes", "check the new nodes", vec![caught_up, healthy]);
}

/// The primary goes over, then the old nodes stop.
pub(super) fn lead(draft: &mut Draft<'_>) {
    let nodes = draft.of(Kind::Replica);
    if nodes.is_empty() {
        return;
    }
    let (app, options) = (draft.app().to_owned(), &draft.request.options);
    let (source, target) = (draft.request.source.clone(), draft.request.target.clone());
    let others = elsewhere(draft);
    let all = members(&nodes, &others, &nodes);
    let open: Vec<&MachineInfo> = nodes
        .iter()
        .copied()
        .filter(|machine| !machine.services.is_empty() && !machine.cordoned)
        .collect();
    // Nodes elsewhere send on what they are asked to write.
    let far: Vec<&MachineInfo> = others
        .iter()
        .copied()
        .filter(|machine| !machine.services.is_empty() && !machine.cordoned)
        .collect();
    let mut steps = Vec::new();
    if !open.is_empty() {
        let fence = Step::new("fence-nodes", CORDON, format!("{} old nodes take no more traffic", open.len()))
            .why("what is written while the primary changes could be lost; nobody is served by these nodes until the new ones are opened")
            .params(json!({"machines": ids(&open)}))
            .ensures("the proxy sends nothing to them")
            .undo("put them back", each(&open, |id| format!("fly machine uncordon {id} -a {app}")))
            .risk(Risk::Availability)
            .takes(5, 120)
            .session(LEASES)
            .hold(OPENED, None);
        steps.push(
            each(&open, |id| format!("fly machine cordon {id} -a {app}"))
                .into_iter()
                .fold(fence, Step::command),
        );
        steps.push(
            Step::new("drain-nodes", DRAIN, "requests that are under way end")
                .why("they may still write")
                .params(json!({"seconds": options.drain_seconds}))
                .ensures("the old nodes had time to finish")
                .takes(options.drain_seconds, options.drain_seconds * 2 + 60)
                .under("fence-nodes"),
        );
    }
    let told: Vec<&MachineId> = nodes.iter().chain(&others).map(|machine| &machine.id).collect();
    let mut lead = Step::new("lead", LEAD, format!("the primary goes from {source} to {target}"))
        .why("a node may lead where PRIMARY_REGION is its own region. Nodes elsewhere send writes on, so they are out of the pool until it is done")
        .params(json!({
            "members": all,
            "from": source,
            "to": target,
            "folder": FOLDER,
            "far": ids(&far),
            "old": ids(&open),
        }))
        .ensures(format!("a node in {target} leads, and all nodes follow it"))
        .undo(format!("the primary goes back to {source}"), [] as [String; 0])
        .risk(Risk::Availability)
        .takes(60, 1800)
        .passing()
        .session(LEASES)
        .command(format!("fly machine update COPY -e PRIMARY_REGION={target} -y -a {app}"));
    for id in told {
        lead = lead
            .changes(format!("machine/{id}/primary_region"))
            .command(format!("fly machine update {id} -e PRIMARY_REGION={target} -y -a {app}"));
    }
    steps.push(lead);
    if !open.is_empty() {
        steps.push(
            Step::new(OPENED, UNCORDON, format!("{} new nodes take traffic", open.len()))
                .why("they lead now")
                .params(json!({"machines": copies(&open)}))
                .ensures("the new nodes are in the proxy's pool")
                .undo("take them out", each(&open, |_| format!("fly machine cordon COPY -a {app}")))
                .risk(Risk::Availability)
                .takes(5, 120)
                .command(format!("fly machine uncordon COPY -a {app}")),
        );
    }
    draft.serial("leadership", "move the primary", steps);
    let mut steps = Vec::new();
    for (number, machine) in nodes.iter().enumerate() {
        let short = machine.id.as_str().to_ascii_lowercase();
        steps.push(
            in_sync(
                format!("quorum-{short}"),
                format!("the cluster does without {}", machine.id),
                json!({"members": members(&[], &others, &nodes), "old": ids(&nodes[number..]), "folder": FOLDER, "target": target, "led": true}),
            )
            .why("a node is only taken away from a cluster that is whole"),
        );
        steps.push(
            Step::new(
                format!("stop-{short}"),
                STOP,
                format!("old node {} in {source} stops", machine.id),
            )
            .why("it is kept as the way back until `cleanup`")
            .params(json!({"machines": [machine.id], "stop_seconds": machine.stop_seconds}))
            .ensures("the old node rests")
            .undo("start it", [format!("fly machine start {} -a {app}", machine.id)])
            .risk(Risk::Availability)
            .takes(machine.stop_seconds + 5, machine.stop_seconds + 600)
            .costs(0.0, -draft.saved_month(machine))
            .session(LEASES)
            .command(format!("fly machine stop {} -a {app}", machine.id)),
        );
    }
    let mut last = in_sync(
        "led",
        format!("the cluster is led from {target}"),
        json!({"members": members(&[], &others, &nodes), "folder": FOLDER, "target": target, "led": true}),
    )
    .why("the new side must do without the old one");
    last.lasting = true;
    steps.push(last);
    draft.serial("old-nodes", "old nodes stop one by one", steps);
}
