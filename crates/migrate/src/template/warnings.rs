//! What a plan cannot do anything about, and somebody should know before it is applied.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;

impl Draft<'_> {
    /// Warnings about what is written into the configuration.
    pub(super) fn configuration_notes(&mut self) {
        self.warnings.extend(self.disagreement());
        self.warnings.extend(self.addresses());
        self.warnings.extend(self.region_names());
        self.warnings.extend(self.snapshots());
    }

    /// Variables that hold the name of the region that is left; their values are not kept.
    fn region_names(&self) -> Option<String> {
        let machines = self.inventory.in_region(&self.request.source);
        let names: BTreeSet<&str> =
            machines.flat_map(|machine| &machine.region_env).map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "H16: {} is written into {} of app {}: the copies get the same values; change them, and fly-replay headers and firewall rules that name it",
                self.request.source,
                names.into_iter().collect::<Vec<_>>().join(", "),
                self.app()
            )
        })
    }

    /// Until when there is something to restore from, should the old volumes go earlier than thought.
    fn snapshots(&self) -> Vec<String> {
        let moved = self
            .inventory
            .volumes
            .iter()
            .filter(|volume| volume.region == self.request.source && volume.attached.is_some());
        let line = |volume: &crate::inventory::VolumeInfo| {
            let days = volume.retention_days;
            let end = self.request.now.checked_add(jiff::SignedDuration::from_hours(days * 24));
            let date: String =
                end.map_or("unknown".to_owned(), |end| end.to_string().chars().take(10).collect());
            format!(
                "H10: snapshots of volume {} ({}) are kept for {days} days, the one that this move takes until about {date}: clean up before that only if the new side is proven",
                volume.id, volume.name
            )
        };
        moved.map(line).collect()
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
