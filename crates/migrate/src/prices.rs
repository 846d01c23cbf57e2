//! List prices as a dated snapshot, and what a plan costs by them. Estimates: no discount, no reservation, no allowance.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fly_types::RegionCode;
use serde::Deserialize;

use crate::inventory::MachineInfo;

/// A snapshot of list prices in US dollars.
#[derive(Debug, Clone, Deserialize)]
pub struct Prices {
    /// The day of the snapshot.
    pub as_of: String,
    /// Where the figures come from.
    pub source: String,
    month_seconds: f64,
    cpu_per_second: BTreeMap<String, f64>,
    ram_gb_per_second: f64,
    /// A GB of a volume for a month, attached or not.
    pub volume_gb_month: f64,
    /// A GB of stored snapshots for a month.
    pub snapshot_gb_month: f64,
    /// A pair of static egress addresses for a month.
    pub egress_pair_month: f64,
    cross_region_gb: BTreeMap<String, f64>,
    regions: BTreeMap<String, RegionPrices>,
}

#[derive(Debug, Clone, Deserialize)]
struct RegionPrices {
    markup: f64,
    bandwidth: String,
}

static EMBEDDED: LazyLock<Option<Prices>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/prices.json")).ok());

impl Prices {
    /// The snapshot that is built in.
    pub fn embedded() -> Option<&'static Self> {
        EMBEDDED.as_ref()
    }

    /// Another snapshot in the same form.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// CPU and memory of a Machine that runs all month in a region; none for a region or CPU kind without a price.
    pub fn machine_month(&self, machine: &MachineInfo, region: &RegionCode) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "CPUs and megabytes are small numbers")]
        let (cpus, gigabytes) = (machine.cpus as f64, machine.memory_mb as f64 / 1024.0);
        let cpu = self.cpu_per_second.get(&machine.cpu_kind)?;
        let markup = self.regions.get(region.as_str())?.markup;
        Some(markup * (cpus * cpu + gigabytes * self.ram_gb_per_second) * self.month_seconds)
    }

    /// An upper bound for moving a GB from one region to another: forks and restores have no documented charge.
    pub fn transfer_gb(&self, from: &RegionCode) -> Option<f64> {
        let group = &self.regions.get(from.as_str())?.bandwidth;
        self.cross_region_gb.get(group).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_snapshot_knows_every_current_region() {
        let prices = Prices::embedded().unwrap();
        for region in fly_types::region::CURRENT {
            assert!(prices.regions.contains_key(region.code), "{}", region.code);
        }
        assert_eq!(prices.as_of, "2026-08-07");
    }
}
