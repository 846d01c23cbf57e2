//! Metadata of a Machine.

use serde_json::json;

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let metadata = call.machine()?.config.get("metadata").cloned();
    Ok(Reply::json(metadata.unwrap_or_else(|| json!({}))))
}

pub(crate) fn get_key(call: &mut Call<'_>) -> Answer {
    match call.machine()?.metadata(call.request.param("key")) {
        Some(value) => Ok(Reply::json(json!({ "value": value }))),
        None => Err(Reply::error(404, "not_found: metadata key not found")),
    }
}
