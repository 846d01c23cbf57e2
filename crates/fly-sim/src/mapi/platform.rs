//! Regions. The keys of the outer level are in PascalCase, as the live service answers them.

use fly_types::region;
use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;

pub(crate) fn regions(_call: &mut Call<'_>) -> Answer {
    let regions: Vec<Value> = region::CURRENT
        .iter()
        .map(|region| {
            json!({
                "code": region.code, "name": region.name, "latitude": region.latitude,
                "longitude": region.longitude, "gateway_available": region.gateway,
                "requires_paid_plan": false, "deprecated": false, "capacity": 100,
                "geo_region": region.geo_region, "mpg_available": region.gateway,
            })
        })
        .collect();
    Ok(Reply::json(json!({ "Regions": regions, "Nearest": "fra" })))
}
