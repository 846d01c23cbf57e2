//! Incidents and the public status page (Statuspage v2).

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{Incident, State, rfc3339_millis};

const COMPONENTS: [&str; 6] =
    ["Customer Applications", "Machines API", "Dashboard", "Deployments", "Registry", "Logs"];

fn components_of(incident: &Incident) -> Vec<Value> {
    let one = |name: &String| json!({ "id": slug(name), "name": name });
    incident.components.iter().map(one).collect()
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn short(incident: &Incident) -> Value {
    json!({
        "id": incident.id, "name": incident.name, "status": incident.status,
        "started_at": rfc3339_millis(incident.started),
        "created_at": rfc3339_millis(incident.started),
        "updated_at": rfc3339_millis(incident.updated),
        "resolved_at": incident.resolved.map(rfc3339_millis),
        "components": components_of(incident),
    })
}

fn long(incident: &Incident) -> Value {
    let mut value = short(incident);
    value["impact"] = json!(incident.impact);
    value["shortlink"] = json!(format!("https://stspg.io/{}", incident.id));
    value["incident_updates"] = incident
        .updates
        .iter()
        .map(|(at, status, body)| {
            json!({
                "id": format!("{}-{}", incident.id, at.as_second()), "status": status, "body": body,
                "created_at": rfc3339_millis(*at), "updated_at": rfc3339_millis(*at),
            })
        })
        .collect();
    value
}

fn open(state: &State) -> impl Iterator<Item = &Incident> {
    state.incidents.iter().filter(|incident| {
        incident.started <= state.now && incident.resolved.is_none_or(|at| at > state.now)
    })
}

pub(crate) fn incidents(call: &mut Call<'_>) -> Answer {
    let incidents: Vec<Value> = open(call.state).map(short).collect();
    Ok(Reply::json(json!({ "incidents": incidents })))
}

fn page(state: &State) -> Value {
    json!({
        "id": "sim", "name": "Fly.io", "url": "https://status.flyio.net", "time_zone": "Etc/UTC",
        "updated_at": rfc3339_millis(state.now),
    })
}

fn indicator(state: &State) -> Value {
    let worst = ["critical", "major", "minor"]
        .into_iter()
        .find(|impact| open(state).any(|incident| incident.impact == *impact))
        .unwrap_or("none");
    let indicator = state.status.indicator.as_deref().unwrap_or(worst);
    let usual = match indicator {
        "none" => "All Systems Operational",
        "minor" => "Partially Degraded Service",
        "major" => "Partial System Outage",
        _ => "Major Service Outage",
    };
    json!({
        "indicator": indicator,
        "description": state.status.description.as_deref().unwrap_or(usual),
    })
}

fn component_list(state: &State) -> Vec<Value> {
    let extra = state.status.components.keys().map(String::as_str);
    let names = COMPONENTS.into_iter().filter(|name| !state.status.components.contains_key(*name));
    let mut position = 0;
    names
        .chain(extra)
        .map(|name| {
            position += 1;
            let hit = open(state).any(|incident| incident.components.iter().any(|c| c == name));
            let derived = if hit { "degraded_performance" } else { "operational" };
            let status = state.status.components.get(name).map_or(derived, String::as_str);
            json!({
                "id": slug(name), "name": name, "status": status, "group": false,
                "group_id": Value::Null, "position": position,
                "updated_at": rfc3339_millis(state.now),
            })
        })
        .collect()
}

pub(crate) fn status(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(json!({ "page": page(call.state), "status": indicator(call.state) })))
}

pub(crate) fn summary(call: &mut Call<'_>) -> Answer {
    let state = &*call.state;
    let incidents: Vec<Value> = open(state).map(long).collect();
    Ok(Reply::json(json!({
        "page": page(state), "status": indicator(state), "components": component_list(state),
        "incidents": incidents, "scheduled_maintenances": [],
    })))
}

pub(crate) fn components(call: &mut Call<'_>) -> Answer {
    let components = component_list(call.state);
    Ok(Reply::json(json!({ "page": page(call.state), "components": components })))
}

pub(crate) fn unresolved(call: &mut Call<'_>) -> Answer {
    let incidents: Vec<Value> = open(call.state).map(long).collect();
    Ok(Reply::json(json!({ "page": page(call.state), "incidents": incidents })))
}

pub(crate) fn all_incidents(call: &mut Call<'_>) -> Answer {
    let incidents: Vec<Value> = call.state.incidents.iter().map(long).collect();
    Ok(Reply::json(json!({ "page": page(call.state), "incidents": incidents })))
}

pub(crate) fn maintenances(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(json!({ "page": page(call.state), "scheduled_maintenances": [] })))
}

/// Telemetry of flyctl goes nowhere.
pub(crate) fn metrics_sink(_call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(json!({})))
}
