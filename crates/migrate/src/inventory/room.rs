//! Whether a region has room for some Machines: a placement dry run. Nothing is reserved, so the answer is a hint and no promise.

use std::collections::BTreeMap;

use fly_api::{ApiError, Client};
use fly_types::size::CpuKind;
use fly_types::wire::{Guest, PlacementRequest};
use fly_types::{OrgSlug, RegionCode};
use serde::{Deserialize, Serialize};

use super::MachineInfo;

/// So many Machines of a size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// `shared` or `performance`.
    pub cpu_kind: String,
    /// Number of CPUs.
    pub cpus: i64,
    /// Memory in MB.
    pub memory_mb: i64,
    /// How many.
    pub count: i64,
}

/// A region that has too little room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// What was asked for.
    pub need: Need,
    /// How many of them fit.
    pub fits: i64,
}

/// What some Machines need, by size.
pub fn needs<'a>(machines: impl IntoIterator<Item = &'a MachineInfo>) -> Vec<Need> {
    let mut counts: BTreeMap<(&str, i64, i64), i64> = BTreeMap::new();
    for one in machines {
        *counts.entry((&one.cpu_kind, one.cpus, one.memory_mb)).or_default() += 1;
    }
    let need = |((cpu_kind, cpus, memory_mb), count): ((&str, i64, i64), i64)| Need {
        cpu_kind: cpu_kind.to_owned(),
        cpus,
        memory_mb,
        count,
    };
    counts.into_iter().map(need).collect()
}

/// The first need that a region has no room for; none if all fit.
///
/// # Errors
/// The call's.
pub async fn short(
    client: &Client,
    org: &OrgSlug,
    region: &RegionCode,
    needs: &[Need],
) -> Result<Option<Short>, ApiError> {
    for need in needs {
        let compute = Guest {
            cpu_kind: CpuKind::from(need.cpu_kind.as_str()).into(),
            cpus: need.cpus.into(),
            memory_mb: need.memory_mb.into(),
            ..Guest::default()
        };
        let wanted = PlacementRequest {
            org_slug: org.clone().into(),
            region: region.to_string().into(),
            count: need.count.into(),
            compute: compute.into(),
            ..PlacementRequest::default()
        };
        let answer = client.placements(&wanted).await?.value;
        let here = answer.regions().iter().find(|one| one.region() == Some(region));
        // A region without room is missing.
        let fits = here.map_or(0, |one| one.count().unwrap_or(need.count));
        if fits < need.count {
            return Ok(Some(Short { need: need.clone(), fits }));
        }
    }
    Ok(None)
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "room for {} of {} Machines with {}-cpu-{}x and {} MB",
            self.fits, self.need.count, self.need.cpu_kind, self.need.cpus, self.need.memory_mb
        )
    }
}
