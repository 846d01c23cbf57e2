//! Regions and placements as the platform lists them. Outer keys come in both cases: the OpenAPI document writes
//! snake_case, the service PascalCase.

use serde_json::Number;

use super::{Field, Guest, body};
use crate::{OrgSlug, RegionCode};

body! {
    /// One region.
    Region {
        code: RegionCode;
        name: String,
        latitude: Number,
        longitude: Number,
        gateway_available: bool,
        requires_paid_plan: bool,
        deprecated: bool,
        geo_region: String,
        mpg_available: bool,
        /// Not accurate.
        capacity: i64,
    }
}

body! {
    /// Answer of `GET /v1/platform/regions`.
    RegionList {
        #[serde(rename = "Regions")]
        regions_pascal: Vec<Region>,
        #[serde(rename = "regions")]
        regions_snake: Vec<Region>,
        #[serde(rename = "Nearest")]
        nearest_pascal: RegionCode,
        #[serde(rename = "nearest")]
        nearest_snake: RegionCode,
    }
}

impl RegionList {
    /// The regions, whichever key they came under.
    pub fn regions(&self) -> &[Region] {
        self.regions_pascal.get().or(self.regions_snake.get()).map_or(&[], Vec::as_slice)
    }

    /// The region nearest to the caller.
    pub fn nearest(&self) -> Option<&RegionCode> {
        self.nearest_pascal
            .get()
            .or(self.nearest_snake.get())
            .filter(|code| !code.as_str().is_empty())
    }
}

body! {
    /// Body of `POST /v1/platform/placements`, a dry run.
    PlacementRequest {
        org_slug: OrgSlug,
        /// Codes or aliases, with commas.
        region: String,
        /// 0 asks for the limits.
        count: i64,
        compute: Guest,
        volume_name: String,
        volume_size_bytes: i64,
        weights: PlacementWeights,
    }
}

body! {
    /// What placement prefers.
    PlacementWeights {
        region: i64,
        spread: i64,
    }
}

body! {
    /// How many Machines fit into a region.
    Placement {
        #[serde(rename = "Region")]
        region_pascal: RegionCode,
        #[serde(rename = "region")]
        region_snake: RegionCode,
        #[serde(rename = "Count")]
        count_pascal: i64,
        #[serde(rename = "count")]
        count_snake: i64,
        #[serde(rename = "Concurrency")]
        concurrency_pascal: i64,
        #[serde(rename = "concurrency")]
        concurrency_snake: i64,
    }
}

impl Placement {
    /// The region, whichever key it came under.
    pub fn region(&self) -> Option<&RegionCode> {
        self.region_pascal.get().or(self.region_snake.get())
    }

    /// How many fit.
    pub fn count(&self) -> Option<i64> {
        either(&self.count_pascal, &self.count_snake)
    }

    /// How many may be made at once.
    pub fn concurrency(&self) -> Option<i64> {
        either(&self.concurrency_pascal, &self.concurrency_snake)
    }
}

fn either(first: &Field<i64>, second: &Field<i64>) -> Option<i64> {
    first.copied().or(second.copied())
}

body! {
    /// Answer of `POST /v1/platform/placements`; a region without room is missing.
    PlacementList {
        #[serde(rename = "Regions")]
        regions_pascal: Vec<Placement>,
        #[serde(rename = "regions")]
        regions_snake: Vec<Placement>,
    }
}

impl PlacementList {
    /// The placements, whichever key they came under.
    pub fn regions(&self) -> &[Placement] {
        self.regions_pascal.get().or(self.regions_snake.get()).map_or(&[], Vec::as_slice)
    }
}
