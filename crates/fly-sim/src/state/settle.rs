//! What happens by itself: due transitions are carried out, in order of time, whenever somebody looks.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::logs::Record;
use super::{Check, Event, Machine, State};
use crate::world::machine::BehaviorFile;

/// A destroyed Machine answers this long before it is forgotten.
const DESTROYED_KEPT_SECONDS: i64 = 60;

impl State {
    /// Brings the platform to `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        if now <= self.now {
            return;
        }
        self.now = now;
        let (mut platform, apps) = self.parts();
        let machines = apps.values_mut().flat_map(|app| &mut app.machines);
        machines.for_each(|machine| machine.fire(&mut platform));
        let lazy = self.settings.lazy_sync;
        for app in self.apps.values_mut() {
            let mut released: Vec<String> = Vec::new();
            for machine in &mut app.machines {
                for record in machine.settle(now, &self.behaviors, &mut released) {
                    app.logs.write(record);
                }
            }
            for volume in &mut app.volumes {
                if volume.attached.as_ref().is_some_and(|machine| released.contains(machine)) {
                    volume.attached = None;
                }
                volume.settle_snapshots(now);
                if volume.writer.is_some() || lazy {
                    let owner = volume.attached.as_deref();
                    let owner = app.machines.iter().find(|m| Some(m.id.as_str()) == owner);
                    volume.settle_writer(now, owner.is_some_and(|m| m.state == "started"), lazy);
                }
                while volume.pending.first().is_some_and(|(at, _)| *at <= now) {
                    volume.state = volume.pending.remove(0).1;
                }
            }
            app.settle_litefs(now);
            app.volumes.retain(|volume| volume.state != "gone");
            for machine in app.machines.iter().filter(|machine| released.contains(&machine.id)) {
                self.rooms.give_machine(&machine.region);
            }
            app.machines.retain(|machine| {
                !machine.is_gone()
                    || now.duration_since(machine.updated_at).as_secs() < DESTROYED_KEPT_SECONDS
            });
        }
    }
}

impl Machine {
    /// Carries out what is due; the result is what the platform logs about it.
    fn settle(
        &mut self,
        now: Timestamp,
        behaviors: &[BehaviorFile],
        released: &mut Vec<String>,
    ) -> Vec<Record> {
        let mut records = Vec::new();
        while self.pending.first().is_some_and(|pending| pending.at <= now) {
            let pending = self.pending.remove(0);
            self.state = pending.state;
            self.updated_at = pending.at;
            if let Some(message) = pending.event.as_ref().and_then(log_line) {
                records.push(Record {
                    at: pending.at,
                    message,
                    level: "info".to_owned(),
                    machine: self.id.clone(),
                    region: self.region.clone(),
                    provider: "app".to_owned(),
                    error_code: None,
                    status_code: None,
                    url: None,
                });
            }
            self.events.extend(pending.event);
            if pending.boot {
                self.scratch.clear();
                self.checks = started_checks(self, behaviors, pending.at);
                if self.processes.is_empty() {
                    self.processes.push(process(self));
                }
            }
            if pending.last {
                released.push(self.id.clone());
            }
        }
        records
    }
}

/// What init writes when its child starts and ends.
fn log_line(event: &Event) -> Option<String> {
    match (event.kind.as_str(), event.status.as_str()) {
        ("start", "started") => Some(" INFO Starting init (commit: 6c3309ba)...".to_owned()),
        ("exit", _) => {
            let exit = &event.request.as_ref()?["exit_event"];
            Some(match exit["oom_killed"].as_bool() {
                Some(true) => " INFO Process appears to have been OOM killed!".to_owned(),
                _ => format!(" INFO Main child exited normally with code: {}", exit["exit_code"]),
            })
        }
        _ => None,
    }
}

/// The checks that the configuration declares, as they are once the process runs.
fn started_checks(machine: &Machine, behaviors: &[BehaviorFile], at: Timestamp) -> Vec<Check> {
    let failing = behaviors
        .iter()
        .find(|behavior| machine.behaves_as(behavior))
        .and_then(|behavior| behavior.failing_check.as_ref());
    let check = |name: String, kind: &str| Check {
        name,
        status: if failing.is_some() { "critical" } else { "passing" }.to_owned(),
        output: match failing {
            Some(output) => output.clone(),
            None if kind == "http" => "HTTP GET: 200 OK Output: \"ok\"".to_owned(),
            None => "Success".to_owned(),
        },
        at,
    };
    let mut checks = Vec::new();
    if let Some(Value::Object(named)) = machine.config.get("checks") {
        for (name, body) in named {
            checks.push(check(name.clone(), body["type"].as_str().unwrap_or("tcp")));
        }
    }
    let none = Vec::new();
    let services = machine.config.get("services").and_then(Value::as_array).unwrap_or(&none);
    let mut number = 0;
    for service in services {
        for body in service["checks"].as_array().unwrap_or(&none) {
            let kind = body["type"].as_str().unwrap_or("tcp");
            let port = body["port"].as_i64().or(service["internal_port"].as_i64()).unwrap_or(8080);
            checks.push(check(format!("servicecheck-{number:02}-{kind}-{port}"), kind));
            number += 1;
        }
    }
    checks
}

/// A process that listens where the services expect it.
fn process(machine: &Machine) -> Value {
    let services = machine.config.get("services").and_then(Value::as_array);
    let port = services.and_then(|services| services.first()?["internal_port"].as_i64());
    json!({
        "pid": 314, "stime": 0, "rtime": 1, "command": "/app/server", "directory": "/app",
        "cpu": 1, "rss": 48_000_000,
        "listen_sockets": [
            { "proto": "tcp", "address": format!("0.0.0.0:{}", port.unwrap_or(8080)) },
        ],
    })
}
