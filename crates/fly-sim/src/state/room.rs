//! Room for Machines and volumes: regions that are full, hosts that are full, quotas of organizations.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use super::{App, State};
use crate::world::place::{NoRoom, RoomFile};

/// What is left in one region. Absent numbers are without limit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room {
    pub(crate) machines: Option<u64>,
    pub(crate) volumes: Option<u64>,
    pub(crate) zones: Option<u64>,
    pub(crate) full_volume_hosts: bool,
    pub(crate) says: NoRoom,
}

/// Hardware groups of a region unless the world says otherwise.
const ZONES: u64 = 4;

#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms(BTreeMap<String, Room>);

impl Rooms {
    pub(crate) fn set(&mut self, region: &str, file: &RoomFile) {
        let room = self.0.entry(region.to_owned()).or_default();
        room.machines = file.machines.or(room.machines);
        room.volumes = file.volumes.or(room.volumes);
        room.zones = file.zones.or(room.zones);
        room.full_volume_hosts = file.full_volume_hosts.unwrap_or(room.full_volume_hosts);
        room.says = file.says.unwrap_or(room.says);
    }

    pub(crate) fn has_machine_room(&self, region: &str) -> bool {
        self.0.get(region).is_none_or(|room| room.machines != Some(0))
    }

    /// How many more Machines fit, none meaning any number.
    pub(crate) fn machine_room(&self, region: &str) -> Option<u64> {
        self.0.get(region)?.machines
    }

    pub(crate) fn volume_hosts_full(&self, region: &str) -> bool {
        self.0.get(region).is_some_and(|room| room.full_volume_hosts)
    }

    /// Takes the place of one Machine in `region`.
    pub(crate) fn take_machine(&mut self, region: &str) -> Result<(), Refusal> {
        let Some(room) = self.0.get_mut(region) else { return Ok(()) };
        match &mut room.machines {
            Some(0) => Err(refused(room.says, region)),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn give_machine(&mut self, region: &str) {
        if let Some(left) = self.0.get_mut(region).and_then(|room| room.machines.as_mut()) {
            *left += 1;
        }
    }

    pub(crate) fn take_volume(&mut self, region: &str) -> Result<(), Refusal> {
        match self.0.get_mut(region).and_then(|room| room.volumes.as_mut()) {
            Some(0) => Err(Refusal::plain("no capacity")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A hardware group in `region` that is not among `taken`.
    pub(crate) fn zone(&self, region: &str, taken: &[&str], start: u64) -> Option<String> {
        let zones = self.0.get(region).and_then(|room| room.zones).unwrap_or(ZONES).max(1);
        (0..zones)
            .map(|n| zone_name(region, start.wrapping_add(n) % zones))
            .find(|zone| !taken.contains(&zone.as_str()))
    }
}

fn zone_name(region: &str, number: u64) -> String {
    let seed = region.bytes().fold(number, |seed, byte| seed * 31 + u64::from(byte));
    format!("{:04x}", super::ids::mix(seed) & 0xffff)
}

fn refused(says: NoRoom, region: &str) -> Refusal {
    let words = Some("insufficient_capacity");
    match says {
        NoRoom::Candidate => Refusal {
            word: words,
            ..Refusal::unprocessable(format!("could not find a candidate host in region {region}"))
        },
        NoRoom::Aborted => Refusal::aborted(format!(
            "insufficient resources available to fulfill request: no hosts in {region} can take the machine"
        )),
        NoRoom::OutOfCapacity => Refusal { word: words, ..Refusal::unavailable("out of capacity") },
    }
}

impl State {
    /// What an organization may not do for want of a payment method or of quota.
    pub(crate) fn check_quota(
        &self,
        app: &App,
        region: &str,
        memory_mb: i64,
    ) -> Result<(), Refusal> {
        let Some(org) = self.org(&app.org) else { return Ok(()) };
        if org.trial && app.machines.iter().any(|machine| !machine.is_gone()) {
            return Err(Refusal::unprocessable(
                "To create more than 1 machine per app please add a payment method",
            ));
        }
        let Some(quota) = org.memory_quota_mb else { return Ok(()) };
        let apps = self.apps.values().filter(|other| other.org == app.org);
        let used: i64 = apps
            .flat_map(|app| &app.machines)
            .filter(|machine| machine.region == region && !machine.is_gone())
            .map(super::Machine::memory_mb)
            .sum();
        if used + memory_mb <= quota {
            return Ok(());
        }
        Err(Refusal::forbidden(format!(
            "organization \"{}\" is using {used} MB of memory in {region} which is over the allowed quota. \
             please consider other regions",
            org.slug
        )))
    }
}
