//! IP assignments, read.

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{Ip, rfc3339_millis};

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
