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

    /// Places that name the region that is left: variables by their name, Machines elsewhere, lines of fly.toml.
    pub(super) fn hard_coded_names(&self) -> Vec<String> {
        let source = self.request.source.as_str();
        let machines: Vec<_> = self.inventory.in_region(&self.request.source).collect();
        let names: BTreeSet<String> = machines
            .iter()
            .flat_map(|machine| &machine.region_env)
            .map(|name| format!("variable {name}"))
            .chain(
                self.inventory
                    .machines
                    .iter()
                    .filter(|machine| machine.region != self.request.source)
                    .filter(|machine| {
                        machine.hosts.iter().any(|host| {
                            host.starts_with(&format!("{source}."))
                                || host.contains(&format!(".{source}."))
                        })
                    })
                    .map(|machine| format!("a host in a variable of Machine {}", machine.id)),
            )
            .collect();
        let mut names: Vec<String> = names.into_iter().collect();
        if let Some(text) = &self.request.options.fly_toml {
            names.extend(lines_that_name(text, source, &self.request.options.fly_toml_name));
        }
        names
    }

    fn region_names(&self) -> Option<String> {
        let names = self.hard_coded_names();
        (!names.is_empty()).then(|| {
            format!(
                "H16: {} is written into {} of app {}: the copies get the same values; change them, and fly-replay headers and firewall rules that name it",
                self.request.source,
                names.join(", "),
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

/// Lines of fly.toml that name a region beside the primary region, which the patch moves: only their numbers and keys are kept.
fn lines_that_name(text: &str, region: &str, file: &str) -> Vec<String> {
    let lines = text.lines().enumerate().filter_map(|(number, line)| {
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let (key, value) = line.split_once('=').unwrap_or(("", line));
        let key = key.trim().trim_matches('"');
        let word = value
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word.eq_ignore_ascii_case(region));
        (word && !matches!(key, "primary_region" | "PRIMARY_REGION" | "app"))
            .then(|| format!("line {} of {file}", number + 1))
    });
    lines.collect()
}
