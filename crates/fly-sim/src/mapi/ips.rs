//! IP assignments, read.

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{Ip, State, rfc3339_millis};

pub(crate) fn body(ip: &Ip) -> Value {
    json!({
        "ip": ip.address, "region": ip.region, "service_name": "",
        "shared": ip.kind == "shared_v4", "egress": ip.kind.starts_with("egress_"),
        "created_at": rfc3339_millis(ip.at),
    })
}

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let ips: Vec<Value> = call.app()?.ips.iter().map(body).collect();
    Ok(Reply::json(json!({ "ips": ips })))
}

/// A new address of this kind, or none when there is no such kind.
pub(crate) fn new_ip(state: &mut State, kind: &str, region: &str) -> Option<Ip> {
    let n = state.ids.number();
    let (a, b) = (n & 0xffff, (n >> 16) & 0xffff);
    let address = match kind {
        "v4" => format!("137.66.{}.{}", a % 254 + 1, b % 254 + 1),
        "shared_v4" => format!("66.241.{}.{}", 124 + a % 2, b % 254 + 1),
        "v6" => format!("2a09:8280:1::{a:x}:{b:x}:0"),
        "private_v6" => format!("fdaa:10:e286:0:1::{a:x}"),
        "egress_v4" => format!("209.71.{}.{}", a % 254 + 1, b % 254 + 1),
        "egress_v6" => format!("2a09:8280:e:{a:x}:{b:x}::1"),
        _ => return None,
    };
    Some(Ip {
        id: state.ids.opaque(),
        address,
        kind: kind.to_owned(),
        region: region.to_owned(),
        at: state.now,
        machine: None,
    })
}
