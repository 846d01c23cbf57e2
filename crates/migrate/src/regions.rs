//! Which regions exist now: the platform's own answer; the embedded table only where that has a gap (place on the map).

use fly_api::{ApiError, Client};
use fly_types::RegionCode;
use fly_types::region::RegionInfo;

/// The platform's regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regions(Vec<Known>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    code: RegionCode,
    deprecated: bool,
    paid_plan: bool,
}

/// Why a region cannot be a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// The platform does not list it, and nobody knows it.
    #[error("there is no region '{code}'")]
    Unknown {
        /// As it was typed.
        code: String,
        /// All that exist.
        known: String,
    },
    /// It was withdrawn.
    #[error("region {code} is deprecated: nothing new can be created there")]
    Deprecated {
        /// The region.
        code: String,
        /// Nearest regions that are not.
        nearest: String,
    },
}

impl RegionError {
    /// What to do instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { known, .. } => format!("regions are: {known}"),
            Self::Deprecated { nearest, .. } => format!("use one near it: {nearest}"),
        }
    }
}

impl Regions {
    /// Asks the platform.
    ///
    /// # Errors
    /// The call's.
    pub async fn read(client: &Client) -> Result<Self, ApiError> {
        let list = client.regions().await?.value;
        let mut regions: Vec<Known> = list
            .regions()
            .iter()
            .map(|region| Known {
                code: region.code.clone(),
                deprecated: region.deprecated.copied().unwrap_or(false),
                paid_plan: region.requires_paid_plan.copied().unwrap_or(false),
            })
            .collect();
        regions.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(Self(regions))
    }

    /// Whether something new can be created there.
    ///
    /// # Errors
    /// That it is unknown or deprecated, with what to use instead.
    pub fn target(&self, code: &RegionCode) -> Result<(), RegionError> {
        let known = self.0.iter().find(|known| &known.code == code);
        let table = fly_types::region::find(code.as_str());
        match (known, table) {
            (Some(known), _) if !known.deprecated => Ok(()),
            (None, None) => {
                let open: Vec<&str> = self.open().map(RegionCode::as_str).collect();
                Err(RegionError::Unknown { code: code.to_string(), known: open.join(" ") })
            }
            _ => Err(RegionError::Deprecated {
                code: code.to_string(),
                nearest: self
                    .near(code, &[])
                    .iter()
                    .take(3)
                    .map(RegionCode::as_str)
                    .collect::<Vec<_>>()
                    .join(" "),
            }),
        }
    }

    /// Whether the platform has withdrawn it.
    pub fn is_deprecated(&self, code: &RegionCode) -> bool {
        match self.0.iter().find(|known| &known.code == code) {
            Some(known) => known.deprecated,
            None => fly_types::region::find(code.as_str())
                .is_some_and(|region| region.deprecated.is_some()),
        }
    }

    /// Whether the platform marks it as only for paid plans.
    pub fn wants_paid_plan(&self, code: &RegionCode) -> bool {
        self.0.iter().any(|known| &known.code == code && known.paid_plan)
    }

    /// Regions in which something can be created, the nearest to `code` first, without some.
    pub fn near(&self, code: &RegionCode, without: &[&RegionCode]) -> Vec<RegionCode> {
        let here = fly_types::region::find(code.as_str());
        let mut open: Vec<&RegionCode> =
            self.open().filter(|other| *other != code && !without.contains(other)).collect();
        let distance = |other: &RegionCode| match (here, fly_types::region::find(other.as_str())) {
            (Some(here), Some(there)) => RegionInfo::distance_km(here, there),
            _ => f64::MAX,
        };
        open.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
        open.into_iter().cloned().collect()
    }

    fn open(&self) -> impl Iterator<Item = &RegionCode> {
        self.0.iter().filter(|known| !known.deprecated).map(|known| &known.code)
    }
}
