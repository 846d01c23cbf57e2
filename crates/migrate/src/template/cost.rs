//! What a move costs and changes, by the list prices of the snapshot.

use crate::inventory::MachineInfo;
use crate::template::draft::Draft;

impl Draft<'_> {
    /// Monthly price of the copy of a Machine; none where no price is known. One at rest costs nothing here but its root file system.
    pub(super) fn copy_month(&self, machine: &MachineInfo) -> Option<f64> {
        if !machine.runs() {
            return Some(0.0);
        }
        self.prices?.machine_month(machine, &self.request.target)
    }

    /// What stopping a Machine saves in a month.
    pub(super) fn saved_month(&self, machine: &MachineInfo) -> f64 {
        let price = || self.prices?.machine_month(machine, &self.request.source);
        if machine.runs() { price().unwrap_or(0.0) } else { 0.0 }
    }

    /// Says from when the prices are, and for which Machines there are none.
    pub(super) fn price_note(&mut self) {
        let Some(prices) = self.prices else {
            self.warnings.push("no prices are known: costs are left out".to_owned());
            return;
        };
        self.warnings.push(format!(
            "costs are estimates from list prices of {} ({}), without reservations and allowances; both regions are paid until `cleanup`",
            prices.as_of, prices.source
        ));
        let unknown: Vec<String> = self
            .inventory
            .in_region(&self.request.source)
            .filter(|machine| self.copy_month(machine).is_none())
            .map(|machine| machine.id.to_string())
            .collect();
        if !unknown.is_empty() {
            self.warnings.push(format!(
                "no price is known for Machines {}: their cost is left out",
                unknown.join(", ")
            ));
        }
    }
}

/// Costs to a hundredth of a cent: digits beyond that are noise, and texts with few digits are read back exactly.
pub(super) fn round(groups: &mut [runbook::plan::Group]) {
    let short = |usd: f64| (usd * 10_000.0).round() / 10_000.0;
    for step in groups.iter_mut().flat_map(|group| &mut group.steps) {
        step.cost.once_usd = short(step.cost.once_usd);
        step.cost.monthly_usd = short(step.cost.monthly_usd);
    }
}
