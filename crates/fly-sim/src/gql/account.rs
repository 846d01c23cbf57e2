//! Organizations, tokens and egress addresses, changed.

use serde_json::Value;

use super::mutation::payload;
use super::node::{Args, Context, GqlError, Node, Object};
use super::query::Found;
use crate::state::token::Issued;
use crate::state::{Org, rfc3339};

pub(crate) fn field(context: &mut Context<'_>, name: &str, input: &Args) -> Found {
    Ok(Some(match name {
        "createLimitedAccessToken" => create_token(context, input)?,
        "deleteLimitedAccessToken" => revoke(context, input),
        "logOut" => payload(vec![("ok", Node::leaf(true))]),
        "createOrganization" => create_org(context, input)?,
        "deleteOrganization" => delete_org(context, input)?,
        "createOrganizationInvitation" => invite(context, input)?,
        "deleteOrganizationMembership" => remove_member(context, input)?,
        "moveApp" => move_app(context, input)?,
        "allocateEgressIpAddress" => allocate_egress(context, input)?,
        "releaseEgressIpAddress" => release_egress(context, input)?,
        _ => return Ok(None),
    }))
}

fn org<'a>(context: &'a Context<'_>, id: &str) -> Result<&'a Org, GqlError> {
    let org = context.state.orgs.iter().find(|org| org.id == id || org.slug == id);
    org.ok_or_else(|| GqlError::not_found("Organization"))
}

fn create_token(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let org = org(context, input.text("organizationId").unwrap_or_default())?.slug.clone();
    let params = input.0.get("profileParams");
    let app = params.and_then(|params| params["app_id"].as_str());
    let app = app.map(|id| context.app_with_id(id)).transpose()?;
    let profile = input.text("profile").unwrap_or_default().to_owned();
    if !matches!(profile.as_str(), "deploy" | "deploy_organization" | "litefs_cloud") {
        return Err(GqlError::invalid(format!("unknown profile '{profile}'")));
    }
    let (name, expiry) = (input.text("name").unwrap_or_default(), input.text("expiry"));
    let (issued, header) = context.state.issue_token(name, &profile, &org, app.as_deref(), expiry);
    let mut fields = token_fields(&issued);
    fields.push(("tokenHeader", Node::leaf(header)));
    Ok(payload(vec![("limitedAccessToken", Node::record("LimitedAccessToken", fields))]))
}

fn token_fields(token: &Issued) -> Vec<(&'static str, Node)> {
    let user = Node::record("User", vec![("email", Node::leaf(token.user.as_str()))]);
    vec![
        ("id", Node::leaf(token.id.as_str())),
        ("name", Node::leaf(token.name.as_str())),
        ("profile", Node::leaf(token.profile.as_str())),
        ("profileParams", Node::NULL),
        ("token", Node::leaf("")),
        ("createdAt", Node::leaf(rfc3339(token.at))),
        ("expiresAt", Node::leaf(rfc3339(token.expires))),
        ("revokedAt", Node::leaf(token.revoked.map(rfc3339))),
        ("user", user),
    ]
}

/// Tokens of an organization, or of one app.
pub(crate) fn tokens(context: &Context<'_>, org: &str, app: Option<&str>) -> Node {
    let known = context.state.issued.iter();
    let known = known.filter(|token| token.org == org && token.app.as_deref() == app);
    let nodes = known.map(|token| Node::record("LimitedAccessToken", token_fields(token)));
    Node::connection("LimitedAccessTokenConnection", nodes.collect())
}

fn revoke(context: &mut Context<'_>, input: &Args) -> Node {
    let id = input.text("id").unwrap_or_default();
    let now = context.state.now;
    context.state.issued.iter_mut().filter(|t| t.id == id).for_each(|t| t.revoked = Some(now));
    context.state.tokens.retain(|token| token.id != id);
    payload(vec![("token", Node::leaf(""))])
}

fn create_org(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let name = input.text("name").unwrap_or_default().to_owned();
    let slug: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    if slug.is_empty() || context.state.org(&slug).is_some() {
        return Err(GqlError::invalid("Validation failed: Name has already been taken"));
    }
    let viewer = context.state.viewer.clone();
    let made = Org {
        id: context.state.ids.opaque(),
        numeric_id: i64::try_from(context.state.ids.number() % 9_000_000).unwrap_or(0) + 1_000_000,
        slug: slug.clone(),
        name,
        kind: "SHARED".to_owned(),
        members: vec![("Example Person".to_owned(), viewer, "ADMIN".to_owned())],
        trial: false,
        memory_quota_mb: None,
        add_ons: Vec::new(),
        postgres: Vec::new(),
    };
    context.state.orgs.push(made);
    Ok(payload(vec![("organization", Node::Object(Object::Org(slug)))]))
}

fn delete_org(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let org = org(context, input.text("organizationId").unwrap_or_default())?;
    let (id, slug) = (org.id.clone(), org.slug.clone());
    if org.kind == "PERSONAL" || context.state.apps.values().any(|app| app.org == slug) {
        return Err(GqlError::invalid("Organization cannot be deleted"));
    }
    context.state.orgs.retain(|org| org.id != id);
    Ok(payload(vec![("deletedOrganizationId", Node::leaf(id))]))
}

fn invite(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let slug = org(context, input.text("organizationId").unwrap_or_default())?.slug.clone();
    let fields = vec![
        ("id", Node::leaf(context.state.ids.opaque())),
        ("email", Node::leaf(input.text("email").unwrap_or_default())),
        ("createdAt", Node::leaf(rfc3339(context.state.now))),
        ("redeemed", Node::leaf(false)),
        ("organization", Node::Object(Object::Org(slug))),
    ];
    Ok(payload(vec![("invitation", Node::record("OrganizationInvitation", fields))]))
}

fn remove_member(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let id = org(context, input.text("organizationId").unwrap_or_default())?.id.clone();
    let user = input.text("userId").unwrap_or_default().to_owned();
    let org = context.state.orgs.iter_mut().find(|org| org.id == id);
    let org = org.ok_or_else(|| GqlError::not_found("Organization"))?;
    let index = user.trim_start_matches("sim0user").parse::<usize>().ok();
    let index = index.filter(|index| *index < org.members.len());
    let (name, email, _) = org.members.remove(index.ok_or_else(|| GqlError::not_found("User"))?);
    let slug = org.slug.clone();
    let user = Node::record("User", vec![("name", Node::leaf(name)), ("email", Node::leaf(email))]);
    Ok(payload(vec![("organization", Node::Object(Object::Org(slug))), ("user", user)]))
}

fn move_app(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let app = context.app_with_id(input.text("appId").unwrap_or_default())?;
    let slug = org(context, input.text("organizationId").unwrap_or_default())?.slug.clone();
    if let Some(app) = context.state.apps.get_mut(&app) {
        app.org = slug;
    }
    Ok(payload(vec![("app", Node::Object(Object::App(app)))]))
}

/// A pair of addresses, of the app in a region or of one Machine.
fn allocate_egress(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let app = context.app_with_id(input.text("appId").unwrap_or_default())?;
    let machine = input.text("machineId").filter(|id| !id.is_empty()).map(str::to_owned);
    let region = match &machine {
        Some(id) => {
            let machine = context.app(&app)?.machine(id);
            machine.ok_or_else(|| GqlError::not_found("Machine"))?.region.clone()
        }
        None => input.text("region").unwrap_or_default().to_owned(),
    };
    if fly_types::region::find(&region).is_none() {
        return Err(GqlError::invalid(format!("unknown region '{region}'")));
    }
    let mut pair = Vec::new();
    for kind in ["egress_v4", "egress_v6"] {
        let ip = crate::mapi::ips::new_ip(context.state, kind, &region);
        let mut ip = ip.ok_or_else(|| GqlError::invalid("invalid address type"))?;
        ip.machine.clone_from(&machine);
        pair.push(ip.address.clone());
        if let Some(app) = context.state.apps.get_mut(&app) {
            app.ips.push(ip);
        }
    }
    Ok(payload(vec![("v4", Node::leaf(pair[0].as_str())), ("v6", Node::leaf(pair[1].as_str()))]))
}

/// Releases all addresses of a Machine, or one of the app.
fn release_egress(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let app = context.app_with_id(input.text("appId").unwrap_or_default())?;
    let machine = input.text("machineId").filter(|id| !id.is_empty());
    let ip = input.text("ip").filter(|ip| !ip.is_empty());
    let app = context.state.apps.get_mut(&app).ok_or_else(|| GqlError::not_found("App"))?;
    let wanted = |known: &crate::state::Ip| {
        known.kind.starts_with("egress_")
            && match (machine, ip) {
                (Some(machine), _) => known.machine.as_deref() == Some(machine),
                (None, Some(ip)) => known.address == ip,
                (None, None) => false,
            }
    };
    let (gone, kept): (Vec<_>, Vec<_>) = app.ips.drain(..).partition(wanted);
    app.ips = kept;
    if gone.is_empty() {
        return Err(GqlError::not_found("EgressIPAddress"));
    }
    let of = |kind: &str| {
        let found = gone.iter().find(|ip| ip.kind == kind).map(|ip| ip.address.clone());
        Node::leaf(found.map_or(Value::Null, Value::from))
    };
    Ok(payload(vec![("v4", of("egress_v4")), ("v6", of("egress_v6"))]))
}
