//! Web REST: organizations and releases as flyctl reads them.

use serde_json::{Value, json};

use crate::server::auth;
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{App, Org, Release, rfc3339};

fn org_body(org: &Org) -> Value {
    json!({
        "id": org.id, "internal_numeric_id": org.numeric_id, "slug": org.slug,
        "raw_slug": org.slug, "name": org.name, "paid_plan": !org.trial,
        "personal": org.kind == "PERSONAL", "billing_status": if org.trial { "trial_active" } else { "current" }, "billable": !org.trial,
        "provisions_beta_extensions": false, "remote_builder_image": "",
    })
}

pub(crate) fn release_body(release: &Release) -> Value {
    json!({
        "id": release.id, "version": release.version, "stable": release.stable,
        "in_progress": release.in_progress, "status": release.status,
        "strategy": release.strategy, "user": release.user, "created_at": rfc3339(release.at),
        "image_ref": release.image,
    })
}

pub(crate) fn organizations(call: &mut Call<'_>) -> Answer {
    let orgs: Vec<Value> = call
        .state
        .orgs
        .iter()
        .filter(|org| call.caller.may_see_org(&org.slug))
        .map(org_body)
        .collect();
    Ok(Reply::json(json!({ "organizations": orgs })))
}

pub(crate) fn organization(call: &mut Call<'_>) -> Answer {
    let Some(org) = call.state.org(call.request.param("org")) else {
        return Err(Reply::error(404, "organization not found"));
    };
    if !call.caller.may_see_org(&org.slug) {
        return Err(auth::forbidden());
    }
    Ok(Reply::json(json!({ "organization": org_body(org) })))
}

/// Managed Postgres clusters, as flyctl's `mpg list` reads them.
pub(crate) fn postgres(call: &mut Call<'_>) -> Answer {
    let Some(org) = call.state.org(call.request.param("org")) else {
        return Err(Reply::error(404, "organization not found"));
    };
    if !call.caller.may_see_org(&org.slug) {
        return Err(auth::forbidden());
    }
    let cluster = |one: &crate::world::file::ClusterFile| {
        let apps: Vec<Value> =
            one.apps.iter().map(|name| json!({ "name": name, "id": name })).collect();
        json!({
            "id": one.id, "name": one.name, "region": one.region, "status": "ready",
            "plan": "basic", "disk": 10, "replicas": 1, "attached_apps": apps, "version": 2,
        })
    };
    let data: Vec<Value> = org.postgres.iter().map(cluster).collect();
    Ok(Reply::json(json!({ "data": data })))
}

pub(crate) fn app<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a App, Reply> {
    call.state
        .apps
        .get(name)
        .filter(|app| call.caller.may_see_app(&app.org, &app.name))
        .ok_or_else(|| Reply::error(404, "app not found"))
}

pub(crate) fn releases(call: &mut Call<'_>) -> Answer {
    let limit = call.request.query("limit").and_then(|n| n.parse().ok()).unwrap_or(25);
    let app = app(call, call.request.param("app"))?;
    let mut releases: Vec<&Release> = app.releases.iter().collect();
    releases.sort_by_key(|release| std::cmp::Reverse(release.version));
    let bodies: Vec<Value> = releases.into_iter().take(limit).map(release_body).collect();
    Ok(Reply::json(json!({ "releases": bodies })))
}

pub(crate) fn current_release(call: &mut Call<'_>) -> Answer {
    let app = app(call, call.request.param("app"))?;
    match app.current_release() {
        Some(release) => Ok(Reply::json(release_body(release))),
        None => Err(Reply::error(404, "not_found")),
    }
}

/// The body of a web request: JSON, or an empty object.
fn body(call: &Call<'_>) -> Result<Value, Reply> {
    call.request.json_or_empty()
}

pub(crate) fn create_release(call: &mut Call<'_>) -> Answer {
    let body = body(call)?;
    let name = body["app_name"].as_str().unwrap_or_default().to_owned();
    app(call, &name)?;
    let (id, at, user) = (call.state.ids.opaque(), call.state.now, call.state.viewer.clone());
    let Some(app) = call.state.apps.get_mut(&name) else {
        return Err(Reply::error(404, "app not found"));
    };
    let release = Release {
        id,
        version: app.current_release().map_or(1, |release| release.version + 1),
        status: "pending".to_owned(),
        at,
        image: body["image"].as_str().unwrap_or_default().to_owned(),
        description: "Release".to_owned(),
        reason: String::new(),
        user,
        stable: false,
        in_progress: true,
        strategy: body["strategy"].as_str().unwrap_or("ROLLING").to_lowercase(),
        definition: body.get("definition").cloned().filter(|value| !value.is_null()),
    };
    let answer = json!({ "release": release_body(&release) });
    app.releases.push(release);
    Ok(Reply::json(answer).with_status(201))
}

pub(crate) fn update_release(call: &mut Call<'_>) -> Answer {
    let body = body(call)?;
    let id = call.request.param("release");
    let mut releases = call.state.apps.values_mut().flat_map(|app| &mut app.releases);
    let release = releases.find(|release| release.id == id);
    let release = release.ok_or_else(|| Reply::error(404, "release not found"))?;
    if let Some(status) = body["status"].as_str() {
        status.clone_into(&mut release.status);
        release.in_progress = matches!(status, "pending" | "running");
        release.stable = status == "complete";
    }
    Ok(Reply::json(release_body(release)))
}

pub(crate) fn create_build(call: &mut Call<'_>) -> Answer {
    body(call)?;
    call.state.builds += 1;
    let id = call.state.builds;
    Ok(Reply::json(json!({ "id": id, "status": "started", "wallclock_time_ms": 0 })))
}

pub(crate) fn finish_build(call: &mut Call<'_>) -> Answer {
    let body = body(call)?;
    let status = body["status"].as_str().unwrap_or("completed");
    Ok(Reply::json(json!({
        "id": body["build_id"].as_i64().unwrap_or(0), "status": status, "wallclock_time_ms": 1200,
    })))
}

/// An egress address of a Machine becomes one of the app, in the same region.
pub(crate) fn promote_egress(call: &mut Call<'_>) -> Answer {
    let (name, address) =
        (call.request.param("app").to_owned(), call.request.param("ip").to_owned());
    app(call, &name)?;
    let ips = call.state.apps.get_mut(&name).into_iter().flat_map(|app| &mut app.ips);
    let ip = ips.into_iter().find(|ip| ip.address == address && ip.machine.is_some());
    let ip = ip.ok_or_else(|| Reply::error(404, "egress ip not found"))?;
    ip.machine = None;
    Ok(Reply::empty(204))
}
