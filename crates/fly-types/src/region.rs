//! Regions: which exist, where they are, and which is near which.
//!
//! This is data that ages: [`AS_OF`] says when it was true. At run time the platform's own list
//! (`GET /v1/platform/regions`) is the authority; an unknown code is a warning, never a refusal, unless the caller
//! knows better. Must not know: prices, HTTP.

use crate::RegionCode;
use crate::wire::open_enum;

/// The day on which the table below was checked against `superfly/docs` reference/regions.
pub const AS_OF: &str = "2026-08-07";

/// Aliases that Machine create accepts in place of a code (docs: machine placement). Volumes do not accept them.
pub const ALIASES: &[&str] = &["any", "apac", "eu", "na", "sa", "us", "usa"];

open_enum! {
    /// Part of the world, as the platform groups regions.
    GeoRegion {
        Africa = "africa",
        AsiaPacific = "asia_pacific",
        Europe = "europe",
        NorthAmerica = "north_america",
        SouthAmerica = "south_america",
    }
}

/// One region of the embedded table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionInfo {
    /// Three-letter code, e.g. `fra`.
    pub code: &'static str,
    /// City and country.
    pub name: &'static str,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Part of the world, in the platform's words.
    pub geo_region: &'static str,
    /// Whether WireGuard peers can be made there. Machines do not need it.
    pub gateway: bool,
    /// For a region that was withdrawn: since when, and what lies nearest. Nothing new can be created there.
    pub deprecated: Option<Deprecation>,
}

/// When a region was withdrawn and where to go instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// Day on which the docs dropped it.
    pub since: &'static str,
    /// Nearest current region by distance: a suggestion of this project, not of the platform.
    pub suggested: &'static str,
}

const fn current(
    code: &'static str,
    name: &'static str,
    latitude: f64,
    longitude: f64,
    geo_region: &'static str,
    gateway: bool,
) -> RegionInfo {
    RegionInfo { code, name, latitude, longitude, geo_region, gateway, deprecated: None }
}

const fn withdrawn(
    code: &'static str,
    name: &'static str,
    latitude: f64,
    longitude: f64,
    geo_region: &'static str,
    suggested: &'static str,
) -> RegionInfo {
    let deprecated = Some(Deprecation { since: "2025-10-16", suggested });
    RegionInfo { code, name, latitude, longitude, geo_region, gateway: false, deprecated }
}

/// The current regions, by code. Positions are those of the city's airport or center, good to a few kilometers.
pub const CURRENT: &[RegionInfo] = &[
    current("ams", "Amsterdam, Netherlands", 52.37, 4.90, "europe", true),
    current("arn", "Stockholm, Sweden", 59.65, 17.92, "europe", true),
    current("bom", "Mumbai, India", 19.10, 72.87, "asia_pacific", true),
    current("cdg", "Paris, France", 48.86, 2.35, "europe", true),
    current("dfw", "Dallas, Texas (US)", 32.78, -96.80, "north_america", true),
    current("ewr", "Secaucus, New Jersey (US)", 40.79, -74.06, "north_america", true),
    current("fra", "Frankfurt, Germany", 50.12, 8.68, "europe", true),
    current("gru", "Sao Paulo, Brazil", -23.55, -46.65, "south_america", false),
    current("iad", "Ashburn, Virginia (US)", 39.02, -77.46, "north_america", true),
    current("jnb", "Johannesburg, South Africa", -26.14, 28.20, "africa", false),
    current("lax", "Los Angeles, California (US)", 33.94, -118.41, "north_america", true),
    current("lhr", "London, United Kingdom", 51.52, -0.13, "europe", true),
    current("nrt", "Tokyo, Japan", 35.62, 139.74, "asia_pacific", true),
    current("ord", "Chicago, Illinois (US)", 41.89, -87.63, "north_america", true),
    current("sin", "Singapore, Singapore", 1.30, 103.80, "asia_pacific", true),
    current("sjc", "San Jose, California (US)", 37.35, -121.90, "north_america", true),
    current("syd", "Sydney, Australia", -33.87, 151.22, "asia_pacific", true),
    current("yyz", "Toronto, Canada", 43.64, -79.38, "north_america", true),
];

/// Regions that were withdrawn in October 2025. Machines may still exist there.
pub const WITHDRAWN: &[RegionInfo] = &[
    withdrawn("atl", "Atlanta, Georgia (US)", 33.64, -84.43, "north_america", "iad"),
    withdrawn("bog", "Bogota, Colombia", 4.70, -74.15, "south_america", "gru"),
    withdrawn("bos", "Boston, Massachusetts (US)", 42.37, -71.01, "north_america", "ewr"),
    withdrawn("den", "Denver, Colorado (US)", 39.74, -104.99, "north_america", "dfw"),
    withdrawn("eze", "Ezeiza, Argentina", -34.82, -58.54, "south_america", "gru"),
    withdrawn("gdl", "Guadalajara, Mexico", 20.52, -103.31, "north_america", "dfw"),
    withdrawn("gig", "Rio de Janeiro, Brazil", -22.81, -43.25, "south_america", "gru"),
    withdrawn("hkg", "Hong Kong, Hong Kong", 22.25, 114.20, "asia_pacific", "sin"),
    withdrawn("mad", "Madrid, Spain", 40.47, -3.56, "europe", "cdg"),
    withdrawn("mia", "Miami, Florida (US)", 25.79, -80.29, "north_america", "iad"),
    withdrawn("otp", "Bucharest, Romania", 44.43, 26.10, "europe", "fra"),
    withdrawn("phx", "Phoenix, Arizona (US)", 33.42, -112.01, "north_america", "lax"),
    withdrawn("qro", "Queretaro, Mexico", 20.62, -100.19, "north_america", "dfw"),
    withdrawn("scl", "Santiago, Chile", -33.36, -70.67, "south_america", "gru"),
    withdrawn("sea", "Seattle, Washington (US)", 47.61, -122.33, "north_america", "sjc"),
    withdrawn("waw", "Warsaw, Poland", 52.17, 20.97, "europe", "fra"),
    withdrawn("yul", "Montreal, Canada", 45.48, -73.54, "north_america", "yyz"),
];

/// The region with this code, current or withdrawn.
pub fn find(code: &str) -> Option<&'static RegionInfo> {
    CURRENT.iter().chain(WITHDRAWN).find(|region| region.code == code)
}

impl RegionInfo {
    /// The code as a validated identifier.
    pub fn region_code(&self) -> RegionCode {
        RegionCode::from_wire(self.code)
    }

    /// Great-circle distance in kilometers, on a sphere. Round-trip time follows it only roughly.
    pub fn distance_km(&self, other: &Self) -> f64 {
        const EARTH_RADIUS_KM: f64 = 6371.0;
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half_latitude = ((other.latitude - self.latitude).to_radians() / 2.0).sin();
        let half_longitude = ((other.longitude - self.longitude).to_radians() / 2.0).sin();
        let a = half_latitude.powi(2) + from.cos() * to.cos() * half_longitude.powi(2);
        2.0 * EARTH_RADIUS_KM * a.sqrt().min(1.0).asin()
    }

    /// The other current regions, nearest first. Use `.take(n)` for the neighbors worth trying.
    pub fn neighbors(&self) -> impl Iterator<Item = &'static RegionInfo> {
        let mut others: Vec<(f64, &'static RegionInfo)> = CURRENT
            .iter()
            .filter(|other| other.code != self.code)
            .map(|other| (self.distance_km(other), other))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.code.cmp(b.1.code)));
        others.into_iter().map(|(_, region)| region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighteen_regions_sorted_and_distinct() {
        assert_eq!(CURRENT.len(), 18);
        assert!(CURRENT.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(
            CURRENT
                .iter()
                .all(|region| find(region.code) == Some(region) && region.deprecated.is_none())
        );
        let without: Vec<_> =
            CURRENT.iter().filter(|region| !region.gateway).map(|region| region.code).collect();
        assert_eq!(without, ["gru", "jnb"]);
        assert!(
            CURRENT
                .iter()
                .all(|region| !matches!(GeoRegion::from(region.geo_region), GeoRegion::Other(_)))
        );
    }

    #[test]
    fn withdrawn_regions_point_to_a_current_one() {
        for region in WITHDRAWN {
            let target = region.deprecated.unwrap().suggested;
            assert!(CURRENT.iter().any(|current| current.code == target), "{}", region.code);
        }
        assert_eq!(find("yul").unwrap().deprecated.unwrap().suggested, "yyz");
        assert!(find("xxx").is_none());
    }

    #[test]
    fn distances_and_neighbors() {
        let (london, paris, sydney) =
            (find("lhr").unwrap(), find("cdg").unwrap(), find("syd").unwrap());
        assert!((london.distance_km(paris) - 344.0).abs() < 10.0);
        assert!((london.distance_km(sydney) - 16_990.0).abs() < 60.0);
        assert!(london.distance_km(london) < 1e-6);
        let near: Vec<_> = london.neighbors().take(3).map(|region| region.code).collect();
        assert_eq!(near, ["cdg", "ams", "fra"]);
        assert_eq!(london.neighbors().count(), 17);
    }
}
