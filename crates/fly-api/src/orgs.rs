//! Lists over a whole organization, page by page.

use fly_types::OrgSlug;
use fly_types::wire::{OrgMachineList, OrgVolumeList};
use jiff::Timestamp;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// What an organization-wide list contains, and where it goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrgQuery {
    /// Where to go on; wins over `updated_after`.
    pub cursor: Option<String>,
    /// Only what changed since; use an overlap, the lists are snapshots.
    pub updated_after: Option<Timestamp>,
    /// Destroyed ones too.
    pub include_deleted: bool,
    /// Rows per page, at most 1000; advisory.
    pub limit: Option<u32>,
}

fn list(template: &'static str, org: &OrgSlug, action: Action, query: &OrgQuery) -> Request {
    Request::get(Target::Machines, template, &[org.as_str()], action, org.as_str())
        .maybe_query("cursor", query.cursor.as_deref())
        .maybe_query("updated_after", query.updated_after.map(|at| at.to_string()))
        .maybe_query("include_deleted", query.include_deleted.then_some("true"))
        .maybe_query("limit", query.limit.map(|limit| limit.min(1000).to_string()))
}

impl Client {
    /// One page of an organization's Machines. Pages may be short or empty before the end, which is an empty cursor;
    /// `error_regions` names regions that did not answer, so the list is incomplete there.
    pub async fn org_machines(
        &self,
        org: &OrgSlug,
        query: &OrgQuery,
    ) -> Result<Fetched<OrgMachineList>, ApiError> {
        self.send(list("/v1/orgs/{org}/machines", org, Action::OrgMachineList, query)).await
    }

    /// One page of an organization's volumes.
    pub async fn org_volumes(
        &self,
        org: &OrgSlug,
        query: &OrgQuery,
    ) -> Result<Fetched<OrgVolumeList>, ApiError> {
        self.send(list("/v1/orgs/{org}/volumes", org, Action::OrgVolumeList, query)).await
    }
}
