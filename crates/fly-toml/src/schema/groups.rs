//! Process groups: which there are, which is the default, what applies to which.

use super::{Config, Located, Vm};

/// The group of an app without `[processes]`.
const APP: &str = "app";

impl Config {
    /// Names of the process groups, in alphabetical order; `app` alone without `[processes]`.
    pub fn groups(&self) -> Vec<&str> {
        match &self.processes {
            Some(processes) if !processes.is_empty() => {
                processes.keys().map(String::as_str).collect()
            }
            _ => vec![APP],
        }
    }

    /// True when `[processes]` names at least one group.
    pub fn has_processes(&self) -> bool {
        self.processes.as_ref().is_some_and(|processes| !processes.is_empty())
    }

    /// Whether there is a process group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        match &self.processes {
            Some(processes) if !processes.is_empty() => processes.contains_key(name),
            _ => name == APP,
        }
    }

    /// The group that an entry without `processes` belongs to: `app`, or else the first.
    pub fn default_group(&self) -> &str {
        let first = self.processes.as_ref().and_then(|processes| processes.keys().next());
        match first {
            Some(first) if !self.has_group(APP) => first,
            _ => APP,
        }
    }

    /// Whether an entry with these `processes` applies to a group. Without any it applies to the default group.
    pub fn applies(&self, group: &str, processes: Option<&Located<Vec<Located<String>>>>) -> bool {
        let default = self.default_group();
        match processes {
            Some(list) if !list.is_empty() => {
                // An empty name stands for the default group, as in flyctl.
                list.iter()
                    .any(|name| name.value == group || (name.value.is_empty() && group == default))
            }
            _ => group == default,
        }
    }

    /// The `[[vm]]` entry of a group: the last that names it, or else the first that names none.
    pub fn vm_of(&self, group: &str) -> Option<&Located<Vm>> {
        let entries = self.vm.as_ref()?;
        let names = |vm: &Located<Vm>| {
            vm.processes.as_ref().is_some_and(|list| list.iter().any(|name| name.value == group))
        };
        let unscoped = |vm: &&Located<Vm>| vm.processes.as_ref().is_none_or(|list| list.is_empty());
        entries.iter().rfind(|vm| names(vm)).or_else(|| entries.iter().find(unscoped))
    }
}
