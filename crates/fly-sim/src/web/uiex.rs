//! Web REST: organizations and releases as flyctl reads them.

use serde_json::{Value, json};

use crate::server::auth;
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{App, Org, Release, rfc3339};

fn org_body(org: &Org) -> Value {
    json!({
        "id": org.id, "internal_numeric_id": org.numeric_id, "slug": org.slug,
        "raw_slug": org.slug, "name": org.name, "paid_plan": true,
        "personal": org.kind == "PERSONAL", "billing_status": "current", "billable": true,
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
