//! Mutations that flyctl and tools still send to GraphQL.

use serde_json::Value;

use super::app::ip_node;
use super::node::{Args, Context, GqlError, Node, Object};
use super::query::Found;
use crate::state::Ip;

pub(crate) fn field(context: &mut Context<'_>, name: &str, args: &Args) -> Found {
    let input = args.input();
    Ok(Some(match name {
        "createLimitedAccessToken" => create_token(context, &input)?,
        "deleteLimitedAccessToken" | "logOut" => payload(vec![("token", Node::leaf(""))]),
        "allocateIpAddress" => allocate(context, &input)?,
        "releaseIpAddress" => release(context, &input)?,
        "validateWireGuardPeers" => payload(vec![("invalidPeerIps", Node::List(vec![]))]),
        "removeWireGuardPeer" => payload(vec![("organization", Node::NULL)]),
        "enablePostgresConsul" => {
            let url = "https://:sim@consul-fra.fly-shared.net/demo-sim/";
            payload(vec![("consulUrl", Node::leaf(url))])
        }
        "issueCertificate" => payload(vec![
            ("certificate", Node::leaf("ssh-ed25519-cert-v01@openssh.com AAAA sim")),
            ("key", Node::leaf("")),
        ]),
        "lockApp" => payload(vec![
            ("lockId", Node::leaf(context.state.ids.opaque())),
            ("expiration", Node::NULL),
        ]),
        "unlockApp" => payload(vec![("app", Node::NULL)]),
        _ => return Ok(None),
    }))
}

fn payload(mut fields: Vec<(&'static str, Node)>) -> Node {
    fields.push(("clientMutationId", Node::NULL));
    Node::record("Payload", fields)
}

fn create_token(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let org_id = input.text("organizationId").unwrap_or_default();
    if !context.state.orgs.iter().any(|org| org.id == org_id) {
        return Err(GqlError::not_found("Organization"));
    }
    let secret = context.state.ids.hex(40);
    let fields = vec![
        ("id", Node::leaf(context.state.ids.opaque())),
        ("name", Node::leaf(input.text("name").unwrap_or_default())),
        ("tokenHeader", Node::leaf(format!("FlyV1 fm2_{secret}"))),
    ];
    Ok(payload(vec![("limitedAccessToken", Node::record("LimitedAccessToken", fields))]))
}

fn allocate(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let app = context.app_with_id(input.text("appId").unwrap_or_default())?;
    let kind = input.text("type").unwrap_or_default().to_owned();
    let region = input.text("region").filter(|region| !region.is_empty()).unwrap_or("global");
    let ip = crate::mapi::ips::new_ip(context.state, &kind, region)
        .ok_or_else(|| GqlError::invalid(format!("invalid address type '{kind}'")))?;
    let node = add(context, &app, ip)?;
    Ok(payload(vec![("ipAddress", node), ("app", Node::Object(Object::App(app)))]))
}

fn add(context: &mut Context<'_>, app: &str, ip: Ip) -> Result<Node, GqlError> {
    let app = context.state.apps.get_mut(app).ok_or_else(|| GqlError::not_found("App"))?;
    app.ips.push(ip);
    Ok(app.ips.last().map_or(Node::NULL, |ip| ip_node(app, ip)))
}

fn release(context: &mut Context<'_>, input: &Args) -> Result<Node, GqlError> {
    let app = context.app_with_id(input.text("appId").unwrap_or_default())?;
    let wanted = input.text("ip").or(input.text("ipAddressId")).unwrap_or_default().to_owned();
    let found = context.state.apps.get_mut(&app).is_some_and(|app| {
        let before = app.ips.len();
        app.ips.retain(|ip| ip.address != wanted && ip.id != wanted);
        app.ips.len() < before
    });
    if !found {
        return Err(GqlError::not_found("IPAddress"));
    }
    Ok(payload(vec![("app", Node::Leaf(Value::Null))]))
}
