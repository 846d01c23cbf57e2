//! Leases.

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{Lease, Machine};

pub(crate) fn body(lease: &Lease, version: &str, nonce: bool) -> Value {
    let mut data = json!({
        "expires_at": lease.expires.as_second(), "owner": lease.owner,
        "description": lease.description, "version": version,
    });
    if nonce {
        data["nonce"] = json!(lease.nonce);
    }
    json!({ "status": "success", "data": data })
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let now = call.state.now;
    let machine: &Machine = call.machine()?;
    let lease = machine.lease_at(now).ok_or_else(|| Reply::error(404, "lease not found"))?;
    Ok(Reply::json(body(lease, &machine.instance_id, true)))
}

/// Lease time when the caller names none.
const DEFAULT_TTL: i64 = 30;

pub(crate) fn acquire(call: &mut Call<'_>) -> Answer {
    let body = call.request.json_or_empty()?;
    let ttl =
        match call.request.query("ttl") {
            Some(text) => Some(text.parse().map_err(|_| {
                Reply::error(400, format!("invalid_argument: invalid ttl '{text}'"))
            })?),
            None => super::write::number(&body, "ttl")?,
        };
    let ttl = ttl.filter(|ttl| *ttl > 0).unwrap_or(DEFAULT_TTL);
    let description = super::write::text(&body, "description")?.unwrap_or_default().to_owned();
    // With the nonce this is a refresh; without it a held lease is in the way, even for its owner.
    call.check_lease()?;
    let now = call.state.now;
    let owner = call.caller.owner(&call.state.viewer);
    let fresh = call.state.ids.hex(16);
    let expires = now.saturating_add(jiff::SignedDuration::from_secs(ttl)).unwrap_or(now);
    call.change(|machine, _| {
        let held = machine.lease_at(now).cloned();
        let lease = match held {
            Some(lease) => Lease { expires, ..lease },
            None => Lease { nonce: fresh, owner, description, expires },
        };
        let value = body_of(&lease, &machine.instance_id);
        machine.lease = Some(lease);
        Ok(value)
    })
    .map(|value| Reply::json(value).with_status(201))
}

fn body_of(lease: &Lease, version: &str) -> Value {
    body(lease, version, true)
}

pub(crate) fn release(call: &mut Call<'_>) -> Answer {
    let now = call.state.now;
    if call.machine()?.lease_at(now).is_none() {
        return Err(Reply::error(404, "lease not found"));
    }
    call.change(|machine, _| {
        machine.lease = None;
        Ok(())
    })?;
    Ok(Reply::json(json!({ "status": "success", "data": { "ok": true } })))
}
