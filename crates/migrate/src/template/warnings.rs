//! What a plan cannot do anything about, and somebody should know before it is applied.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;

impl Draft<'_> {
    /// Warnings about what is written into the configuration.
    pub(super) fn configuration_notes(&mut self) {
        self.warnings.extend(self.disagreement());
        self.warnings.extend(self.addresses());
    }

    /// One Machine with another primary region than the rest is usually a slip (flyctl 3509). Each keeps its own.
    fn disagreement(&self) -> Option<String> {
        let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for machine in &self.inventory.machines {
            if let Some(region) = machine.primary_region.as_deref() {
                regions.entry(region).or_default().push(machine.id.as_str());
            }
        }
        let one = |(region, ids): (&&str, &Vec<&str>)| format!("{region} in {}", ids.join(", "));
        let all: Vec<String> = regions.iter().map(one).collect();
        (all.len() > 1).then(|| {
            format!(
                "H05: the Machines of app {} disagree on PRIMARY_REGION ({}): only {} is changed to {}, in the copies",
                self.app(),
                all.join("; "),
                self.request.source,
                self.request.target
            )
        })
    }

    /// 6PN addresses change with a move, as with a host migration (community.fly.io/t/20265).
    fn addresses(&self) -> Option<String> {
        let machines = self.inventory.machines.iter();
        let names: BTreeSet<&str> =
            machines.flat_map(|machine| &machine.address_env).map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "H13: 6PN addresses are written into {} of app {}: moved Machines get new ones; use names below .internal",
                names.into_iter().collect::<Vec<_>>().join(", "),
                self.app()
            )
        })
    }
}
