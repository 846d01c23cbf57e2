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
