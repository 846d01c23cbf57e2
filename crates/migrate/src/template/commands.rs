//! The same by hand: what a person types instead of a step.

use fly_types::RegionCode;

use crate::inventory::MachineInfo;

/// One command per Machine.
pub(super) fn each(machines: &[&MachineInfo], command: impl Fn(&str) -> String) -> Vec<String> {
    machines.iter().map(|machine| command(machine.id.as_str())).collect()
}

/// A copy of a Machine.
pub(super) fn clone(app: &str, machine: &MachineInfo, region: &RegionCode) -> String {
    format!("fly machine clone {} --region {region} -a {app}", machine.id)
}
