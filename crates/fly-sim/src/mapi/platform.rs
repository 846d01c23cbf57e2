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

/// A dry run: where Machines would go. Nothing is reserved.
pub(crate) fn placements(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let org = super::write::text(&body, "org_slug")?.unwrap_or_default();
    if call.state.org(org).is_none() {
        return Err(Reply::error(400, "invalid_argument: org_slug is required"));
    }
    let count = super::write::number(&body, "count")?.unwrap_or(0);
    let wanted = super::write::text(&body, "region")?.filter(|region| !region.is_empty());
    let codes: Vec<&str> = match wanted {
        Some(text) => text.split(',').flat_map(stands_for).collect(),
        None => region::CURRENT.iter().map(|region| region.code).collect(),
    };
    let known = |code: &&str| region::CURRENT.iter().any(|region| region.code == *code);
    let regions: Vec<Value> = codes
        .into_iter()
        .filter(known)
        .filter_map(|code| {
            let wanted = if count == 0 { 10 } else { count };
            let room = call.state.rooms.machine_room(code).map(i64::try_from);
            let fits = room.map_or(wanted, |room| wanted.min(room.unwrap_or(i64::MAX)));
            // A region without room is missing from the answer.
            (fits > 0).then(|| json!({ "Region": code, "Count": fits, "Concurrency": 4 }))
        })
        .collect();
    Ok(Reply::json(json!({ "Regions": regions })))
}

/// A code itself, or all regions of an alias.
fn stands_for(code: &str) -> Vec<&str> {
    let geo: &[&str] = match code {
        "any" => return region::CURRENT.iter().map(|region| region.code).collect(),
        "apac" => &["asia_pacific"],
        "eu" => &["europe"],
        "na" | "us" | "usa" => &["north_america"],
        "sa" => &["south_america"],
        other => return vec![other],
    };
    let wanted = region::CURRENT.iter().filter(|region| geo.contains(&region.geo_region));
    // Toronto is in North America and not in the United States.
    let wanted = wanted.filter(|region| code == "na" || region.code != "yyz");
    wanted.map(|region| region.code).collect()
}
