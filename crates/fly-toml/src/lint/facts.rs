//! What a caller may know of the app that runs, beyond its fly.toml. Must not know: where the facts come from.

use std::collections::BTreeSet;

/// Facts about a running app. What nobody looked up is `None`, which no lint takes for "there are none".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its Machines.
    pub machines: Option<Vec<MachineFact>>,
    /// Its volumes.
    pub volumes: Option<Vec<VolumeFact>>,
    /// Whether it has an address on the public internet; with private (Flycast) addresses only it has none.
    pub public: Option<bool>,
}

/// One Machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineFact {
    /// Its process group.
    pub group: String,
    /// Where it runs.
    pub region: String,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFact {
    /// Its name, the `source` of a mount.
    pub name: String,
    /// Where it is.
    pub region: String,
}

impl Facts {
    /// Adds a Machine.
    pub fn add_machine(&mut self, group: &str, region: &str) {
        let machine = MachineFact { group: group.to_owned(), region: region.to_owned() };
        self.machines.get_or_insert_default().push(machine);
    }

    /// Adds a volume.
    pub fn add_volume(&mut self, name: &str, region: &str) {
        let volume = VolumeFact { name: name.to_owned(), region: region.to_owned() };
        self.volumes.get_or_insert_default().push(volume);
    }

    /// How many Machines a group has, when that is known.
    pub fn count(&self, group: &str) -> Option<usize> {
        let machines = self.machines.as_ref()?;
        Some(machines.iter().filter(|machine| machine.group == group).count())
    }

    /// Regions in which a group has Machines; empty when nothing is known.
    pub fn regions(&self, group: &str) -> BTreeSet<&str> {
        let machines = self.machines.iter().flatten().filter(|machine| machine.group == group);
        machines.map(|machine| machine.region.as_str()).collect()
    }
}
