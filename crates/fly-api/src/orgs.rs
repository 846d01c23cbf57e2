//! Lists over a whole organization, page by page.

use fly_types::OrgSlug;
use fly_types::wire::{Field, OrgMachine, OrgMachineList, OrgVolumeList, Volume};
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

    /// All of an organization's Machines, page after page. Rows are as the pages gave them; `error_regions` are those of
    /// every page: where there are any, the list is incomplete.
    pub async fn org_machines_all(
        &self,
        org: &OrgSlug,
        query: &OrgQuery,
    ) -> Result<Fetched<OrgRows<OrgMachine>>, ApiError> {
        let (mut query, mut rows, mut calls) = (query.clone(), OrgRows::default(), Vec::new());
        loop {
            let page = self.org_machines(org, &query).await?;
            let next = page.value.next_cursor.text().map(str::to_owned);
            rows.add(page.value.machines, page.value.error_regions);
            calls.extend(page.calls);
            // A cursor that does not move would loop for ever.
            if next.is_none() || next == query.cursor {
                return Ok(Fetched { value: rows, body: page.body, calls });
            }
            query.cursor = next;
        }
    }

    /// All of an organization's volumes, like [`Client::org_machines_all`].
    pub async fn org_volumes_all(
        &self,
        org: &OrgSlug,
        query: &OrgQuery,
    ) -> Result<Fetched<OrgRows<Volume>>, ApiError> {
        let (mut query, mut rows, mut calls) = (query.clone(), OrgRows::default(), Vec::new());
        loop {
            let page = self.org_volumes(org, &query).await?;
            let next = page.value.next_cursor.text().map(str::to_owned);
            rows.add(page.value.volumes, page.value.error_regions);
            calls.extend(page.calls);
            if next.is_none() || next == query.cursor {
                return Ok(Fetched { value: rows, body: page.body, calls });
            }
            query.cursor = next;
        }
    }
}

/// The rows of all pages of an organization-wide list.
#[derive(Debug, Clone, PartialEq)]
pub struct OrgRows<T> {
    /// The rows, in the order in which they came.
    pub rows: Vec<T>,
    /// Regions that could not be asked: the list lacks what is there.
    pub error_regions: Vec<String>,
}

impl<T> Default for OrgRows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), error_regions: Vec::new() }
    }
}

impl<T> OrgRows<T> {
    fn add(&mut self, rows: Field<Vec<T>>, error_regions: Field<Vec<String>>) {
        self.rows.extend(rows.into_value().unwrap_or_default());
        for region in error_regions.into_value().unwrap_or_default() {
            if !self.error_regions.contains(&region) {
                self.error_regions.push(region);
            }
        }
    }
}
