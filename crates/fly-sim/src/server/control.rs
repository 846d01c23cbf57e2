//! The simulation's own routes under `/_sim/`: what a test in another process needs. Not part of the platform.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::http::{Reply, Request};
use crate::state::{Check, State};
use crate::world::place::RoomFile;

pub(crate) fn handle(shared: &Shared, request: &Request) -> Reply {
    match request.json_or_empty() {
        Ok(body) => control(shared, request.method.as_str(), &request.path, body),
        Err(reply) => reply,
    }
}

/// One control call; also what [`super::Sim::control`] does in process.
pub(crate) fn control(shared: &Shared, method: &str, path: &str, body: Value) -> Reply {
    let segments: Vec<&str> = path.trim_start_matches("/_sim/").split('/').collect();
    match (method, segments.as_slice()) {
        ("GET", ["requests"]) => {
            let all = shared.lock().recorder.all();
            Reply::json(serde_json::to_value(all).unwrap_or(Value::Null))
        }
        ("DELETE", ["requests"]) => {
            shared.lock().recorder.clear();
            Reply::ok()
        }
        ("GET", ["environment"]) => {
            let environment = shared.lock().environment.clone();
            Reply::json(environment.into_iter().map(|(name, value)| json!([name, value])).collect())
        }
        ("GET", ["clock"]) => Reply::json(json!({ "now": shared.clock.now().to_string() })),
        ("POST", ["clock", "advance"]) => {
            let millis = body.get("ms").and_then(Value::as_u64).unwrap_or(0);
            shared.clock.advance(Duration::from_millis(millis));
            drop(shared.lock());
            shared.changed.notify_waiters();
            Reply::json(json!({ "now": shared.clock.now().to_string() }))
        }
        ("GET", ["faults"]) => {
            let list = shared.lock().faults.list();
            Reply::json(
                list.into_iter().map(|(name, on)| json!({ "name": name, "on": on })).collect(),
            )
        }
        ("DELETE", ["faults"]) => {
            shared.lock().faults.clear();
            Reply::ok()
        }
        ("POST", ["faults"]) => match serde_json::from_value(body) {
            Ok(fault) => {
                shared.lock().faults.add(fault);
                Reply::ok()
            }
            Err(error) => Reply::error(400, format!("no fault: {error}")),
        },
        ("POST", ["faults", name]) => {
            let on = body.get("on").and_then(Value::as_bool).unwrap_or(true);
            if shared.lock().faults.switch(name, on) {
                Reply::ok()
            } else {
                Reply::error(404, format!("the world has no fault named '{name}'"))
            }
        }
        ("POST", ["regions", code]) => parsed(body, |room: RoomFile| {
            if fly_types::region::find(code).is_none() {
                return Reply::error(404, format!("there is no region '{code}'"));
            }
            shared.lock().state.rooms.set(code, &room);
            Reply::ok()
        }),
        ("GET", ["machines"]) => {
            let inner = shared.lock();
            let machines = inner.state.apps.values().flat_map(|app| &app.machines);
            let there = machines.filter(|machine| !machine.is_gone());
            Reply::json(there.map(crate::state::Machine::json).collect())
        }
        ("POST", ["machines", id]) => parsed(body, |change| machine(shared, id, change)),
        ("GET", ["volumes", id, "files"]) => files(&shared.lock().state, id),
        ("POST", ["volumes", id]) => parsed(body, |change| volume(shared, id, change)),
        _ => Reply::error(404, "no such control route"),
    }
}

fn parsed<T: for<'de> Deserialize<'de>>(body: Value, act: impl FnOnce(T) -> Reply) -> Reply {
    match serde_json::from_value(body) {
        Ok(value) => act(value),
        Err(error) => Reply::error(400, format!("not understood: {error}")),
    }
}

/// What may happen to a Machine without anybody's request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineChange {
    host_status: Option<String>,
    host_full: Option<bool>,
    /// The platform moves it to another host: new 6PN address, new ids of its volumes.
    #[serde(default)]
    migrate: bool,
    /// Its process ends with this code.
    exit_code: Option<i64>,
    #[serde(default)]
    oom_killed: bool,
    check: Option<CheckChange>,
    /// Forces a state, for instance one that hangs.
    state: Option<String>,
    /// Somebody deploys: these variables, and a new version.
    #[serde(default)]
    env: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckChange {
    name: String,
    status: String,
    #[serde(default)]
    output: String,
}

fn machine(shared: &Shared, id: &str, change: MachineChange) -> Reply {
    let mut inner = shared.lock();
    let (mut platform, apps) = inner.state.parts();
    let app = apps.values_mut().find(|app| app.machine(id).is_some());
    let Some(app) = app else { return Reply::error(404, format!("there is no Machine '{id}'")) };
    if change.migrate {
        for volume in app.volumes.iter_mut().filter(|v| v.attached.as_deref() == Some(id)) {
            let old = std::mem::replace(&mut volume.id, platform.ids.volume());
            let new = volume.id.clone();
            "ok".clone_into(&mut volume.host_status);
            volume.host_full = false;
            let machines = app.machines.iter_mut().filter(|machine| machine.id == id);
            machines.for_each(|machine| machine.rename_volume(&old, &new));
        }
    }
    let Some(machine) = app.machine_mut(id) else { return Reply::error(404, "gone") };
    if change.migrate {
        machine.migrate(&mut platform);
    }
    machine.host_status = change.host_status.unwrap_or_else(|| machine.host_status.clone());
    machine.host_full = change.host_full.unwrap_or(machine.host_full);
    if let Some(code) = change.exit_code {
        machine.exits(&mut platform, code, change.oom_killed);
    }
    if let Some(check) = change.check {
        let at: Timestamp = platform.now;
        machine.checks.retain(|known| known.name != check.name);
        let CheckChange { name, status, output } = check;
        machine.checks.push(Check { name, status, output, at });
    }
    if !change.env.is_empty() {
        machine.deployed(&mut platform, change.env);
    }
    if let Some(state) = change.state {
        machine.pending.clear();
        machine.state = state;
    }
    drop(inner);
    shared.changed.notify_waiters();
    Reply::ok()
}

/// What may happen to a volume without anybody's request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumeChange {
    host_status: Option<String>,
    host_full: Option<bool>,
    used_bytes: Option<i64>,
    /// Path below the mount → content; null removes.
    #[serde(default)]
    files: std::collections::BTreeMap<String, Option<String>>,
}

fn volume(shared: &Shared, id: &str, change: VolumeChange) -> Reply {
    let mut inner = shared.lock();
    let mut volumes = inner.state.apps.values_mut().flat_map(|app| &mut app.volumes);
    let Some(volume) = volumes.find(|volume| volume.id == id) else {
        return Reply::error(404, format!("there is no volume '{id}'"));
    };
    volume.host_status = change.host_status.unwrap_or_else(|| volume.host_status.clone());
    volume.host_full = change.host_full.unwrap_or(volume.host_full);
    volume.used_bytes = change.used_bytes.unwrap_or(volume.used_bytes);
    for (path, content) in change.files {
        match content {
            Some(content) => drop(volume.files.insert(path, content)),
            None => drop(volume.files.remove(&path)),
        }
    }
    volume.synced.clone_from(&volume.files);
    Reply::ok()
}

fn files(state: &State, id: &str) -> Reply {
    let found = state.apps.values().find_map(|app| app.volume(id));
    match found {
        Some(volume) => Reply::json(json!({ "files": volume.files, "synced": volume.synced })),
        None => Reply::error(404, format!("there is no volume '{id}'")),
    }
}
