//! Digests of configurations, and the state of an app as text: what an undo promises to restore.

use std::collections::BTreeMap;

use fly_types::wire::MachineConfig;
use runbook::canonical::Digest;
use serde_json::Value;

use super::Inventory;

/// Metadata that marks what a run made.
pub const MARKS: &str = "flyops_";

/// Digest of a configuration. Left out: our marks, ids of volumes (a host migration changes them) and of Machines that it stands
/// by for, and `PRIMARY_REGION`, which a move changes on purpose and the inventory holds beside it.
pub fn config(config: &MachineConfig) -> String {
    let mut value = serde_json::to_value(config).unwrap_or(Value::Null);
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !key.starts_with(MARKS));
    }
    for mount in value.get_mut("mounts").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(mount) = mount.as_object_mut() {
            mount.retain(|key, _| matches!(key.as_str(), "name" | "path"));
        }
    }
    if let Some(standbys) = value.get_mut("standbys") {
        *standbys = standbys.as_array().map_or(0, Vec::len).into();
    }
    if let Some(env) = value.get_mut("env").and_then(Value::as_object_mut) {
        env.remove("PRIMARY_REGION");
    }
    tidy(&mut value);
    Digest::of(&value).short().to_owned()
}

/// Absent, null, false and empty mean the same to the platform, which sends now this and now that.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(tidy);
            map.retain(|_, value| {
                !(value.is_null()
                    || *value == Value::Bool(false)
                    || value == ""
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(serde_json::Map::is_empty))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The state of an app, one fact a line, sorted, without anything that the platform makes up: what a resumed run ends in and
/// what an undo restores. Counts, regions, states, configurations, images, sizes, mounts, cordons, leases, volumes, addresses,
/// certificates and secret digests. Lines about the content of volumes can be added by whoever can read it.
pub fn state(inventory: &Inventory) -> Vec<String> {
    let mut lines = Vec::new();
    for machine in &inventory.machines {
        let mounts: Vec<String> =
            machine.mounts.iter().map(|mount| format!("{}:{}", mount.name, mount.path)).collect();
        lines.push(format!(
            "machine {} in {} {}{}, {}, {}, mounts [{}], {}{}{}, config {}",
            machine.group.as_deref().unwrap_or("-"),
            machine.region,
            if machine.runs() { "running" } else { "resting" },
            if machine.cordoned { " cordoned" } else { "" },
            machine.image,
            machine.size(),
            mounts.join(" "),
            machine
                .schedule
                .as_deref()
                .map(|word| format!("schedule {word}, "))
                .unwrap_or_default(),
            machine
                .primary_region
                .as_deref()
                .map(|word| format!("primary {word}, "))
                .unwrap_or_default(),
            if machine.standbys.is_empty() { "no standby" } else { "standby" },
            machine.config,
        ));
        if let Some(lease) = &machine.lease {
            lines.push(format!("lease of a machine in {} held by {lease}", machine.region));
        }
    }
    for volume in &inventory.volumes {
        lines.push(format!(
            "volume {} in {} {} GB {} {}",
            volume.name,
            volume.region,
            volume.size_gb,
            if volume.attached.is_some() { "attached" } else { "free" },
            if volume.encrypted { "encrypted" } else { "plain" },
        ));
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for address in &inventory.addresses {
        *kinds.entry(format!("address {} in {}", address.kind, address.region)).or_default() += 1;
    }
    lines.extend(kinds.into_iter().map(|(kind, count)| format!("{kind}: {count}")));
    for certificate in &inventory.certificates {
        lines.push(format!("certificate {} {}", certificate.hostname, certificate.status));
    }
    for (name, digest) in &inventory.secrets {
        lines.push(format!("secret {name} {digest}"));
    }
    lines.sort();
    lines
}
