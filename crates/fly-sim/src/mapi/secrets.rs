//! Secrets, read. Values are shown only to callers that ask and may.

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::ids::mix;
use crate::state::{Secret, rfc3339_millis};

/// 16 hex digits that depend on the value only, as since 2025.
pub(crate) fn digest(value: &str) -> String {
    let fold = |seed: u64, byte: u8| mix(seed ^ u64::from(byte));
    format!("{:016x}", value.bytes().fold(0x5eed, fold))
}

pub(crate) fn body(secret: &Secret, show: bool) -> Value {
    let mut value = json!({
        "name": secret.name, "digest": digest(&secret.value),
        "created_at": rfc3339_millis(secret.at), "updated_at": rfc3339_millis(secret.at),
    });
    if show {
        value["value"] = json!(secret.value);
    }
    value
}

/// Clients send `version` where the document says `min_version`.
fn check_version(call: &Call<'_>) -> Result<(), Reply> {
    let wanted = call.request.query("min_version").or_else(|| call.request.query("version"));
    let wanted: i64 = wanted.and_then(|n| n.parse().ok()).unwrap_or(0);
    if wanted > call.app()?.secrets_version {
        return Err(Reply::error(412, "failed_precondition: secrets version not yet available"));
    }
    Ok(())
}

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    check_version(call)?;
    let show = call.request.flag("show_secrets");
    let secrets: Vec<Value> = call.app()?.secrets.iter().map(|s| body(s, show)).collect();
    Ok(Reply::json(json!({ "secrets": secrets })))
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    check_version(call)?;
    let name = call.request.param("secret");
    let secret = call.app()?.secrets.iter().find(|secret| secret.name == name);
    let secret = secret.ok_or_else(|| Reply::error(404, "not_found: secret not found"))?;
    Ok(Reply::json(body(secret, call.request.flag("show_secrets"))))
}
