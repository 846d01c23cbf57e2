//! Static egress addresses: allocated in the target, waited for, confirmed by a person, and the old ones released at the very end.
//! An address has no mark: what is new in the list of its region since just before is ours.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_api::NewIp;
use fly_types::RegionCode;
use fly_types::wire::{IpAssignment, IpKind, WireTime};
use jiff::SignedDuration;
use runbook::approval::Permit;
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::kind::{Observed, StepKind};
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;
use crate::errors::{read_error, write_error};
use crate::platform::{LIST_LAG, Platform};

/// Name of the kind that allocates.
pub(crate) const ALLOCATE: &str = "allocate_egress";
/// Name of the kind that waits until they are in effect.
pub(crate) const SETTLED: &str = "egress_settled";
/// Name of the kind that asks whether they are allow-listed.
pub(crate) const ALLOWED: &str = "confirm_allow_list";
/// Name of the kind that gives the old ones back.
pub(crate) const RELEASE_EGRESS: &str = "release_egress";

const PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Allocate(pub(crate) Arc<Platform>);
pub(crate) struct Settled(pub(crate) Arc<Platform>);
pub(crate) struct Allowed(pub(crate) Arc<Platform>);
pub(crate) struct ReleaseEgress(pub(crate) Arc<Platform>);

async fn list(platform: &Platform) -> Result<Vec<IpAssignment>, StepError> {
    let found = platform.client.ip_assignments(&platform.app).await;
    let mut all =
        found.map_err(|error| read_error(&error))?.value.ips.into_value().unwrap_or_default();
    all.retain(|ip| matches!(ip.kind(), Some(IpKind::EgressV4 | IpKind::EgressV6)));
    Ok(all)
}

fn address(ip: &IpAssignment) -> String {
    ip.ip.text().unwrap_or_default().to_owned()
}

async fn release(platform: &Platform, permit: &Permit, address: &str) -> Result<(), StepError> {
    let parsed: IpAddr = address.parse().map_err(|_| {
        StepError::failed(format!("{address} of app {} is no address", platform.app))
    })?;
    let writer = platform.writer(permit);
    writer.release_ip(&platform.app, &parsed).await.map_err(|error| write_error(&error))?;
    while list(platform).await?.iter().any(|ip| ip.ip.text() == Some(address)) {
        platform.pause(PAUSE).await;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Params {
    region: RegionCode,
    /// `egress_v4`, `egress_v6`.
    kinds: Vec<IpKind>,
}

impl Allocate {
    /// Ours: in the region, and not there before.
    async fn ours(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Vec<IpAssignment>, StepError> {
        let Some(known) = cx.before().get("known") else { return Ok(Vec::new()) };
        let known = Vec::<String>::deserialize(known).unwrap_or_default();
        let mut all = list(&self.0).await?;
        all.retain(|ip| {
            ip.region.text() == Some(params.region.as_str()) && !known.contains(&address(ip))
        });
        Ok(all)
    }

    /// The same, but what was just made is looked for until lists must show it.
    async fn ours_for_long(
        &self,
        cx: &StepContext<'_>,
        params: &Params,
    ) -> Result<Vec<IpAssignment>, StepError> {
        loop {
            let ours = self.ours(cx, params).await?;
            let lag = SignedDuration::try_from(LIST_LAG).unwrap_or_default();
            let young = cx.began_at().is_some_and(|began| cx.now().duration_since(began) < lag);
            if missing(params, &ours).is_empty() || !young {
                return Ok(ours);
            }
            self.0.pause(PAUSE).await;
        }
    }
}

fn missing(params: &Params, ours: &[IpAssignment]) -> Vec<IpKind> {
    let there = |kind: &&IpKind| ours.iter().any(|ip| ip.kind().as_ref() == Some(*kind));
    params.kinds.iter().filter(|kind| !there(kind)).cloned().collect()
}

#[async_trait]
impl StepKind for Allocate {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: Params = cx.parse()?;
        let ours = self.ours_for_long(cx, &params).await?;
        if !ours.is_empty() {
            let whole = missing(&params, &ours).is_empty();
            return Ok(if whole { Observed::Done } else { Observed::Partial });
        }
        let known: Vec<String> = list(&self.0).await?.iter().map(address).collect();
        Ok(Observed::Pending { before: Outputs::none().with("known", known) })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let missing = missing(&params, &self.ours(cx, &params).await?);
        // Both at once is one call, and one price.
        let calls = if missing.len() > 1 { vec![IpKind::EgressPair] } else { missing };
        let writer = self.0.writer(permit);
        for kind in calls {
            let new = NewIp::in_region(kind, params.region.clone());
            if let Err(error) = writer.allocate_ip(&self.0.app, &new).await {
                // Of a pair whose answer was lost both are there, which the client cannot tell apart.
                if self::missing(&params, &self.ours(cx, &params).await?).is_empty() {
                    return Ok(());
                }
                return Err(write_error(&error));
            }
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let ours = self.ours_for_long(cx, &params).await?;
        if let Some(kind) = missing(&params, &ours).first() {
            return Err(StepError::stale(format!(
                "app {} has no new {kind} address in {}",
                self.0.app, params.region
            )));
        }
        let mut addresses: Vec<String> = ours.iter().map(address).collect();
        addresses.sort();
        Ok(Outputs::none().with("addresses", addresses))
    }

    async fn undo(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        for ip in self.ours_for_long(cx, &params).await? {
            release(&self.0, permit, &address(&ip)).await?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct SettledParams {
    addresses: Vec<String>,
    seconds: i64,
}

#[async_trait]
impl Look for Settled {
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: SettledParams = cx.parse()?;
        let all = list(&self.0).await?;
        let ours = all.iter().filter(|ip| params.addresses.contains(&address(ip)));
        let newest = ours.filter_map(|ip| ip.created_at.get().and_then(WireTime::at)).max();
        let age = newest.map_or(0, |at| cx.now().duration_since(at).as_secs().max(0));
        let left = u64::try_from(params.seconds - age).unwrap_or(0);
        cx.note(&format!("{left} s until the new addresses are in effect"));
        self.0.pause(Duration::from_secs(left)).await;
        Ok(())
    }

    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: SettledParams = cx.parse()?;
        let all = list(&self.0).await?;
        match params.addresses.iter().find(|wanted| !all.iter().any(|ip| &address(ip) == *wanted)) {
            None => Ok(Outputs::none().with("seconds", params.seconds)),
            Some(gone) => Err(StepError::stale(format!(
                "egress address {gone} of app {} is not there any more",
                self.0.app
            ))),
        }
    }
}

/// What the answer is called.
pub(crate) const ALLOW_LISTED: &str = "allow-listed";

#[derive(Deserialize)]
struct AllowedParams {
    addresses: Vec<String>,
    old: Vec<String>,
}

#[async_trait]
impl Look for Allowed {
    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: AllowedParams = cx.parse()?;
        match cx.answer(ALLOW_LISTED).filter(|text| !text.trim().is_empty()) {
            Some(answer) => Ok(Outputs::none().with(ALLOW_LISTED, answer)),
            None => Err(StepError::paused(
                format!(
                    "app {} will leave from {} instead of {}: nobody said yet that whoever lets the old addresses in lets the new ones in, too",
                    self.0.app,
                    params.addresses.join(" and "),
                    params.old.join(" and ")
                ),
                "have the new addresses allow-listed, then resume with --answer allow-listed=WHERE",
            )),
        }
    }
}

#[derive(Deserialize)]
struct ReleaseParams {
    addresses: Vec<String>,
}

#[async_trait]
impl StepKind for ReleaseEgress {
    async fn observe(&self, cx: &StepContext<'_>) -> Result<Observed, StepError> {
        let params: ReleaseParams = cx.parse()?;
        let all = list(&self.0).await?;
        let left = params.addresses.iter().filter(|one| all.iter().any(|ip| &address(ip) == *one));
        Ok(match left.count() {
            0 => Observed::Done,
            count if count == params.addresses.len() => Observed::pending(),
            _ => Observed::Partial,
        })
    }

    async fn act(&self, cx: &StepContext<'_>, permit: &Permit) -> Result<(), StepError> {
        let params: ReleaseParams = cx.parse()?;
        for address in &params.addresses {
            release(&self.0, permit, address).await?;
        }
        Ok(())
    }

    async fn verify(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: ReleaseParams = cx.parse()?;
        match self.observe(cx).await? {
            Observed::Done => Ok(Outputs::none().with("released", params.addresses)),
            _ => Err(StepError::failed(format!(
                "an old egress address of app {} is still there",
                self.0.app
            ))),
        }
    }
}
