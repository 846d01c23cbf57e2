//! Apps.

use serde_json::{Value, json};

use crate::server::auth;
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{App, State};

pub(crate) fn body(state: &State, app: &App) -> Value {
    let org = state.org(&app.org);
    let live = app.machines.iter().filter(|machine| !machine.is_gone()).count();
    let mut value = json!({
        "id": app.id, "name": app.name, "internal_numeric_id": app.numeric_id,
        "network": app.network, "network_cidr": "fdaa:10:e286::/48", "status": app.status, "machine_count": live,
        "volume_count": app.volumes.len(),
        "organization": {
            "name": org.map(|o| o.name.as_str()), "slug": org.map(|o| o.slug.as_str()),
            "internal_numeric_id": org.map(|o| o.numeric_id),
        },
        "cname_target": format!("{}.{}", crate::state::ids::Ids::new(app.numeric_id.cast_unsigned()).hex(7), app.hostname()),
    });
    if let Some(role) = &app.role {
        value["app_role"] = json!(role);
    }
    value
}

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let Some(slug) = call.request.query("org_slug") else {
        return Err(Reply::error(400, "invalid_argument: org_slug is required"));
    };
    let Some(org) = call.state.org(slug) else {
        return Err(Reply::error(404, "organization not found"));
    };
    if !call.caller.may_see_org(&org.slug) {
        return Err(auth::forbidden());
    }
    let role = call.request.query("app_role");
    let apps: Vec<Value> = call
        .state
        .apps
        .values()
        .filter(|app| app.org == org.slug && role.is_none_or(|r| app.role.as_deref() == Some(r)))
        .map(|app| body(call.state, app))
        .collect();
    Ok(Reply::json(json!({ "total_apps": apps.len(), "apps": apps })))
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(body(call.state, call.app()?)))
}
