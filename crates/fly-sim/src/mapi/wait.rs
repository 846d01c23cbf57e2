//! `GET …/wait`: the long poll for a state.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::machine_not_found;
use crate::server::Shared;
use crate::server::dispatch::checked;
use crate::server::http::{Answer, Reply, Request};
use crate::server::routes::{Call, Route};
use crate::state::Machine;

const RESTING: [&str; 6] = ["created", "started", "stopped", "suspended", "failed", "destroyed"];
/// How long a wait sleeps at most before it looks again; changes wake it earlier.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

struct Wanted {
    states: Vec<String>,
    version: Option<String>,
    after_event: Option<String>,
    timeout: i64,
}

fn wanted(request: &Request) -> Result<Wanted, Reply> {
    let mut states: Vec<String> =
        request.query_all("state").flat_map(|s| s.split(',')).map(str::to_owned).collect();
    states.retain(|state| !state.is_empty());
    if states.is_empty() {
        states.push("started".to_owned());
    }
    let known = ["started", "stopped", "suspended", "destroyed", "failed", "settled", "created"];
    if let Some(state) = states.iter().find(|state| !known.contains(&state.as_str())) {
        return Err(Reply::error(400, format!("invalid_argument: unknown state '{state}'")));
    }
    let timeout = match request.query("timeout") {
        None => 60,
        Some(text) => text.parse().ok().filter(|n| (1..=60).contains(n)).ok_or_else(|| {
            Reply::error(
                400,
                "invalid_argument: invalid timeout: value must be inside range [1s, 1m0s]",
            )
        })?,
    };
    let version = request.query("version").or_else(|| request.query("instance_id"));
    Ok(Wanted {
        states,
        version: version.map(str::to_owned),
        after_event: request.query("from_event_id").map(str::to_owned),
        timeout,
    })
}

enum Look {
    Done(Reply),
    NotYet { next: Option<Timestamp>, state: String },
}

fn look(call: &mut Call<'_>, wanted: &Wanted) -> Result<Look, Reply> {
    let machine = call.machine().map_err(|_| machine_not_found())?;
    if let Some(version) = &wanted.version
        && *version != machine.instance_id
        && machine.versions.iter().any(|(old, _)| old == version)
    {
        return Err(Reply::error(
            400,
            format!("failed_precondition: machine version {version} is currently replaced"),
        ));
    }
    let happened = wanted.after_event.as_ref().is_none_or(|id| machine.last_event() > id.as_str());
    if happened && wanted.states.iter().any(|state| reached(machine, state)) {
        return Ok(Look::Done(Reply::json(json!({
            "ok": true, "state": machine.state, "version": machine.instance_id,
            "event_id": machine.last_event(),
        }))));
    }
    let next = machine.pending.iter().map(|pending| pending.at).min();
    Ok(Look::NotYet { next, state: machine.state.clone() })
}

fn reached(machine: &Machine, state: &str) -> bool {
    let settled = RESTING.contains(&machine.state.as_str()) && machine.pending.is_empty();
    machine.state == state || (state == "settled" && settled)
}

pub(crate) async fn wait(shared: &Arc<Shared>, route: &Route, request: &Request) -> Answer {
    let wanted = {
        let mut inner = shared.lock();
        // The limit is taken once, however often the state is looked at below.
        checked(&mut inner, shared, route, request, |_| Ok(Reply::ok()))?;
        wanted(request)?
    };
    let deadline = shared.clock.now().saturating_add(SignedDuration::from_secs(wanted.timeout));
    let deadline = deadline.unwrap_or(Timestamp::MAX);
    loop {
        let changed = shared.changed.notified();
        let (next, state) = {
            let mut inner = shared.lock();
            let caller = crate::server::auth::Caller::Anyone;
            let mut call = Call { state: &mut inner.state, request, caller: &caller };
            match look(&mut call, &wanted)? {
                Look::Done(reply) => return Ok(reply),
                Look::NotYet { next, state } => (next, state),
            }
        };
        let now = shared.clock.now();
        if now >= deadline {
            return Err(Reply::error(
                408,
                format!(
                    "deadline_exceeded: machine failed to reach desired state, {}, currently {state}",
                    wanted.states.join(",")
                ),
            ));
        }
        let until = next.map_or(deadline, |at| at.min(deadline));
        let pause = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        let pause = pause.max(Duration::from_millis(1));
        if shared.clock.is_virtual() {
            shared.clock.advance(pause);
        } else {
            let _woken = tokio::time::timeout(pause.min(LONGEST_SLEEP), changed).await;
        }
    }
}
