//! Organization-wide lists with cursors.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::mapi::machines::selected;
use crate::server::auth;
use crate::server::http::{Answer, Reply, Request};
use crate::server::routes::Call;
use crate::state::{App, Machine, rfc3339, rfc3339_millis};

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

/// Something that an organization has many of.
struct Row<'a, T> {
    app: &'a App,
    item: &'a T,
    id: &'a str,
    updated: Timestamp,
}

/// One page, ordered by id. Bodies are made for the page's rows only: an organization may have 10,000 of them.
fn page<T>(
    request: &Request,
    mut rows: Vec<Row<'_, T>>,
    name: &str,
    body: impl Fn(&Row<'_, T>) -> Value,
) -> Result<Value, Reply> {
    rows.sort_by_key(|row| row.id);
    match request.query("cursor") {
        Some(cursor) => rows.retain(|row| row.id > cursor),
        None => {
            if let Some(after) = request.query("updated_after") {
                let after: Timestamp = after.parse().map_err(|_| {
                    Reply::error(400, "invalid_argument: updated_after must be RFC 3339")
                })?;
                rows.retain(|row| row.updated > after);
            }
        }
    }
    let limit = request.query("limit").and_then(|n| n.parse().ok()).unwrap_or(LIMIT_MAX);
    let more = rows.len() > limit.clamp(1, LIMIT_MAX);
    rows.truncate(limit.clamp(1, LIMIT_MAX));
    let last = rows.last().map_or("", |row| row.id);
    let updated = rows.iter().map(|row| row.updated).max().map(rfc3339).unwrap_or_default();
    let bodies: Vec<Value> = rows.iter().map(body).collect();
    let mut value =
        json!({ "next_cursor": if more { last } else { "" }, "last_updated_at": updated });
    value[format!("{name}s")] = json!(bodies);
    value[format!("last_{name}_id")] = json!(last);
    Ok(value)
}

pub(crate) fn machines(call: &mut Call<'_>) -> Answer {
    let summary = call.request.flag("summary");
    let mut rows = Vec::new();
    for app in apps(call)? {
        let wanted = app.machines.iter().filter(|machine| selected(call.request, machine));
        rows.extend(wanted.map(|machine| Row {
            app,
            item: machine,
            id: &machine.id,
            updated: machine.updated_at,
        }));
    }
    let mut value = page(call.request, rows, "machine", |row| {
        let machine: &Machine = row.item;
        let mut body = json!({
            "id": machine.id, "app_name": row.app.name, "name": machine.name,
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
        body
    })?;
    value["error_regions"] = json!([]);
    Ok(Reply::json(value))
}

pub(crate) fn volumes(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let summary = request.flag("summary");
    let wanted = |key: &str, value: &str| {
        request.query(key).is_none_or(|csv| csv.split(',').any(|wanted| wanted == value))
    };
    let mut rows = Vec::new();
    for app in apps(call)? {
        let shown = app
            .volumes
            .iter()
            .filter(|volume| wanted("region", &volume.region) && wanted("state", &volume.state));
        rows.extend(shown.map(|volume| Row {
            app,
            item: volume,
            id: &volume.id,
            updated: volume.created_at,
        }));
    }
    let value = page(request, rows, "volume", |row| {
        let mut body = crate::mapi::volumes::shown(row.item, summary);
        body["app_name"] = json!(row.app.name);
        body["updated_at"] = json!(rfc3339_millis(row.updated));
        body
    })?;
    Ok(Reply::json(value))
}
