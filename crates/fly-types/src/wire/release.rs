//! Releases and organizations as the web REST API shows them.

use super::{WireTime, body};

body! {
    /// A release.
    Release {
        id: String,
        version: i64,
        stable: bool,
        in_progress: bool,
        status: String,
        strategy: String,
        user: String,
        created_at: WireTime,
        image_ref: String,
    }
}

body! {
    /// Answer of `GET /api/v1/apps/{app}/releases`.
    ReleaseList {
        releases: Vec<Release>,
    }
}

body! {
    /// An organization.
    WebOrganization {
        id: String,
        internal_numeric_id: i64,
        slug: String,
        raw_slug: String,
        name: String,
        personal: bool,
        paid_plan: bool,
        billable: bool,
        billing_status: String,
    }
}

body! {
    /// Answer of `GET /api/v1/organizations`.
    WebOrganizationList {
        organizations: Vec<WebOrganization>,
    }
}

body! {
    /// Answer of `GET /api/v1/organizations/{slug}`.
    WebOrganizationAnswer {
        organization: WebOrganization,
    }
}
