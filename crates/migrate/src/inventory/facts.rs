//! An inventory as named facts, each with what its change would mean for a plan.

use fly_types::RegionCode;
use runbook::facts::Facts;

use super::Inventory;

/// What a plan is about; kept in its inputs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Scope {
    /// From where.
    pub source: RegionCode,
    /// To where.
    pub target: RegionCode,
    /// The mark on everything that the run makes (Machine metadata `flyops_plan`).
    pub mark: String,
}

/// Metadata key of the mark.
pub const PLAN: &str = "flyops_plan";
/// Metadata key of the step that made a Machine.
pub const STEP: &str = "flyops_step";

/// The facts of a plan. What its own run made is not among them.
///
/// Stale: a Machine came, went, or has another configuration (a deploy changes that: release metadata), a volume of the source
/// went, changed its size or its Machine, an address of a region or a secret changed. Benign: states, 6PN addresses, versions and
/// volume ids (the platform moves Machines between hosts), cordons.
pub fn facts(inventory: &Inventory, scope: &Scope) -> Facts {
    let mut facts = Facts::new();
    facts.stale_if_changed("org", inventory.org.as_ref().map(ToString::to_string));
    let ours = |metadata: &std::collections::BTreeMap<String, String>| {
        metadata.get(PLAN) == Some(&scope.mark)
    };
    let own: Vec<&fly_types::MachineId> = inventory
        .machines
        .iter()
        .filter(|machine| ours(&machine.metadata))
        .map(|machine| &machine.id)
        .collect();
    for machine in inventory.machines.iter().filter(|machine| !ours(&machine.metadata)) {
        let name = |what: &str| format!("machine/{}/{what}", machine.id);
        facts.stale_if_changed(name("region"), machine.region.as_str());
        facts.stale_if_changed(name("config"), machine.config.as_str());
        facts.stale_if_changed(name("primary_region"), machine.primary_region.clone());
        facts.benign(name("state"), machine.state.as_str());
        facts.benign(name("version"), machine.version.as_str());
        facts.benign(name("address"), machine.private_ip.as_str());
        facts.benign(name("cordoned"), machine.cordoned);
        facts.benign(name("host"), machine.host_status.as_str());
        for mount in &machine.mounts {
            // The id may change under a Machine; name and place may not.
            facts.benign(name(&format!("volume{}", mount.path)), mount.volume.as_str());
            if let Some(volume) = inventory.volume(&mount.volume) {
                facts.stale_if_changed(
                    name(&format!("mount{}", mount.path)),
                    format!("{} {} GB", volume.name, volume.size_gb),
                );
            }
        }
    }
    for volume in inventory.volumes.iter().filter(|volume| volume.region == scope.target) {
        // One that our own Machine has is ours.
        let taken = volume.attached.as_ref().is_some_and(|machine| own.contains(&machine));
        if !taken {
            facts.stale_if_changed(format!("target-volume/{}", volume.id), volume.name.as_str());
        }
    }
    let mut regions: std::collections::BTreeMap<String, Vec<&str>> =
        std::collections::BTreeMap::new();
    for address in inventory.addresses.iter().filter(|address| address.kind.starts_with("egress")) {
        regions.entry(format!("egress/{}", address.region)).or_default().push(&address.ip);
    }
    for (name, mut addresses) in regions {
        addresses.sort_unstable();
        facts.stale_if_changed(name, addresses.join(" "));
    }
    for (name, digest) in &inventory.secrets {
        facts.stale_if_changed(format!("secret/{name}"), digest.as_str());
    }
    facts
}
