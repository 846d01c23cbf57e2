//! Apps.

use super::{WireTime, body, open_enum};
use crate::{AppName, OrgSlug};

open_enum! {
    /// Standing of an app: whether it was ever deployed, not whether it is healthy.
    AppStatus {
        Pending = "pending",
        Deployed = "deployed",
        Suspended = "suspended",
    }
}

body! {
    /// An app, as `GET /v1/apps/{app}` and the rows of `GET /v1/apps` show it.
    App {
        name: AppName;
        id: String,
        internal_numeric_id: i64,
        network: String,
        /// The app's 6PN network, e.g. `fdaa:10:e286::/48`.
        network_cidr: String,
        status: AppStatus,
        machine_count: i64,
        volume_count: i64,
        /// Rows of a list may lack it.
        organization: AppOrganization,
        cname_target: String,
        /// `postgres_cluster` marks unmanaged Postgres.
        app_role: String,
    }
}

body! {
    /// The organization of an app.
    AppOrganization {
        name: String,
        slug: OrgSlug,
        internal_numeric_id: i64,
    }
}

body! {
    /// Answer of `GET /v1/apps?org_slug=`.
    AppList {
        total_apps: i64,
        apps: Vec<App>,
    }
}

body! {
    /// Body of `POST /v1/apps`.
    CreateApp {
        name: String,
        org_slug: OrgSlug,
        network: String,
        enable_subdomains: bool,
        app_role_id: String,
    }
}

body! {
    /// Answer of `POST /v1/apps`: little more than an id.
    CreatedApp {
        id: String,
        name: AppName,
        /// Milliseconds since 1970.
        created_at: WireTime,
    }
}
