//! Apps and what hangs on them.

use serde_json::{Value, json};

use super::node::{Args, Context, GqlError, Node, Object};
use super::query::Found;
use crate::state::machine::ImageRef;
use crate::state::{App, Release, rfc3339};

pub(crate) fn field(context: &Context<'_>, app: &str, name: &str, args: &Args) -> Found {
    let app = context.app(app)?;
    Ok(Some(match name {
        "id" => Node::leaf(app.id.as_str()),
        "internalNumericId" => Node::leaf(app.numeric_id),
        "name" => Node::leaf(app.name.as_str()),
        "hostname" | "cnameTarget" => Node::leaf(app.hostname()),
        "appUrl" => Node::leaf(format!("https://{}", app.hostname())),
        "deployed" => Node::leaf(app.status == "deployed"),
        "status" => Node::leaf(app.status.as_str()),
        "state" => Node::leaf("DEPLOYED"),
        "network" if app.network == "default" => Node::leaf(""),
        "network" => Node::leaf(app.network.as_str()),
        "networkId" => Node::leaf(0),
        "platformVersion" => Node::leaf("machines"),
        "version" => Node::leaf(app.current_release().map_or(0, |release| release.version)),
        "organization" => Node::Object(Object::Org(app.org.clone())),
        "role" => app.role.as_deref().map_or(Node::NULL, |role| {
            Node::record("EmptyAppRole", vec![("name", Node::leaf(role))])
        }),
        "config" => {
            let definition = app.current_release().and_then(|release| release.definition.clone());
            Node::record(
                "AppConfig",
                vec![("definition", Node::leaf(definition.unwrap_or(json!({}))))],
            )
        }
        "services" | "backupRegions" | "regions" => Node::List(vec![]),
        "releases" | "releasesUnprocessed" => releases(app, args),
        "currentRelease" | "currentReleaseUnprocessed" => {
            app.current_release().map_or(Node::NULL, release_node)
        }
        "ipAddresses" => ip_addresses(app),
        "sharedIpAddress" => {
            let shared = app.ips.iter().find(|ip| ip.kind == "shared_v4");
            shared.map_or(Node::NULL, |ip| Node::leaf(ip.address.as_str()))
        }
        "egressIpAddresses" => egress_addresses(app, None),
        "hostIssues" => host_issues(context, app),
        "machines" => {
            let machines = app.machines.iter().filter(|machine| !machine.is_gone());
            let object = |id: &str| Node::Object(Object::Machine(app.name.clone(), id.to_owned()));
            let nodes = machines.map(|machine| object(&machine.id)).collect();
            Node::connection("MachineConnection", nodes)
        }
        "allocations" => allocations(app),
        "image" => image(args.text("ref").unwrap_or_default()),
        "imageDetails" => image_details(app),
        "latestImageDetails" | "currentLock" => Node::NULL,
        "imageUpgradeAvailable" => Node::leaf(false),
        "secrets" => {
            let one = |secret: &crate::state::Secret| {
                Node::record(
                    "Secret",
                    vec![
                        ("name", Node::leaf(secret.name.as_str())),
                        ("digest", Node::leaf(crate::mapi::secrets::digest(&secret.value))),
                        ("createdAt", Node::leaf(rfc3339(secret.at))),
                    ],
                )
            };
            Node::List(app.secrets.iter().map(one).collect())
        }
        "certificates" => certificates(app),
        "limitedAccessTokens" => super::account::tokens(context, &app.org, Some(&app.name)),
        "addOns" => Node::connection("AddOnConnection", vec![]),
        "volumes" => {
            let nodes = app.volumes.iter().map(|v| {
                Node::record(
                    "Volume",
                    vec![("id", Node::leaf(v.id.as_str())), ("name", Node::leaf(v.name.as_str()))],
                )
            });
            Node::connection("VolumeConnection", nodes.collect())
        }
        _ => return Ok(None),
    }))
}

fn releases(app: &App, args: &Args) -> Node {
    let status = args.text("status");
    let mut releases: Vec<&Release> = app
        .releases
        .iter()
        .filter(|release| status.is_none_or(|wanted| release.status == wanted))
        .collect();
    releases.sort_by_key(|release| std::cmp::Reverse(release.version));
    let first = args.number("first").unwrap_or(25);
    let more = releases.len() > first;
    let nodes = releases.into_iter().take(first).map(release_node).collect();
    Node::page("ReleaseConnection", nodes, more, String::new())
}

fn release_node(release: &Release) -> Node {
    let user = Node::record(
        "User",
        vec![
            ("id", Node::leaf("sim0user00000001")),
            ("email", Node::leaf(release.user.as_str())),
            ("name", Node::leaf("Example Person")),
        ],
    );
    Node::record(
        "ReleaseUnprocessed",
        vec![
            ("id", Node::leaf(release.id.as_str())),
            ("version", Node::leaf(release.version)),
            ("description", Node::leaf(release.description.as_str())),
            ("reason", Node::leaf(release.reason.as_str())),
            ("status", Node::leaf(release.status.as_str())),
            ("imageRef", Node::leaf(release.image.as_str())),
            ("stable", Node::leaf(release.stable)),
            ("inProgress", Node::leaf(release.in_progress)),
            ("deploymentStrategy", Node::leaf(release.strategy.to_uppercase())),
            ("evaluationId", Node::leaf("")),
            ("revertedTo", Node::NULL),
            ("metadata", Node::NULL),
            ("configDefinition", Node::leaf(release.definition.clone().unwrap_or(Value::Null))),
            ("user", user),
            ("createdAt", Node::leaf(rfc3339(release.at))),
        ],
    )
}

fn ip_addresses(app: &App) -> Node {
    let assigned = app
        .ips
        .iter()
        .filter(|ip| ip.kind != "shared_v4" && !ip.kind.starts_with("egress_"))
        .map(|ip| ip_node(app, ip));
    Node::connection("IPAddressConnection", assigned.collect())
}

pub(crate) fn ip_node(app: &App, ip: &crate::state::Ip) -> Node {
    let org = Node::record("Organization", vec![("slug", Node::leaf(app.org.as_str()))]);
    let network = Node::record(
        "Network",
        vec![("name", Node::leaf(app.network.as_str())), ("organization", org)],
    );
    Node::record(
        "IPAddress",
        vec![
            ("id", Node::leaf(ip.id.as_str())),
            ("address", Node::leaf(ip.address.as_str())),
            ("type", Node::leaf(ip.kind.as_str())),
            ("region", Node::leaf(ip.region.as_str())),
            ("createdAt", Node::leaf(rfc3339(ip.at))),
            ("network", if ip.kind == "private_v6" { network } else { Node::NULL }),
            ("serviceName", Node::NULL),
        ],
    )
}

/// Egress addresses of one Machine, or those of the app.
fn egress_addresses(app: &App, machine: Option<&str>) -> Node {
    let wanted =
        |ip: &&crate::state::Ip| ip.kind.starts_with("egress_") && ip.machine.as_deref() == machine;
    let egress = app.ips.iter().filter(wanted).map(|ip| {
        Node::record(
            "EgressIPAddress",
            vec![
                ("id", Node::leaf(ip.id.as_str())),
                ("ip", Node::leaf(ip.address.as_str())),
                ("version", Node::leaf(if ip.kind == "egress_v4" { 4 } else { 6 })),
                ("region", Node::leaf(ip.region.as_str())),
                ("updatedAt", Node::leaf(rfc3339(ip.at))),
            ],
        )
    });
    Node::connection("EgressIPAddressConnection", egress.collect())
}

fn host_issues(context: &Context<'_>, app: &App) -> Node {
    let now = context.state.now;
    let known = app.host_issues.iter().filter(|issue| issue.at <= now).map(|issue| {
        Node::record(
            "HostIssue",
            vec![
                ("internalId", Node::leaf(issue.id.as_str())),
                ("message", Node::leaf(issue.message.as_str())),
                ("createdAt", Node::leaf(rfc3339(issue.at))),
                ("updatedAt", Node::leaf(rfc3339(issue.resolved.unwrap_or(issue.at)))),
                ("resolvedAt", Node::leaf(issue.resolved.map(rfc3339))),
            ],
        )
    });
    Node::connection("HostIssueConnection", known.collect())
}

fn allocations(app: &App) -> Node {
    let live = app.machines.iter().filter(|machine| !machine.is_gone()).map(|machine| {
        Node::record(
            "Allocation",
            vec![
                ("id", Node::leaf(machine.id.as_str())),
                ("region", Node::leaf(machine.region.as_str())),
                ("privateIP", Node::leaf(machine.private_ip.as_str())),
            ],
        )
    });
    Node::List(live.collect())
}

fn image(reference: &str) -> Node {
    let image = ImageRef::parse(reference);
    let id = format!("img_{:016x}", crate::state::ids::mix(reference.len() as u64));
    Node::record(
        "Image",
        vec![
            ("id", Node::leaf(id)),
            ("digest", Node::leaf(image.digest)),
            ("ref", Node::leaf(reference)),
            ("tag", Node::leaf(image.tag)),
            ("compressedSize", Node::leaf("48123456")),
            ("compressedSizeFull", Node::leaf("48123456")),
            ("manifest", Node::leaf(json!({}))),
            ("config", Node::leaf(json!({}))),
        ],
    )
}

fn image_details(app: &App) -> Node {
    let Some(machine) = app.machines.first() else { return Node::NULL };
    let image = ImageRef::parse(machine.image());
    Node::record(
        "ImageVersion",
        vec![
            ("registry", Node::leaf(image.registry)),
            ("repository", Node::leaf(image.repository)),
            ("tag", Node::leaf(image.tag)),
            ("digest", Node::leaf(image.digest)),
            ("version", Node::leaf(machine.labels.get("fly.version").cloned())),
        ],
    )
}

fn certificates(app: &App) -> Node {
    let nodes = app.certificates.iter().map(|certificate| {
        Node::record(
            "AppCertificate",
            vec![
                ("hostname", Node::leaf(certificate.hostname.as_str())),
                ("createdAt", Node::leaf(rfc3339(certificate.at))),
                (
                    "clientStatus",
                    Node::leaf(if certificate.configured {
                        "Ready"
                    } else {
                        "Awaiting configuration"
                    }),
                ),
            ],
        )
    });
    Node::connection("AppCertificateConnection", nodes.collect())
}

pub(crate) fn machine_field(context: &Context<'_>, app: &str, id: &str, name: &str) -> Found {
    let app = context.app(app)?;
    let machine = app.machine(id).ok_or_else(|| GqlError::not_found("Machine"))?;
    Ok(Some(match name {
        "id" => Node::leaf(machine.id.as_str()),
        "name" => Node::leaf(machine.name.as_str()),
        "state" => Node::leaf(machine.state.as_str()),
        "region" => Node::leaf(machine.region.as_str()),
        "createdAt" => Node::leaf(rfc3339(machine.created_at)),
        "updatedAt" => Node::leaf(rfc3339(machine.updated_at)),
        "config" => Node::leaf(Value::Object(machine.config.clone())),
        "instanceId" => Node::leaf(machine.instance_id.as_str()),
        "app" => Node::Object(Object::App(app.name.clone())),
        "host" => Node::record("MachineHost", vec![("id", Node::leaf("host0001"))]),
        "egressIpAddresses" => egress_addresses(app, Some(id)),
        "ips" => {
            let ip = Node::record(
                "MachineIP",
                vec![
                    ("family", Node::leaf("v6")),
                    ("kind", Node::leaf("privatenet")),
                    ("ip", Node::leaf(machine.private_ip.as_str())),
                    ("maskSize", Node::leaf(112)),
                ],
            );
            Node::connection("MachineIPConnection", vec![ip])
        }
        _ => return Ok(None),
    }))
}
