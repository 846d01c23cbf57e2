//! The simulation's own routes under `/_sim/`: what a test in another process needs. Not part of the platform.

use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use super::http::{Reply, Request};

pub(crate) fn handle(shared: &Shared, request: &Request) -> Reply {
    let body = match request.json_or_empty() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_sim/requests") => {
            let all = shared.lock().recorder.all();
            Reply::json(serde_json::to_value(all).unwrap_or(Value::Null))
        }
        ("DELETE", "/_sim/requests") => {
            shared.lock().recorder.clear();
            Reply::ok()
        }
        ("POST", "/_sim/clock/advance") => {
            let millis = body.get("ms").and_then(Value::as_u64).unwrap_or(0);
            shared.clock.advance(Duration::from_millis(millis));
            drop(shared.lock());
            shared.changed.notify_waiters();
            Reply::json(json!({ "now": shared.clock.now().to_string() }))
        }
        ("DELETE", "/_sim/faults") => {
            shared.lock().faults.clear();
            Reply::ok()
        }
        ("POST", "/_sim/faults") => match serde_json::from_value(body) {
            Ok(fault) => {
                shared.lock().faults.add(fault);
                Reply::ok()
            }
            Err(error) => Reply::error(400, format!("no fault: {error}")),
        },
        ("POST", path) if path.starts_with("/_sim/faults/") => {
            let name = path.trim_start_matches("/_sim/faults/");
            let on = body.get("on").and_then(Value::as_bool).unwrap_or(true);
            if shared.lock().faults.switch(name, on) {
                Reply::ok()
            } else {
                Reply::error(404, format!("the world has no fault named '{name}'"))
            }
        }
        _ => Reply::error(404, "no such control route"),
    }
}
