//! Secret keys (KMS). Byte fields are base64 on the wire, as Go writes them; lists of integers, as the document shows
//! them, are read too. The cryptography is a stand-in: reversible, checked, and worth nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::write::{text, wrong_type};
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{SecretKey, rfc3339_millis};

const TYPES: [&str; 9] = [
    "es256",
    "hs256",
    "hs384",
    "hs512",
    "xaes256gcm",
    "nacl_auth",
    "nacl_box",
    "nacl_secretbox",
    "nacl_sign",
];

fn body(key: &SecretKey) -> Value {
    let mut value = json!({
        "name": key.name, "type": key.kind, "created_at": rfc3339_millis(key.at),
        "updated_at": rfc3339_millis(key.at),
    });
    if matches!(key.kind.as_str(), "es256" | "nacl_box" | "nacl_sign") {
        value["public_key"] = json!(STANDARD.encode(hash(&[b"public", &key.value])));
    }
    value
}

fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

/// A byte field: base64 text or integers; absent and null are empty.
fn bytes(body: &Value, name: &str) -> Result<Vec<u8>, Reply> {
    let bad = || Reply::error(400, format!("invalid_argument: {name} is no base64"));
    match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => STANDARD.decode(text).map_err(|_| bad()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_u64().and_then(|n| u8::try_from(n).ok()).ok_or_else(bad))
            .collect(),
        Some(other) => Err(wrong_type(name, other, "[]uint8")),
    }
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a SecretKey, Reply> {
    let name = call.request.param("secret");
    let key = call.app()?.secret_keys.iter().find(|key| key.name == name);
    key.ok_or_else(|| Reply::error(404, "not_found: secret key not found"))
}

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let types: Vec<&str> = call.request.query_all("types").flat_map(|v| v.split(',')).collect();
    let keys = call.app()?.secret_keys.iter();
    let keys = keys.filter(|key| types.is_empty() || types.contains(&key.kind.as_str()));
    Ok(Reply::json(json!({ "secret_keys": keys.map(body).collect::<Vec<_>>() })))
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(body(find(call)?)))
}

pub(crate) fn set(call: &mut Call<'_>) -> Answer {
    let sent = call.request.json()?;
    let value = bytes(&sent, "value")?;
    if value.is_empty() {
        return Err(Reply::error(400, "invalid_argument: value is required"));
    }
    put(call, &sent, value)
}

pub(crate) fn generate(call: &mut Call<'_>) -> Answer {
    let sent = call.request.json()?;
    let value = call.state.ids.hex(32).into_bytes();
    put(call, &sent, value)
}

fn put(call: &mut Call<'_>, sent: &Value, value: Vec<u8>) -> Answer {
    let kind = text(sent, "type")?.unwrap_or_default().to_lowercase();
    if !TYPES.contains(&kind.as_str()) {
        return Err(Reply::error(400, format!("invalid_argument: unknown key type '{kind}'")));
    }
    let (name, at) = (call.request.param("secret").to_owned(), call.state.now);
    let app = call.app_mut()?;
    app.secret_keys.retain(|key| key.name != name);
    let key = SecretKey { name, kind, value, at };
    let mut answer = body(&key);
    app.secret_keys.push(key);
    app.secrets_version += 1;
    answer["version"] = json!(app.secrets_version);
    answer["Version"] = json!(app.secrets_version);
    Ok(Reply::json(answer).with_status(201))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let name = find(call)?.name.clone();
    let app = call.app_mut()?;
    app.secret_keys.retain(|key| key.name != name);
    app.secrets_version += 1;
    let version = app.secrets_version;
    Ok(Reply::json(json!({ "version": version, "Version": version })))
}

/// The kind of key must fit the operation.
fn able<'a>(call: &'a Call<'_>, kinds: &[&str]) -> Result<&'a SecretKey, Reply> {
    let key = find(call)?;
    if kinds.contains(&key.kind.as_str()) {
        return Ok(key);
    }
    let text = format!("invalid_argument: key type {} does not support this operation", key.kind);
    Err(Reply::error(400, text))
}

const ENCRYPTING: [&str; 3] = ["xaes256gcm", "nacl_box", "nacl_secretbox"];
const SIGNING: [&str; 6] = ["es256", "hs256", "hs384", "hs512", "nacl_auth", "nacl_sign"];
const TAG: usize = 32;

fn masked(key: &SecretKey, data: &[u8], text: &[u8]) -> Vec<u8> {
    let blocks = text.chunks(32).enumerate();
    blocks
        .flat_map(|(number, block)| {
            let mask = hash(&[&key.value, data, &number.to_be_bytes()]);
            block.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>()
        })
        .collect()
}

pub(crate) fn encrypt(call: &mut Call<'_>) -> Answer {
    let sent = call.request.json()?;
    let (text, data) = (bytes(&sent, "plaintext")?, bytes(&sent, "associated_data")?);
    let key = able(call, &ENCRYPTING)?;
    let mut out = hash(&[b"tag", &key.value, &data, &text]);
    out.extend(masked(key, &data, &text));
    Ok(Reply::json(json!({ "ciphertext": STANDARD.encode(out) })))
}

pub(crate) fn decrypt(call: &mut Call<'_>) -> Answer {
    let sent = call.request.json()?;
    let (text, data) = (bytes(&sent, "ciphertext")?, bytes(&sent, "associated_data")?);
    let key = able(call, &ENCRYPTING)?;
    let refused = || Reply::error(400, "invalid_argument: unable to decrypt");
    let (tag, rest) = text.split_at_checked(TAG).ok_or_else(refused)?;
    let plain = masked(key, &data, rest);
    if hash(&[b"tag", &key.value, &data, &plain]) != tag {
        return Err(refused());
    }
    Ok(Reply::json(json!({ "plaintext": STANDARD.encode(plain) })))
}

pub(crate) fn sign(call: &mut Call<'_>) -> Answer {
    let sent = call.request.json()?;
    let text = bytes(&sent, "plaintext")?;
    let key = able(call, &SIGNING)?;
    let signature = hash(&[b"signature", &key.value, &text]);
    Ok(Reply::json(json!({ "signature": STANDARD.encode(signature) })))
}

pub(crate) fn verify(call: &mut Call<'_>) -> Answer {
    let sent = call.request.json()?;
    let (text, signature) = (bytes(&sent, "plaintext")?, bytes(&sent, "signature")?);
    let key = able(call, &SIGNING)?;
    if hash(&[b"signature", &key.value, &text]) != signature {
        return Err(Reply::error(400, "invalid_argument: signature does not match"));
    }
    Ok(Reply::empty(204))
}
