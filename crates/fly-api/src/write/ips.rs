//! Addresses of an app, allocated and released; egress addresses too.

use std::net::IpAddr;

use fly_types::wire::{CreateIp, IpAssignment, IpKind};
use fly_types::{AppName, OrgSlug, RegionCode};
use http::Method;
use serde_json::Value;

use super::create::some;
use super::error::{Context, Reason, WriteError};
use super::machines::done;
use super::{Writer, once};
use crate::call::{CallRecord, Fetched};
use crate::error::ApiError;
use crate::request::{Action, Class, Request, Target};

const ALL: &str = "/v1/apps/{app}/ip_assignments";

/// An address to allocate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIp {
    /// Which kind. A dedicated v4 and every egress address cost money.
    pub kind: IpKind,
    /// For egress addresses: whose Machines use it. Otherwise where it is announced; none: everywhere.
    pub region: Option<RegionCode>,
    /// For a private address: the organization that may reach it.
    pub org: Option<OrgSlug>,
    /// For a private address: the network in which it is.
    pub network: Option<String>,
}

impl NewIp {
    /// An address of a kind, everywhere.
    pub fn new(kind: IpKind) -> Self {
        Self { kind, region: None, org: None, network: None }
    }

    /// An address of a kind for a region.
    pub fn in_region(kind: IpKind, region: RegionCode) -> Self {
        Self { region: Some(region), ..Self::new(kind) }
    }

    fn fits(&self, ip: &IpAssignment) -> bool {
        let kind = ip.kind();
        let kind_fits = match (&self.kind, &kind) {
            (IpKind::EgressPair, Some(IpKind::EgressV4 | IpKind::EgressV6)) => true,
            // Lists of the older revision do not say that an address is for egress.
            (IpKind::EgressV4, Some(IpKind::V4)) | (IpKind::EgressV6, Some(IpKind::V6)) => {
                ip.egress.is_absent()
            }
            (wanted, found) => found.as_ref() == Some(wanted),
        };
        let region = self.region.as_ref().map(RegionCode::as_str);
        kind_fits && region.is_none_or(|region| ip.region.text() == Some(region))
    }
}

/// Addresses that exist now because of this request.
#[derive(Debug, Clone)]
pub struct AllocatedIp {
    /// The answer. Of a pair, `ip_pair` has the addresses.
    pub assignment: IpAssignment,
    /// The answer was lost and it was found in the list.
    pub found: bool,
    /// The calls it took.
    pub calls: Vec<CallRecord>,
}

fn allocate_request(app: &AppName, new: &NewIp) -> Request {
    let body = CreateIp {
        kind: new.kind.clone().into(),
        region: some(new.region.as_ref().map(ToString::to_string)),
        org_slug: some(new.org.as_ref().map(ToString::to_string)),
        network: some(new.network.clone()),
        ..CreateIp::default()
    };
    Request::new(
        Method::POST,
        Target::Machines,
        ALL,
        &[app.as_str()],
        Class::Unsafe,
        Action::IpCreate,
        app.as_str(),
    )
    .json(&body)
}

impl Writer {
    /// Allocates an address: `POST …/ip_assignments`; egress kinds as well. When the answer is lost, an address of this
    /// kind and region that was not in the list before is taken for it, as with [`Writer::create_volume`]. For a lost pair
    /// both addresses come back, as [`Reason::Ambiguous`].
    pub async fn allocate_ip(&self, app: &AppName, new: &NewIp) -> Result<AllocatedIp, WriteError> {
        let place = new.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        let context = Context {
            region: new.region.as_ref().map(ToString::to_string),
            ..Context::new(format!("allocate a {} address for app {app}{place}", new.kind))
        };
        let request = allocate_request(app, new);
        let _turn = self.client.turn(app.as_str()).await;
        let made = once::once(
            context.clone(),
            self.look_for,
            || self.ip_list(app),
            |ip| ip.ip.text().unwrap_or_default().to_owned(),
            |ip| new.fits(ip),
            || self.act::<IpAssignment>(request.clone(), context.clone()),
        )
        .await?;
        Ok(AllocatedIp { assignment: made.value, found: made.found, calls: made.calls })
    }

    async fn ip_list(&self, app: &AppName) -> Result<Fetched<Vec<IpAssignment>>, ApiError> {
        let list = self.client.ip_assignments(app).await?;
        Ok(list.map(|list| list.ips.into_value().unwrap_or_default()))
    }

    /// Gives an address back: `DELETE …/ip_assignments/{ip}`. It is lost for good. One that is not there is released.
    pub async fn release_ip(
        &self,
        app: &AppName,
        address: &IpAddr,
    ) -> Result<Fetched<Value>, WriteError> {
        let ip = address.to_string();
        let request = Request::new(
            Method::DELETE,
            Target::Machines,
            "/v1/apps/{app}/ip_assignments/{ip}",
            &[app.as_str(), &ip],
            Class::Idempotent,
            Action::IpDelete,
            ip.as_str(),
        );
        let context = Context::new(format!("release address {ip} of app {app}"));
        match self.act(request, context).await {
            Err(error) if error.reason == Reason::NotFound && !error.says("app") => {
                Ok(done(error, Value::Null))
            }
            other => other,
        }
    }
}
