//! Root queries and organizations.

use fly_types::region;
use serde_json::json;

use super::node::{Args, Context, GqlError, Node, Object};
use crate::server::auth::Caller;

pub(crate) type Found = Result<Option<Node>, GqlError>;

pub(crate) fn field(context: &mut Context<'_>, name: &str, args: &Args) -> Found {
    Ok(Some(match name {
        "viewer" => viewer(context),
        "organizations" => {
            let mut slugs = context.state.orgs.iter().map(|org| org.slug.clone());
            let seen = slugs.by_ref().filter(|slug| context.caller.may_see_org(slug));
            let nodes = seen.map(|slug| Node::Object(Object::Org(slug))).collect();
            Node::connection("OrganizationConnection", nodes)
        }
        "organization" => {
            let wanted = args.text("slug").unwrap_or_default();
            let by_id = |id: &str| context.state.orgs.iter().find(|org| org.id == id);
            let org = context.state.org(wanted).or_else(|| by_id(args.text("id")?));
            let org = org.filter(|org| context.caller.may_see_org(&org.slug));
            let org = org.ok_or_else(|| GqlError::not_found("Organization"))?;
            Node::Object(Object::Org(org.slug.clone()))
        }
        "app" => {
            let app = match (args.text("name"), args.text("id")) {
                (Some(name), _) => context.app(name)?.name.clone(),
                (None, Some(id)) => context.app_with_id(id)?,
                (None, None) => return Err(GqlError::not_found("App")),
            };
            Node::Object(Object::App(app))
        }
        "apps" => apps(context, args),
        "machine" => {
            let id = args.text("machineId").unwrap_or_default();
            let app = context.state.apps.values().find(|app| app.machine(id).is_some());
            let app = app.ok_or_else(|| GqlError::not_found("Machine"))?.name.clone();
            context.app(&app)?;
            Node::Object(Object::Machine(app, id.to_owned()))
        }
        "volume" | "node" => volume(context, args.text("id").unwrap_or_default())?,
        "platform" => platform(),
        "nearestRegion" => region_node(&region::CURRENT[6]),
        "latestImageDetails" => {
            let image = args.text("image").unwrap_or_default();
            let repository = image.split('@').next().unwrap_or_default();
            return Err(GqlError {
                message: format!("Unknown repository '{repository}'"),
                code: "NOT_FOUND",
            });
        }
        "latestImageTag" => {
            let repository = args.text("repository").unwrap_or_default();
            Node::leaf(format!("{repository}:17.2"))
        }
        "canPerformBluegreenDeployment" => Node::leaf(true),
        "appNameAvailable" => {
            let wanted = args.text("name").unwrap_or_default();
            Node::leaf(!context.state.apps.contains_key(wanted))
        }
        "postgresAttachments" => Node::connection("PostgresClusterAttachmentConnection", vec![]),
        "addOns" => Node::connection("AddOnConnection", vec![]),
        _ => return Ok(None),
    }))
}

fn viewer(context: &Context<'_>) -> Node {
    let email = match context.caller {
        Caller::Known(token) => {
            token.user.clone().unwrap_or_else(|| format!("{}@tokens.fly.io", token.id))
        }
        Caller::Anyone => context.state.viewer.clone(),
    };
    let fields = vec![
        ("id", Node::leaf("sim0viewer0000001")),
        ("email", Node::leaf(email)),
        ("name", Node::leaf("Example Person")),
        ("enablePaidHobby", Node::leaf(true)),
    ];
    Node::record("User", fields)
}

fn apps(context: &Context<'_>, args: &Args) -> Node {
    let org = args.text("organizationId");
    let org = org.and_then(|id| context.state.orgs.iter().find(|org| org.id == id));
    let role = args.text("role");
    let after = args.text("after").unwrap_or_default();
    let first = args.number("first").unwrap_or(200).clamp(1, 200);
    let mut names: Vec<&str> = context
        .state
        .apps
        .values()
        .filter(|app| context.caller.may_see_app(&app.org, &app.name))
        .filter(|app| org.is_none_or(|org| org.slug == app.org))
        .filter(|app| role.is_none_or(|role| app.role.as_deref() == Some(role)))
        .map(|app| app.name.as_str())
        .filter(|name| *name > after)
        .collect();
    let more = names.len() > first;
    names.truncate(first);
    let end = names.last().map(|name| (*name).to_owned()).unwrap_or_default();
    let nodes = names.into_iter().map(|name| Node::Object(Object::App(name.to_owned()))).collect();
    Node::page("AppConnection", nodes, more, end)
}

fn volume(context: &Context<'_>, id: &str) -> Result<Node, GqlError> {
    let app = context.state.apps.values().find(|app| app.volume(id).is_some());
    let app = app.ok_or_else(|| GqlError::not_found("Volume"))?;
    context.app(&app.name)?;
    let state = app.volume(id).map(|volume| volume.state.clone()).unwrap_or_default();
    Ok(Node::record(
        "Volume",
        vec![
            ("id", Node::leaf(id)),
            ("state", Node::leaf(state)),
            ("app", Node::Object(Object::App(app.name.clone()))),
        ],
    ))
}

fn region_node(region: &region::RegionInfo) -> Node {
    Node::record(
        "Region",
        vec![
            ("code", Node::leaf(region.code)),
            ("name", Node::leaf(region.name)),
            ("latitude", Node::leaf(region.latitude)),
            ("longitude", Node::leaf(region.longitude)),
            ("gatewayAvailable", Node::leaf(region.gateway)),
            ("requiresPaidPlan", Node::leaf(false)),
            ("deprecated", Node::leaf(false)),
        ],
    )
}

fn platform() -> Node {
    let regions = region::CURRENT.iter().map(region_node).collect();
    let size = |name: &str, cores: u64, memory: u64, most: u64| {
        Node::record(
            "VMSize",
            vec![
                ("name", Node::leaf(name)),
                ("cpuCores", Node::leaf(cores)),
                ("memoryMb", Node::leaf(memory)),
                ("maxMemoryMb", Node::leaf(most)),
            ],
        )
    };
    let sizes = vec![
        size("shared-cpu-1x", 1, 256, 2048),
        size("shared-cpu-2x", 2, 512, 4096),
        size("performance-1x", 1, 2048, 8192),
    ];
    Node::record(
        "PlatformData",
        vec![
            ("requestRegion", Node::leaf("fra")),
            ("regions", Node::List(regions)),
            ("vmSizes", Node::List(sizes)),
        ],
    )
}

pub(crate) fn org_field(context: &Context<'_>, slug: &str, name: &str) -> Found {
    let org = context.state.org(slug).ok_or_else(|| GqlError::not_found("Organization"))?;
    Ok(Some(match name {
        "id" => Node::leaf(org.id.as_str()),
        // A string here, a number on apps and in REST: clients decode each as such.
        "internalNumericId" => Node::leaf(org.numeric_id.to_string()),
        "slug" | "rawSlug" => Node::leaf(org.slug.as_str()),
        "name" => Node::leaf(org.name.as_str()),
        "type" => Node::leaf(org.kind.as_str()),
        "paidPlan" | "billable" | "isCreditCardSaved" => Node::leaf(!org.trial),
        "billingStatus" => Node::leaf(if org.trial { "TRIAL_ACTIVE" } else { "CURRENT" }),
        "viewerRole" => Node::leaf("admin"),
        "settings" => Node::leaf(json!({})),
        "remoteBuilderImage" | "addOnSsoLink" | "extensionSsoLink" => Node::leaf(""),
        "provisionsBetaExtensions" => Node::leaf(false),
        "remoteBuilderApp" | "limitedAccessToken" => Node::NULL,
        "wireGuardPeers" => Node::connection("WireGuardPeerConnection", vec![]),
        "addOns" => Node::connection("AddOnConnection", add_ons(org)),
        "limitedAccessTokens" => super::account::tokens(context, &org.slug, None),
        "invitations" => Node::connection("OrganizationInvitationConnection", vec![]),
        "apps" => {
            let apps = context.state.apps.values().filter(|app| app.org == org.slug);
            let nodes = apps.map(|app| Node::Object(Object::App(app.name.clone()))).collect();
            Node::connection("AppConnection", nodes)
        }
        "members" => members(org),
        _ => return Ok(None),
    }))
}

fn add_ons(org: &crate::state::Org) -> Vec<Node> {
    let node = |(number, one): (usize, &crate::world::file::AddOnFile)| {
        let named = |kind, name: &str| Node::record(kind, vec![("name", Node::leaf(name))]);
        Node::record(
            "AddOn",
            vec![
                ("id", Node::leaf(format!("sim0addon{number:07}"))),
                ("name", Node::leaf(one.name.as_str())),
                ("primaryRegion", one.region.as_deref().map_or(Node::NULL, Node::leaf)),
                (
                    "readRegions",
                    Node::List(
                        one.read_regions.iter().map(|code| Node::leaf(code.as_str())).collect(),
                    ),
                ),
                ("addOnProvider", named("AddOnProvider", &one.provider)),
                ("app", one.app.as_deref().map_or(Node::NULL, |app| named("App", app))),
            ],
        )
    };
    org.add_ons.iter().enumerate().map(node).collect()
}

fn members(org: &crate::state::Org) -> Node {
    let edges = org.members.iter().enumerate().map(|(index, (name, email, role))| {
        let node = Node::record(
            "User",
            vec![
                ("id", Node::leaf(format!("sim0user{index:08}"))),
                ("name", Node::leaf(name.as_str())),
                ("email", Node::leaf(email.as_str())),
            ],
        );
        Node::record(
            "OrganizationMembershipsEdge",
            vec![
                ("cursor", Node::leaf(index.to_string())),
                ("node", node),
                ("role", Node::leaf(role.as_str())),
                ("joinedAt", Node::leaf("2024-01-02T03:04:05Z")),
            ],
        )
    });
    let edges = edges.collect();
    Node::record("OrganizationMembershipsConnection", vec![("edges", Node::List(edges))])
}
