//! From a deploy request to the Machines that fulfil it.

use fly_types::DeployRequest;

use super::{BuildErrors, ConfigBuilder};
use crate::write::NewMachine;

/// The Machines of a deploy request: one in every region, and in the first, which is the primary one, as many as shall
/// stay running.
///
/// `shape` adds what the request does not say: services, checks, variables. The Machines are of process group `app`, so
/// that `fly deploy` sees them.
pub fn machines_for(
    request: &DeployRequest,
    shape: impl Fn(ConfigBuilder) -> ConfigBuilder,
) -> Result<Vec<NewMachine>, BuildErrors> {
    let primary = request.regions().first();
    let mut builder =
        ConfigBuilder::new(request.image().clone()).size(request.size()).process_group("app");
    if let Some(primary) = primary {
        builder = builder.env("PRIMARY_REGION", primary.as_str());
    }
    let mut builder = shape(builder);
    if let Some(least) = request.min_machines() {
        for service in builder.services_mut() {
            *service = service.clone().min_machines(least);
        }
    }
    let config = builder.build()?;
    let mut machines = Vec::new();
    for region in request.regions() {
        let least = if Some(region) == primary { request.min_machines() } else { None };
        for _ in 0..least.unwrap_or(1).max(1) {
            machines.push(NewMachine {
                regions: vec![region.clone()],
                config: config.clone(),
                ..NewMachine::default()
            });
        }
    }
    Ok(machines)
}

#[cfg(test)]
mod tests {
    use fly_types::deploy::RegionCatalog;
    use serde_json::json;

    use super::*;
    use crate::build::ServiceBuilder;

    #[test]
    fn one_per_region_and_as_many_in_the_first_as_stay_running() {
        let value = json!({
            "app_name": "shop", "regions": ["fra", "iad"], "image": "nginx:alpine", "vm_size": "shared-cpu-2x", "min_machines": 3,
        });
        let request = DeployRequest::from_json(&value, &RegionCatalog::embedded()).unwrap();
        let machines =
            machines_for(&request, |config| config.service(ServiceBuilder::web(8080))).unwrap();
        let regions: Vec<&str> =
            machines.iter().map(|machine| machine.regions[0].as_str()).collect();
        assert_eq!(regions, ["fra", "fra", "fra", "iad"]);
        let config = &machines[3].config;
        let service = &config.services.items()[0];
        assert_eq!(service.min_machines_running.copied(), Some(3));
        assert_eq!(config.env.get().unwrap().expose()["PRIMARY_REGION"], "fra");
        assert_eq!(config.guest.get().unwrap().memory_mb.copied(), Some(512));
        assert_eq!(config.metadata_value("fly_process_group"), Some("app"));
    }
}
