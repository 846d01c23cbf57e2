//! A plan in the making.

use fly_types::MachineId;
use runbook::outputs::reference;
use runbook::plan::{Group, Id, NoReturn, OnLoss, SessionSpec, Step};
use serde_json::{Value, json};

use super::Request;
use super::kinds::{Kind, is_lost, kind};
use crate::inventory::facts::Scope;
use crate::inventory::{Inventory, MachineInfo};
use crate::leases::{LEASES, TTL_SECONDS};
use crate::prices::Prices;
use crate::regions::Regions;

/// What templates add to.
pub(super) struct Draft<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) regions: &'a Regions,
    pub(super) request: &'a Request,
    pub(super) scope: &'a Scope,
    pub(super) prices: Option<&'static Prices>,
    groups: Vec<Group>,
    pub(super) warnings: Vec<String>,
    pub(super) no_return: Option<NoReturn>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        inventory: &'a Inventory,
        regions: &'a Regions,
        request: &'a Request,
        scope: &'a Scope,
    ) -> Self {
        Self {
            inventory,
            regions,
            request,
            scope,
            prices: Prices::embedded(),
            groups: Vec::new(),
            warnings: Vec::new(),
            no_return: None,
        }
    }

    /// Machines that are moved, of one kind.
    pub(super) fn of(&self, wanted: Kind) -> Vec<&'a MachineInfo> {
        let source = &self.request.source;
        self.inventory
            .machines
            .iter()
            .filter(|machine| &machine.region == source && kind(machine) == wanted)
            .collect()
    }

    /// Those of them that answer: only these can be stopped, cordoned or asked.
    pub(super) fn live(&self, wanted: Kind) -> Vec<&'a MachineInfo> {
        let mut machines = self.of(wanted);
        machines.retain(|machine| !is_lost(self.inventory, machine));
        machines
    }

    /// Those whose host does not answer.
    pub(super) fn lost(&self, wanted: Kind) -> Vec<&'a MachineInfo> {
        let mut machines = self.of(wanted);
        machines.retain(|machine| is_lost(self.inventory, machine));
        machines
    }

    /// Steps one after the other. No steps, no group.
    pub(super) fn serial(&mut self, id: &str, title: &str, steps: Vec<Step>) {
        if !steps.is_empty() {
            self.groups.push(Group::serial(id, title, steps));
        }
    }

    /// Steps beside each other.
    pub(super) fn parallel(&mut self, id: &str, title: &str, at_once: u32, steps: Vec<Step>) {
        if !steps.is_empty() {
            self.groups.push(Group::parallel(id, title, at_once, steps));
        }
    }

    /// `-a APP`.
    pub(super) fn app(&self) -> &str {
        self.inventory.app.as_str()
    }

    pub(super) fn finish(
        mut self,
    ) -> (Vec<Group>, Vec<SessionSpec>, Vec<String>, Option<NoReturn>) {
        let leased = self
            .groups
            .iter()
            .flat_map(|group| &group.steps)
            .any(|step| step.sessions.contains(&Id::from(LEASES)));
        // A host that does not answer gives no lease.
        let moved: Vec<&MachineId> = self
            .inventory
            .in_region(&self.request.source)
            .filter(|machine| machine.reachable())
            .map(|machine| &machine.id)
            .collect();
        let leases = SessionSpec {
            id: LEASES.into(),
            kind: LEASES.to_owned(),
            params: json!({"machines": moved}),
            ttl_seconds: TTL_SECONDS,
            on_loss: OnLoss::Reobserve,
        };
        super::cost::round(&mut self.groups);
        let sessions = if leased { vec![leases] } else { Vec::new() };
        (self.groups, sessions, self.warnings, self.no_return)
    }
}

/// Id of the step that makes the copy of a Machine.
pub(super) fn copy(machine: &MachineInfo) -> Id {
    Id::new(format!("create-{}", machine.id.as_str().to_ascii_lowercase()))
}

/// References to the copies of Machines.
pub(super) fn copies(machines: &[&MachineInfo]) -> Value {
    machines.iter().map(|machine| reference(&copy(machine), "machine")).collect()
}

/// Ids of Machines.
pub(super) fn ids(machines: &[&MachineInfo]) -> Value {
    machines.iter().map(|machine| json!(machine.id)).collect()
}
