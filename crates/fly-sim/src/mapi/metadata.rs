//! Metadata of a Machine.

use serde_json::{Map, Value, json};

use super::write::{text, wrong_type};

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

/// The Machine's metadata for a change that makes no new version.
fn change(call: &mut Call<'_>, change: impl FnOnce(&mut Map<String, Value>)) -> Answer {
    call.change(|machine, _| {
        let metadata = machine.config.entry("metadata").or_insert_with(|| json!({}));
        if metadata.is_null() {
            *metadata = json!({});
        }
        if let Value::Object(metadata) = metadata {
            change(metadata);
            metadata.retain(|_, value| value.as_str().is_some_and(|text| !text.is_empty()));
        }
        Ok(())
    })?;
    Ok(Reply::empty(204))
}

fn all(call: &mut Call<'_>, replace: bool) -> Answer {
    let body = call.request.json()?;
    let Some(Value::Object(new)) = body.get("metadata").cloned() else {
        return Err(Reply::error(400, "invalid_argument: metadata is required"));
    };
    if let Some((key, bad)) = new.iter().find(|(_, value)| !value.is_string() && !value.is_null()) {
        return Err(wrong_type(&format!("metadata.{key}"), bad, "string"));
    }
    let version = text(&body, "machine_version")?.map(str::to_owned);
    if version.is_some_and(|version| call.machine().is_ok_and(|m| m.instance_id != version)) {
        return Err(Reply::error(412, "failed_precondition: machine version mismatch"));
    }
    change(call, |metadata| {
        if replace {
            metadata.clear();
        }
        metadata.extend(new);
    })
}

pub(crate) fn put(call: &mut Call<'_>) -> Answer {
    all(call, true)
}

pub(crate) fn patch(call: &mut Call<'_>) -> Answer {
    all(call, false)
}

pub(crate) fn set_key(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let key = call.request.param("key").to_owned();
    let value = text(&body, "value")?.unwrap_or_default().to_owned();
    change(call, |metadata| {
        metadata.insert(key, json!(value));
    })
}

pub(crate) fn delete_key(call: &mut Call<'_>) -> Answer {
    let key = call.request.param("key").to_owned();
    change(call, |metadata| {
        metadata.remove(&key);
    })
}
