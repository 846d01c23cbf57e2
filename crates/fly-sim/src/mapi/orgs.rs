//! Organization-wide lists with cursors.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::mapi::machines::selected;
use crate::server::auth;
use crate::server::http::{Answer, Reply, Request};
use crate::server::routes::Call;
use crate::state::{App, rfc3339, rfc3339_millis};

const LIMIT_MAX: usize = 1000;

fn apps<'a>(call: &'a Call<'_>) -> Result<Vec<&'a App>, Reply> {
    let Some(org) = call.state.org(call.request.param("org")) else {
        return Err(Reply::error(404, "organization not found"));
    };
    if !call.caller.may_see_org(&org.slug) {
        return Err(auth::forbidden());
    }
    Ok(call.state.apps.values().filter(|app| app.org == org.slug).collect())
}

/// One page of rows of (id, updated, body), ordered by id.
fn page(request: &Request, mut rows: Vec<(String, Timestamp, Value)>, name: &str) -> Answer {
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    match request.query("cursor") {
        Some(cursor) => rows.retain(|row| row.0.as_str() > cursor),
        None => {
            if let Some(after) = request.query("updated_after") {
                let after: Timestamp = after.parse().map_err(|_| {
                    Reply::error(400, "invalid_argument: updated_after must be RFC 3339")
                })?;
                rows.retain(|row| row.1 > after);
            }
        }
    }
    let limit = request.query("limit").and_then(|n| n.parse().ok()).unwrap_or(LIMIT_MAX);
    let more = rows.len() > limit.clamp(1, LIMIT_MAX);
    rows.truncate(limit.clamp(1, LIMIT_MAX));
    let last = rows.last().map(|row| row.0.clone()).unwrap_or_default();
    let updated = rows.iter().map(|row| row.1).max().map(rfc3339).unwrap_or_default();
    let next = if more { last.clone() } else { String::new() };
    let bodies: Vec<Value> = rows.into_iter().map(|row| row.2).collect();
    let mut value = json!({ "next_cursor": next, "last_updated_at": updated });
    value[format!("{name}s")] = json!(bodies);
    value[format!("last_{name}_id")] = json!(last);
    Ok(Reply::json(value))
}

pub(crate) fn machines(call: &mut Call<'_>) -> Answer {
    let summary = call.request.flag("summary");
    let mut rows = Vec::new();
    for app in apps(call)? {
        for machine in app.machines.iter().filter(|machine| selected(call.request, machine)) {
            let mut body = json!({
                "id": machine.id, "app_name": app.name, "name": machine.name,
                "state": machine.state, "region": machine.region,
                "private_ip": machine.private_ip, "version": machine.instance_id,
                "instance_id": machine.instance_id, "created_at": rfc3339(machine.created_at),
                "updated_at": rfc3339(machine.updated_at),
            });
            if !summary {
                let part = |key: &str| machine.config.get(key).cloned().unwrap_or(Value::Null);
                body["config"] = json!({
                    "guest": part("guest"), "image": part("image"), "metadata": part("metadata"),
                });
            }
            rows.push((machine.id.clone(), machine.updated_at, body));
        }
    }
    let mut reply = page(call.request, rows, "machine")?;
    if let crate::server::http::Body::Json(value) = &mut reply.body {
        value["error_regions"] = json!([]);
    }
    Ok(reply)
}

pub(crate) fn volumes(call: &mut Call<'_>) -> Answer {
    let summary = call.request.flag("summary");
    let mut rows = Vec::new();
    for app in apps(call)? {
        for volume in &app.volumes {
            let wanted = |key: &str, value: &str| {
                call.request.query(key).is_none_or(|csv| csv.split(',').any(|w| w == value))
            };
            if !wanted("region", &volume.region) || !wanted("state", &volume.state) {
                continue;
            }
            let mut body = crate::mapi::volumes::shown(volume, summary);
            body["app_name"] = json!(app.name);
            body["updated_at"] = json!(rfc3339_millis(volume.created_at));
            rows.push((volume.id.clone(), volume.created_at, body));
        }
    }
    page(call.request, rows, "volume")
}
