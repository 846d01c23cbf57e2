//! What an organization has beside its apps: its standing, extensions, Managed Postgres clusters. Internal interfaces of flyctl's
//! own, which change without notice: every use is optional, and what cannot be read is unknown.

use fly_types::OrgSlug;
use fly_types::wire::{AddOnNode, ManagedPostgresList, OrganizationNode};
use serde_json::json;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

const STANDING: &str =
    "query($slug: String!) { organization(slug: $slug) { slug paidPlan billable billingStatus } }";
const ADD_ONS: &str = "query($slug: String!) { organization(slug: $slug) { addOns { nodes { id name primaryRegion readRegions \
    addOnProvider { name } app { name } } } } }";

impl Client {
    /// Whether an organization pays.
    pub async fn graphql_standing(
        &self,
        org: &OrgSlug,
    ) -> Result<Fetched<OrganizationNode>, ApiError> {
        let slug = json!({ "slug": org.as_str() });
        self.graphql_part(STANDING, "graphql standing", org.as_str(), &slug, &["organization"])
            .await
    }

    /// Extensions: Upstash Redis, Tigris buckets and others.
    pub async fn graphql_add_ons(
        &self,
        org: &OrgSlug,
    ) -> Result<Fetched<Vec<AddOnNode>>, ApiError> {
        let slug = json!({ "slug": org.as_str() });
        let path = ["organization", "addOns", "nodes"];
        self.graphql_part(ADD_ONS, "graphql add-ons", org.as_str(), &slug, &path).await
    }

    /// Managed Postgres clusters with the apps that are attached, as `fly mpg list` reads them.
    pub async fn managed_postgres(
        &self,
        org: &OrgSlug,
    ) -> Result<Fetched<ManagedPostgresList>, ApiError> {
        let template = "/api/v1/organizations/{org}/postgres";
        self.send(Request::get(Target::Web, template, &[org.as_str()], Action::Web, org.as_str()))
            .await
    }
}
