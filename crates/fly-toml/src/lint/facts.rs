//! What a caller may know of the app that runs, beyond its fly.toml. Must not know: where the facts come from.

use std::collections::BTreeSet;

use crate::convert::{EPHEMERAL, Observed};

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
    /// What Machines show: groups and regions, and the volumes that are mounted. Machines of a deploy and standbys are
    /// left out; volumes that no Machine mounts are not seen.
    pub fn of_machines(machines: &[Observed]) -> Self {
        let mut facts =
            Self { machines: Some(Vec::new()), volumes: Some(Vec::new()), ..Self::default() };
        for machine in machines {
            let config = &machine.config;
            let group = config.metadata_value("fly_process_group").unwrap_or("app");
            let is_standby = config.standbys.get().is_some_and(|list| !list.is_empty());
            if group.starts_with(EPHEMERAL) || is_standby {
                continue;
            }
            facts.add_machine(group, &machine.region);
            for mount in config.mounts.get().into_iter().flatten() {
                if let Some(name) = mount.name.get() {
                    facts.add_volume(name, &machine.region);
                }
            }
        }
        facts
    }

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
