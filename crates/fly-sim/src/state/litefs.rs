//! A LiteFS cluster, as far as a move sees it: who is primary, where every node stands, and that what the primary lacks is lost.
//!
//! Not here: the HTTP interface of LiteFS, Consul, and writes on followers, which LiteFS forwards.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::shell::{Mount, sha256};
use super::volume::Files;
use super::{App, Machine};
use crate::world::place::LiteFsFile;

/// What is known of the nodes.
#[derive(Debug)]
pub(crate) struct LiteFs {
    file: LiteFsFile,
    primary: Option<String>,
    /// Before that nobody may take the lease.
    free_from: Timestamp,
    next_write: Timestamp,
    /// Since when each node runs.
    runs: BTreeMap<String, Timestamp>,
}

/// Consul keeps a lock closed for a second after its holder gave it up.
const LOCK_DELAY: SignedDuration = SignedDuration::from_secs(1);

impl LiteFs {
    pub(crate) fn new(file: LiteFsFile, start: Timestamp) -> Self {
        // Nodes of the world run since long.
        let next_write = file
            .write_every
            .and_then(|every| start.checked_add(every).ok())
            .unwrap_or(Timestamp::MAX);
        Self { file, primary: None, free_from: start, next_write, runs: BTreeMap::new() }
    }

    fn volume_of(&self, machine: &Machine) -> Option<String> {
        let mounts = machine.config.get("mounts")?.as_array()?;
        let mount = mounts.iter().find(|mount| mount["path"] == self.file.mount.as_str())?;
        mount["volume"].as_str().map(str::to_owned)
    }

    /// A Machine that runs the app on such a volume.
    fn is_node(&self, machine: &Machine) -> bool {
        let app =
            machine.config.get("init").and_then(|init| init.get("exec")).is_none_or(Value::is_null);
        machine.state == "started" && machine.host_ok() && app && self.volume_of(machine).is_some()
    }
}

fn may_lead(machine: &Machine) -> bool {
    let primary = machine.config.get("env").and_then(|env| env["PRIMARY_REGION"].as_str());
    primary == Some(machine.region.as_str())
}

impl App {
    /// Brings the cluster to `now`: the lease, the app's writes, the followers.
    pub(super) fn settle_litefs(&mut self, now: Timestamp) {
        let Some(mut cluster) = self.litefs.take() else { return };
        let nodes: Vec<&Machine> =
            self.machines.iter().filter(|machine| cluster.is_node(machine)).collect();
        let first = cluster.runs.is_empty() && cluster.primary.is_none();
        cluster.runs.retain(|id, _| nodes.iter().any(|node| node.id == *id));
        for node in &nodes {
            let since = if first { Timestamp::MIN } else { now };
            cluster.runs.entry(node.id.clone()).or_insert(since);
        }
        let leads = |id: &String| nodes.iter().any(|node| node.id == *id && may_lead(node));
        if cluster.primary.as_ref().is_some_and(|id| !leads(id)) {
            cluster.primary = None;
            cluster.free_from = now.saturating_add(LOCK_DELAY).unwrap_or(now);
        }
        if cluster.primary.is_none() && cluster.free_from <= now {
            let candidates = nodes.iter().filter(|node| may_lead(node));
            let longest = candidates.min_by_key(|node| (cluster.runs.get(&node.id), &node.id));
            cluster.primary = longest.map(|node| node.id.clone());
        }
        let traffic = nodes.iter().any(|node| !node.cordoned);
        let volumes: Vec<(String, String)> = nodes
            .iter()
            .filter_map(|node| Some((node.id.clone(), cluster.volume_of(node)?)))
            .collect();
        let of = |id: &str| volumes.iter().find(|(node, _)| node == id).map(|(_, volume)| volume);
        let leading = cluster.primary.as_deref().and_then(of).cloned();
        let database = cluster.file.database.clone();
        while cluster.next_write <= now {
            let volume = self.volumes.iter_mut().find(|one| Some(&one.id) == leading.as_ref());
            if let Some(volume) = volume.filter(|_| traffic) {
                let text = volume.files.entry(database.clone()).or_default();
                let line = text.lines().count() + 1;
                let by = cluster.primary.as_deref().unwrap_or_default();
                *text += &["row ", &line.to_string(), " by ", by, "\n"].concat();
            }
            let every = cluster.file.write_every.unwrap_or(SignedDuration::MAX);
            let every = every.max(SignedDuration::from_millis(1));
            cluster.next_write = cluster.next_write.saturating_add(every).unwrap_or(Timestamp::MAX);
        }
        let content = self.volumes.iter().find(|one| Some(&one.id) == leading.as_ref());
        if let Some(content) = content.map(|one| one.files.get(&database).cloned()) {
            for (node, id) in &volumes {
                let since = cluster.runs.get(node).copied().unwrap_or(now);
                let ready = since.saturating_add(cluster.file.catch_up).unwrap_or(since);
                let volume = self.volumes.iter_mut().find(|one| one.id == *id);
                if let Some(volume) =
                    volume.filter(|_| ready <= now || cluster.primary.as_ref() == Some(node))
                {
                    match &content {
                        Some(text) => drop(volume.files.insert(database.clone(), text.clone())),
                        None => drop(volume.files.remove(&database)),
                    }
                    // A follower syncs what it applies, the primary what it commits.
                    volume.synced.clone_from(&volume.files);
                }
            }
        }
        self.litefs = Some(cluster);
    }

    /// The replicated folder as a node sees it.
    pub(crate) fn litefs_folder(&self, id: &str) -> Option<Mount> {
        let (cluster, machine) = (self.litefs.as_ref()?, self.machine(id)?);
        if !cluster.is_node(machine) {
            return None;
        }
        let volume = self.volume(&cluster.volume_of(machine)?)?;
        let mut files = Files::new();
        if let Some(text) = volume.files.get(&cluster.file.database) {
            let position = format!("{:016x}/{}\n", text.lines().count(), &sha256(text)[..16]);
            files.insert(cluster.file.database.clone(), text.clone());
            files.insert(format!("{}-pos", cluster.file.database), position);
        }
        if let Some(primary) = cluster.primary.as_ref().filter(|primary| *primary != id) {
            files.insert(".primary".to_owned(), format!("{primary}\n"));
        }
        let path = cluster.file.folder.trim_end_matches('/').to_owned();
        Some(Mount { volume: String::new(), path, size_gb: 0, used_bytes: 0, files })
    }
}
