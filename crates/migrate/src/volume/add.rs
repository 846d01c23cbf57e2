//! `add`: an empty volume where its Machine will be.

use fly_types::{MachineId, RegionCode};
use runbook::plan::Group;
use serde_json::json;

use super::job::{JobError, Request};
use super::parts::{New, PLACE, checked, documented, guest, make, probe};
use super::plan::Parts;

pub(super) fn add(
    request: &Request<'_>,
    mark: &str,
    name: &str,
    region: Option<&RegionCode>,
    size_gb: i64,
    machine: Option<&MachineId>,
) -> Result<Parts, JobError> {
    let (inventory, app) = (request.inventory, request.inventory.app.as_str());
    let machine = machine
        .map(|id| {
            inventory.machine(id).ok_or_else(|| {
                JobError::state(
                    format!("app {app} has no Machine {id}"),
                    format!("see `fly machine list -a {app}`"),
                )
            })
        })
        .transpose()?;
    let region = match (region, machine) {
        (Some(region), Some(machine)) if *region != machine.region => {
            return Err(JobError::input(
                format!(
                    "Machine {} is in {}, and a volume in {region} could not be mounted by it",
                    machine.id, machine.region
                ),
                format!("leave --region away, or say --region {}", machine.region),
            ));
        }
        (Some(region), _) => region.clone(),
        (None, Some(machine)) => machine.region.clone(),
        (None, None) => {
            return Err(JobError::input(
                "neither a region nor a Machine was named",
                "say --for MACHINE, so that the volume is made where that Machine is, or --region REGION",
            ));
        }
    };
    let new = New { name: name.to_owned(), region: region.clone(), size_gb };
    checked(request, &new)?;
    let mut warnings = vec![
        PLACE.to_owned(),
        "an existing Machine cannot be given a volume: add [[mounts]] to fly.toml and deploy, which replaces it; then `fly-migrate volume check --inside`".to_owned(),
    ];
    let free: Vec<&str> = inventory
        .volumes
        .iter()
        .filter(|one| one.name == name && one.region == region && one.attached.is_none())
        .map(|one| one.id.as_str())
        .collect();
    if !free.is_empty() {
        warnings.push(format!(
            "there is a free volume of that name in {region} already ({}): the next deploy or scale takes any of them, with whatever is on it",
            free.join(", ")
        ));
    }
    let groups = vec![
        Group::serial("gates", "checklist", vec![documented(app)]),
        Group::serial(
            "volume",
            "make the volume",
            vec![
                make("volume", app, &new, json!({}), machine.map(guest).as_ref()),
                probe(request, mark, &region),
            ],
        ),
    ];
    Ok(Parts {
        summary: format!("add volume {name} with {size_gb} GB in {region} to app {app}"),
        source: region.clone(),
        region,
        groups,
        sessions: Vec::new(),
        no_return: None,
        warnings,
    })
}
