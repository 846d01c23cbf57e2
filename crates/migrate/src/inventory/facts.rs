//! An inventory as named facts, each with what its change would mean for a plan.

use fly_types::RegionCode;
use runbook::error::StepError;
use runbook::facts::{DriftClass, Facts};
use runbook::plan::Plan;
use serde::Deserialize as _;

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

/// Parts of an inventory that may be unknown, and the facts that are made of them.
const PARTS: [(&str, &str); 2] = [("addresses", "egress/"), ("secrets", "secret/")];

/// The facts as they are now, to be compared with those of a plan. What the plan did not know says nothing; what cannot be read
/// now, and the plan did know, is not gone: it is an error that says so.
pub(crate) fn facts_now(plan: &Plan, now: &Inventory, scope: &Scope) -> Result<Facts, StepError> {
    let lacks = |inventory: &Inventory, part: &str| {
        inventory.unknown.iter().find(|text| text.starts_with(part)).cloned()
    };
    let known = plan.inputs.get("inventory").and_then(|value| Inventory::deserialize(value).ok());
    let mut mute = Vec::new();
    for (part, prefix) in PARTS {
        if let Some(why) = lacks(now, part)
            && plan.facts.iter().any(|(name, _)| name.starts_with(prefix))
        {
            return Err(StepError::paused(
                format!("it cannot be told whether app {} was changed: {why}", now.app),
                "try again; if that does not help, give a token that may read it (`fly tokens create deploy`)",
            ));
        }
        if known.as_ref().is_some_and(|known| lacks(known, part).is_some()) {
            mute.push(prefix);
        }
    }
    let mut heard = Facts::new();
    for (name, fact) in facts(now, scope).iter() {
        if mute.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        match fact.on_change {
            DriftClass::Stale => heard.stale_if_changed(name, fact.value.clone()),
            DriftClass::Benign => heard.benign(name, fact.value.clone()),
        }
    }
    Ok(heard)
}
