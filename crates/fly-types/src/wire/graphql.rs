//! The parts of GraphQL answers that REST has no equal for. The schema is internal to Fly.io and changes without
//! notice, so every field is optional here.

use serde_json::Value;

use super::{WireTime, body};

body! {
    /// The envelope of every GraphQL answer; the status is 200 for errors too.
    GraphQlReply {
        data: Value,
        errors: Vec<GraphQlError>,
    }
}

body! {
    /// One error of a GraphQL answer.
    GraphQlError {
        message: String,
        path: Vec<Value>,
        extensions: GraphQlExtensions,
    }
}

body! {
    /// Where an error says what kind it is: `UNAUTHORIZED`, `NOT_FOUND`, `UNCHANGED` and others.
    GraphQlExtensions {
        code: String,
    }
}

/// A list of nodes, with its place in a longer list.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(bound = "T: serde::Serialize + serde::de::DeserializeOwned")]
pub struct Connection<T> {
    /// Key `nodes`.
    #[serde(default, skip_serializing_if = "super::Field::is_absent")]
    pub nodes: super::Field<Vec<T>>,
    /// Key `pageInfo`.
    #[serde(default, skip_serializing_if = "super::Field::is_absent", rename = "pageInfo")]
    pub page_info: super::Field<PageInfo>,
    /// Keys that this library does not know.
    #[serde(flatten)]
    pub extra: super::Extra,
}

impl<T> super::Field<Connection<T>> {
    /// The nodes; none when the connection is absent, null or of another shape.
    pub fn nodes(&self) -> &[T] {
        self.get().map_or(&[], |connection| connection.nodes.items())
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// Place in a longer list.
    PageInfo {
        has_next_page: bool,
        end_cursor: String,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// An app as GraphQL shows it; which fields are present depends on the query.
    AppNode {
        id: String,
        internal_numeric_id: i64,
        name: String,
        hostname: String,
        app_url: String,
        cname_target: String,
        deployed: bool,
        network: String,
        /// PENDING, DEPLOYED, SUSPENDED, in either case.
        status: String,
        /// machines, detached or nomad.
        platform_version: String,
        organization: OrganizationNode,
        role: RoleNode,
        current_release: ReleaseNode,
        current_release_unprocessed: ReleaseNode,
        releases: Connection<ReleaseNode>,
        releases_unprocessed: Connection<ReleaseNode>,
        ip_addresses: Connection<IpNode>,
        shared_ip_address: String,
        egress_ip_addresses: Connection<EgressIpNode>,
        machines: Connection<MachineNode>,
        host_issues: Connection<HostIssue>,
        image_details: ImageDetails,
        latest_image_details: ImageDetails,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// An organization as GraphQL shows it.
    OrganizationNode {
        id: String,
        /// A text here, unlike in REST.
        internal_numeric_id: Value,
        slug: String,
        raw_slug: String,
        name: String,
        /// PERSONAL or SHARED.
        #[serde(rename = "type")]
        organization_type: String,
        paid_plan: bool,
        billable: bool,
        billing_status: String,
        viewer_role: String,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// An extension: a Redis, a bucket and so on.
    AddOnNode {
        id: String,
        name: String,
        primary_region: String,
        read_regions: Vec<String>,
        add_on_provider: AddOnProvider,
        /// The app that it was made for; many have none.
        app: AddOnApp,
    }
}

body! {
    /// Who provides an extension: `upstash_redis`, `tigris` and so on.
    AddOnProvider {
        name: String,
    }
}

body! {
    /// The app of an extension.
    AddOnApp {
        name: String,
    }
}

body! {
    /// Answer of the web API's `GET /organizations/{org}/postgres`.
    ManagedPostgresList {
        data: Vec<ManagedPostgres>,
    }
}

body! {
    /// A Managed Postgres cluster.
    ManagedPostgres {
        id: String,
        name: String,
        region: String,
        status: String,
        plan: String,
        /// In GB.
        disk: i64,
        attached_apps: Vec<AddOnApp>,
    }
}

body! {
    /// Role of an app, e.g. `postgres_cluster`.
    RoleNode {
        name: String,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// A release.
    ReleaseNode {
        id: String,
        version: i64,
        description: String,
        reason: String,
        status: String,
        image_ref: String,
        stable: bool,
        in_progress: bool,
        deployment_strategy: String,
        user: UserNode,
        created_at: WireTime,
    }
}

body! {
    /// Who made a release.
    UserNode {
        id: String,
        name: String,
        email: String,
    }
}

body! {
    /// Who asks: a user or a token.
    ViewerNode {
        id: String,
        email: String,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// An address with its kind.
    IpNode {
        id: String,
        address: String,
        /// v4, v6, private_v6, shared_v4.
        #[serde(rename = "type")]
        kind: String,
        region: String,
        created_at: WireTime,
        network: IpNodeNetwork,
        service_name: String,
    }
}

body! {
    /// The network of an address.
    IpNodeNetwork {
        name: String,
        organization: OrganizationNode,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// A Machine, for what only GraphQL knows of it: legacy egress addresses of its own.
    MachineNode {
        id: String,
        egress_ip_addresses: Connection<EgressIpNode>,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// A static egress address.
    EgressIpNode {
        id: String,
        ip: String,
        version: i64,
        region: String,
        updated_at: WireTime,
    }
}

body! {
    #[serde(rename_all = "camelCase")]
    /// Trouble of a single host that an app has Machines on. Not on the public status page.
    HostIssue {
        internal_id: String,
        message: String,
        created_at: WireTime,
        updated_at: WireTime,
        resolved_at: WireTime,
    }
}

body! {
    /// An image that the platform tracks.
    ImageDetails {
        registry: String,
        repository: String,
        tag: String,
        version: String,
        digest: String,
    }
}
