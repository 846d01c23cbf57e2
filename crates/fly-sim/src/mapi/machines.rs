//! Machines, read.

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply, Request};
use crate::server::routes::Call;
use crate::state::{Event, Machine};

/// Events without `limit`, and at most with it.
const EVENTS_DEFAULT: usize = 20;
const EVENTS_MAX: usize = 50;

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let summary = request.flag("summary");
    let leases = request.flag("include_leases");
    let now = call.state.now;
    let lag = call.state.lags.list;
    let machines = call.app()?.machines.iter().filter(|machine| {
        selected(request, machine) && now.duration_since(machine.created_at) >= lag
    });
    let bodies = machines.map(|machine| {
        let mut value = if summary { machine.summary() } else { machine.json() };
        if leases && let Some(lease) = machine.lease_at(now) {
            value["lease"] = json!({
                "owner": lease.owner, "description": lease.description,
                "expires_at": lease.expires.as_second(),
            });
        }
        value
    });
    Ok(Reply::json(bodies.collect()))
}

/// The filters that this list and the organization's share.
pub(crate) fn selected(request: &Request, machine: &Machine) -> bool {
    let csv = |key: &str, value: &str| {
        let wanted: Vec<&str> = request.query_all(key).flat_map(|v| v.split(',')).collect();
        wanted.iter().all(|w| w.is_empty()) || wanted.contains(&value)
    };
    let metadata = request.query.iter().all(|(key, wanted)| {
        key.strip_prefix("metadata.").is_none_or(|key| machine.metadata(key) == Some(wanted))
    });
    let shown = request.flag("include_deleted")
        || !machine.is_gone()
        || request.query("state").is_some_and(|state| state.contains("destroyed"));
    shown && metadata && csv("region", &machine.region) && csv("state", &machine.state)
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(call.machine()?.json()))
}

pub(crate) fn events(call: &mut Call<'_>) -> Answer {
    let limit = call.request.query("limit").and_then(|n| n.parse().ok()).unwrap_or(EVENTS_DEFAULT);
    let limit = limit.clamp(1, EVENTS_MAX);
    let events = call.machine()?.events.iter().rev().take(limit).map(Event::json);
    Ok(Reply::json(events.collect()))
}

pub(crate) fn versions(call: &mut Call<'_>) -> Answer {
    let machine = call.machine()?;
    let mut versions =
        vec![json!({ "version": machine.instance_id, "user_config": machine.config })];
    let older = machine.versions.iter().rev();
    versions.extend(
        older.map(|(version, config)| json!({ "version": version, "user_config": config })),
    );
    Ok(Reply::json(Value::Array(versions)))
}

pub(crate) fn ps(call: &mut Call<'_>) -> Answer {
    let machine = call.machine()?;
    require_running(machine)?;
    let mut processes = machine.processes.clone();
    if let Some(key) = call.request.query("sort_by") {
        processes.sort_by_key(|process| process[key].as_i64().unwrap_or(0));
        if call.request.query("order") == Some("desc") {
            processes.reverse();
        }
    }
    Ok(Reply::json(Value::Array(processes)))
}

pub(crate) fn memory(call: &mut Call<'_>) -> Answer {
    let machine = call.machine()?;
    require_running(machine)?;
    let size =
        machine.config.get("guest").and_then(|guest| guest["memory_mb"].as_i64()).unwrap_or(256);
    let limit = machine.memory_limit_mb.unwrap_or(size);
    Ok(Reply::json(json!({ "limit_mb": limit, "available_mb": limit / 2 })))
}

pub(crate) fn require_running(machine: &Machine) -> Result<(), Reply> {
    if !machine.host_ok() {
        return Err(Reply::error(408, "deadline_exceeded: context deadline exceeded"));
    }
    if machine.state == "started" {
        return Ok(());
    }
    Err(Reply::error(412, "failed_precondition: machine not running"))
}
