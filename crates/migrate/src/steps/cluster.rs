//! `cluster_in_sync`: the nodes of a LiteFS cluster are asked where they stand. LiteFS says so in its replicated folder: `.primary` names
//! the primary on every other node, and `DATABASE-pos` holds the position, `TXID/CHECKSUM`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fly_types::state::MachineState;
use fly_types::{MachineId, RegionCode};
use runbook::context::StepContext;
use runbook::error::StepError;
use runbook::outputs::Outputs;
use serde::Deserialize;

use super::looks::Look;
use crate::platform::Platform;

/// Name of the kind.
pub(crate) const IN_SYNC: &str = "cluster_in_sync";
/// How often in a row all of it must hold.
const TIMES: u32 = 2;
const PAUSE: Duration = Duration::from_secs(1);
/// After this long it will take long, so it is asked less often.
const SOON: u64 = 20;

/// How long to wait until all are asked again.
fn pause_after(waited: u64) -> Duration {
    if waited < SOON { PAUSE } else { PAUSE * 15 }
}

pub(crate) struct InSync(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
struct Params {
    members: Vec<MachineId>,
    /// Nodes that are on their way out. Once the target leads they may rest: a look is repeated after later steps.
    #[serde(default)]
    old: Vec<MachineId>,
    folder: String,
    /// Where the primary goes.
    target: RegionCode,
    /// The primary is there.
    #[serde(default)]
    led: bool,
}

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: MachineId,
    /// Whom it follows; none on the primary.
    pub(crate) follows: Option<MachineId>,
    /// Position of each database: transaction and checksum.
    positions: BTreeMap<String, (u64, String)>,
}

impl Node {
    /// Whether it has everything that another one had.
    fn has_all_of(&self, other: &Self) -> bool {
        other.positions.iter().all(|(name, (transaction, _))| {
            self.positions.get(name).is_some_and(|(own, _)| own >= transaction)
        })
    }

    fn text(&self) -> String {
        let position = |(name, (transaction, _)): (&String, &(u64, String))| {
            format!("{name} at {transaction}")
        };
        let all: Vec<String> = self.positions.iter().map(position).collect();
        if all.is_empty() { "no database".to_owned() } else { all.join(", ") }
    }
}

async fn run(
    platform: &Platform,
    id: &MachineId,
    words: &[&str],
) -> Result<(bool, String), StepError> {
    let result = platform.inspect(id, words).await?;
    let text = result.stdout.get().map(|text| text.expose().clone()).unwrap_or_default();
    Ok((result.exit_code.copied().unwrap_or(0) == 0, text))
}

/// Asks one node. An error names it.
pub(crate) async fn node(
    platform: &Platform,
    id: &MachineId,
    folder: &str,
) -> Result<Node, StepError> {
    let machine = platform.look(std::slice::from_ref(id)).await?;
    let state = machine.first().and_then(|machine| machine.state.get());
    if state != Some(&MachineState::Started) {
        let word = state.map_or("unknown", MachineState::as_str);
        return Err(StepError::failed(format!("node {id} of app {} is {word}", platform.app)));
    }
    let (listed, names) = run(platform, id, &["ls", folder]).await?;
    if !listed {
        return Err(StepError::failed(format!(
            "node {id} of app {} has no folder {folder}: LiteFS does not run there, or mounts elsewhere",
            platform.app
        )));
    }
    let (follows, primary) = run(platform, id, &["cat", &format!("{folder}/.primary")]).await?;
    let follows = if follows { primary.trim().parse().ok() } else { None };
    let mut positions = BTreeMap::new();
    let parts = ["-pos", "-wal", "-shm", "-journal", "-lock"];
    let databases = names
        .split_whitespace()
        .filter(|name| !name.starts_with('.') && !parts.iter().any(|part| name.ends_with(part)));
    for name in databases {
        let (there, text) = run(platform, id, &["cat", &format!("{folder}/{name}-pos")]).await?;
        let position = text.trim().split_once('/').and_then(|(transaction, sum)| {
            Some((u64::from_str_radix(transaction, 16).ok()?, sum.to_owned()))
        });
        let position = position.filter(|_| there).ok_or_else(|| {
            StepError::failed(format!(
                "node {id} of app {} does not say at which position its database {name} is",
                platform.app
            ))
        })?;
        positions.insert(name.to_owned(), position);
    }
    Ok(Node { id: id.clone(), follows, positions })
}

/// The primary, once every node follows it and has what it had. With `still`, all have the very same.
pub(crate) async fn in_sync(
    platform: &Platform,
    members: &[MachineId],
    folder: &str,
    still: bool,
) -> Result<Node, StepError> {
    let mut nodes = Vec::with_capacity(members.len());
    for id in members {
        nodes.push(node(platform, id, folder).await?);
    }
    // The primary may be a node that is not among these.
    let outside = match nodes.first() {
        Some(first) if nodes.iter().all(|node| node.follows.is_some()) => first.follows.clone(),
        _ => None,
    };
    if let Some(id) = outside.filter(|id| !members.contains(id)) {
        nodes.push(node(platform, &id, folder).await?);
    }
    let app = &platform.app;
    let mut primaries = nodes.iter().filter(|node| node.follows.is_none());
    let (Some(primary), None) = (primaries.next(), primaries.next()) else {
        let count = nodes.iter().filter(|node| node.follows.is_none()).count();
        return Err(StepError::failed(format!(
            "{count} nodes of app {app} say that they are the primary"
        )));
    };
    for other in nodes.iter().filter(|node| node.id != primary.id) {
        if other.follows.as_ref() != Some(&primary.id) {
            return Err(StepError::failed(format!(
                "node {} of app {app} follows another primary than {}",
                other.id, primary.id
            )));
        }
        // Those before the primary were asked before it, so they are asked again.
        let fresh = node(platform, &other.id, folder).await?;
        let same =
            if still { fresh.positions == primary.positions } else { fresh.has_all_of(primary) };
        if !same {
            return Err(StepError::failed(format!(
                "node {} of app {app} has {}, the primary {} has {}",
                fresh.id,
                fresh.text(),
                primary.id,
                primary.text()
            )));
        }
    }
    if primary.positions.is_empty() {
        return Err(StepError::failed(format!(
            "the primary {} of app {app} has no database",
            primary.id
        )));
    }
    Ok(primary.clone())
}

/// Waits for that; the last reason if it takes too long.
pub(crate) async fn wait_in_sync(
    platform: &Platform,
    members: &[MachineId],
    folder: &str,
    limit: Duration,
) -> Result<Node, StepError> {
    let mut waited = Duration::ZERO;
    loop {
        match in_sync(platform, members, folder, false).await {
            Err(_) if waited < limit => {}
            result => return result,
        }
        let pause = pause_after(waited.as_secs());
        platform.pause(pause).await;
        waited += pause;
    }
}

/// Waits until all have the very same, twice in a row: nobody writes.
pub(crate) async fn wait_still(
    platform: &Platform,
    members: &[MachineId],
    folder: &str,
    limit: Duration,
) -> Result<(), StepError> {
    let (mut before, mut waited) = (None, Duration::ZERO);
    loop {
        let now = in_sync(platform, members, folder, true).await.ok();
        if now.is_some() && now == before {
            return Ok(());
        }
        if waited >= limit {
            return Err(StepError::failed(format!(
                "app {} is written to, although nobody is served",
                platform.app
            ))
            .hint("stop what writes beside the traffic (jobs, consoles), then resume"));
        }
        before = now;
        platform.pause(PAUSE).await;
        waited += PAUSE;
    }
}

/// Those that run, and those that do not.
pub(crate) async fn running(
    platform: &Platform,
    ids: &[MachineId],
) -> Result<(Vec<MachineId>, Vec<MachineId>), StepError> {
    let machines = platform.look(ids).await?;
    let (run, rest): (Vec<_>, Vec<_>) = machines
        .into_iter()
        .partition(|machine| machine.state.get() == Some(&MachineState::Started));
    let ids =
        |machines: Vec<fly_types::wire::Machine>| machines.into_iter().map(|one| one.id).collect();
    Ok((ids(run), ids(rest)))
}

impl InSync {
    /// The primary.
    async fn once(&self, params: &Params) -> Result<Node, StepError> {
        let (run, rest) = running(&self.0, &params.old).await?;
        let members: Vec<MachineId> = params.members.iter().cloned().chain(run).collect();
        let primary = in_sync(&self.0, &members, &params.folder, false).await?;
        let machine = self.0.look(std::slice::from_ref(&primary.id)).await?;
        let led = machine.first().and_then(|machine| machine.region.get()) == Some(&params.target);
        if let Some(id) = rest.first().filter(|_| !led) {
            return Err(StepError::failed(format!("node {id} of app {} does not run", self.0.app)));
        }
        if params.led && !led {
            return Err(StepError::failed(format!(
                "the primary {} of app {} is not in {}",
                primary.id, self.0.app, params.target
            )));
        }
        Ok(primary)
    }
}

#[async_trait]
impl Look for InSync {
    async fn ready(&self, cx: &StepContext<'_>) -> Result<(), StepError> {
        let params: Params = cx.parse()?;
        let limit = cx.step.deadline_seconds.unwrap_or(600);
        let (mut well, mut waited) = (0, 0);
        loop {
            match self.once(&params).await {
                Ok(_) => well += 1,
                Err(problem) if waited >= limit => {
                    return Err(problem
                        .hint("look at the logs of that node; resume once it is mended, or undo"));
                }
                Err(problem) => {
                    well = 0;
                    cx.note(&problem.to_string());
                }
            }
            if well >= TIMES {
                return Ok(());
            }
            let pause = pause_after(waited);
            self.0.pause(pause).await;
            waited += pause.as_secs();
        }
    }

    async fn look(&self, cx: &StepContext<'_>) -> Result<Outputs, StepError> {
        let params: Params = cx.parse()?;
        let primary = self.once(&params).await?;
        Ok(Outputs::none()
            .with("primary", primary.id.to_string())
            .with("members", u64::try_from(params.members.len() + params.old.len()).unwrap_or(0)))
    }
}
