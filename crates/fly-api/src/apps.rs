//! Apps and what belongs to an app as a whole: secrets' names, certificates, addresses; tokens and regions.

use fly_types::wire::{
    App, AppList, CertificateDetail, CertificateList, CurrentTokens, IpAssignmentList, RegionList,
    SecretList,
};
use fly_types::{AppName, OrgSlug};

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// Certificates per page; the platform allows up to 500.
const CERTIFICATE_PAGE: &str = "100";

fn app_read(template: &'static str, app: &AppName, action: Action) -> Request {
    Request::get(Target::Machines, template, &[app.as_str()], action, app.as_str())
}

impl Client {
    /// The apps of an organization: `GET /v1/apps?org_slug=`. The parameter is required by the platform.
    pub async fn apps(&self, org: &OrgSlug) -> Result<Fetched<AppList>, ApiError> {
        let request =
            Request::get(Target::Machines, "/v1/apps", &[], Action::AppList, org.as_str())
                .query("org_slug", org.as_str());
        self.send(request).await
    }

    /// One app: `GET /v1/apps/{app}`. 404: the name is free; 403: another organization has it.
    pub async fn app(&self, app: &AppName) -> Result<Fetched<App>, ApiError> {
        self.send(app_read("/v1/apps/{app}", app, Action::AppGet)).await
    }

    /// Names and digests of the secrets, never values: `GET /v1/apps/{app}/secrets`.
    pub async fn secrets(&self, app: &AppName) -> Result<Fetched<SecretList>, ApiError> {
        self.send(app_read("/v1/apps/{app}/secrets", app, Action::SecretList)).await
    }

    /// Addresses: `GET /v1/apps/{app}/ip_assignments`.
    pub async fn ip_assignments(
        &self,
        app: &AppName,
    ) -> Result<Fetched<IpAssignmentList>, ApiError> {
        self.send(app_read("/v1/apps/{app}/ip_assignments", app, Action::IpList)).await
    }

    /// All certificates of an app, every page: `GET /v1/apps/{app}/certificates`.
    pub async fn certificates(&self, app: &AppName) -> Result<Fetched<CertificateList>, ApiError> {
        let mut cursor: Option<String> = None;
        let mut all: Option<Fetched<CertificateList>> = None;
        loop {
            let request = app_read("/v1/apps/{app}/certificates", app, Action::CertificateList)
                .query("limit", CERTIFICATE_PAGE)
                .maybe_query("cursor", cursor.as_deref());
            let mut page: Fetched<CertificateList> = self.send(request).await?;
            let next = page.value.next_cursor.text().map(str::to_owned);
            match &mut all {
                None => all = Some(page),
                Some(all) => {
                    if let (Some(into), Some(from)) =
                        (all.value.certificates.get_mut(), page.value.certificates.get_mut())
                    {
                        into.append(from);
                    }
                    all.calls.append(&mut page.calls);
                    all.body = page.body;
                }
            }
            // A cursor that does not move would loop for ever.
            if next.is_none() || next == cursor {
                break;
            }
            cursor = next;
        }
        // The loop runs at least once and only ends with a page in hand.
        match all {
            Some(all) => Ok(all),
            None => unreachable!("the first page was either stored or returned as an error"),
        }
    }

    /// One certificate in detail: `GET /v1/apps/{app}/certificates/{hostname}`.
    pub async fn certificate(
        &self,
        app: &AppName,
        host: &str,
    ) -> Result<Fetched<CertificateDetail>, ApiError> {
        let request = Request::get(
            Target::Machines,
            "/v1/apps/{app}/certificates/{hostname}",
            &[app.as_str(), host],
            Action::CertificateGet,
            host,
        );
        self.send(request).await
    }

    /// The platform's regions: `GET /v1/platform/regions`.
    pub async fn regions(&self) -> Result<Fetched<RegionList>, ApiError> {
        self.send(Request::get(
            Target::Machines,
            "/v1/platform/regions",
            &[],
            Action::RegionList,
            "",
        ))
        .await
    }

    /// What the token is and may do: `GET /v1/tokens/current`.
    pub async fn tokens_current(&self) -> Result<Fetched<CurrentTokens>, ApiError> {
        self.send(Request::get(
            Target::Machines,
            "/v1/tokens/current",
            &[],
            Action::TokenCurrent,
            "",
        ))
        .await
    }
}
