//! Mutations that flyctl and tools still send to GraphQL.

use serde_json::Value;

use super::app::ip_node;
use super::node::{Args, Context, GqlError, Node, Object};
use super::query::Found;
use crate::state::Ip;

pub(crate) fn field(context: &mut Context<'_>, name: &str, args: &Args) -> Found {
    let input = args.input();
    Ok(Some(match name {
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
        _ => return super::account::field(context, name, &input),
    }))
}

/// What every mutation answers, `clientMutationId` included.
pub(super) fn payload(mut fields: Vec<(&'static str, Node)>) -> Node {
    fields.push(("clientMutationId", Node::NULL));
    Node::record("Payload", fields)
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
