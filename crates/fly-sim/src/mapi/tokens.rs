//! What the caller's token is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::write::{flag, text};
use crate::server::auth::{self, Caller, tokens_of};
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;

pub(crate) fn current(call: &mut Call<'_>) -> Answer {
    let token = match call.caller {
        Caller::Known(token) => json!({
            "token_id": token.id, "org_slug": token.org, "organization": token.org,
            "apps": token.apps, "user": token.user.as_deref().unwrap_or_default(),
            "restricted_to_machine": "", "source_machine_id": "",
        }),
        Caller::Anyone => json!({
            "token_id": "sim00000token000", "org_slug": call.state.orgs[0].slug,
            "organization": call.state.orgs[0].slug, "apps": [], "user": call.state.viewer,
            "restricted_to_machine": "", "source_machine_id": "",
        }),
    };
    Ok(Reply::json(json!({ "tokens": Value::Array(vec![token]) })))
}

/// What a header holds, once it is found valid.
fn verified(call: &Call<'_>, header: &str) -> Result<Value, Reply> {
    let sent = tokens_of(header);
    let known = call.state.tokens.iter();
    let known = known.flat_map(|token| tokens_of(&token.value)).any(|part| sent.contains(&part));
    if sent.is_empty() || !(known || call.state.tokens.is_empty()) {
        return Err(Reply::error(400, "invalid_argument: token validation error"));
    }
    let id = STANDARD.encode(&sent[0].as_bytes()[..sent[0].len().min(8)]);
    Ok(json!({
        "nonce": { "kid": id, "rnd": STANDARD.encode("0123456789abcdef"), "proof": false },
        "caveats": { "caveats": [] }, "header": header, "permission_token": STANDARD.encode(&sent[0]),
    }))
}

pub(crate) fn authenticate(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let header = text(&body, "header")?.unwrap_or_default();
    Ok(Reply::json(json!([verified(call, header)?])))
}

/// Action bits: 1 read, 2 write, 4 create, 8 delete, 16 control.
pub(crate) fn authorize(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let header = text(&body, "header")?.unwrap_or_default();
    let access = match body.get("access") {
        Some(access @ Value::Object(_)) => access,
        None | Some(Value::Null) => {
            return Err(Reply::error(400, "invalid_argument: access is required"));
        }
        Some(other) => return Err(super::write::wrong_type("access", other, "TokenAccess")),
    };
    let verified = verified(call, header)?;
    let sent = tokens_of(header);
    let token = call
        .state
        .tokens
        .iter()
        .find(|token| tokens_of(&token.value).iter().any(|part| sent.contains(part)));
    if let Some(token) = token {
        let caller = Caller::Known(token.clone());
        let writes = access["action"].as_i64().is_some_and(|bits| bits & !1 != 0);
        let org = text(access, "org_slug")?.unwrap_or(&token.org);
        let seen = match text(access, "app_name")? {
            Some(app) => caller.may_see_app(org, app),
            None => caller.may_see_org(org),
        };
        if !seen || (writes && !caller.may_write()) {
            return Err(auth::forbidden());
        }
    }
    Ok(Reply::json(json!({ "access": resolved(call, access), "verified_token": verified })))
}

/// The access that was asked for, with names made numbers and the keys that the answer has.
fn resolved(call: &Call<'_>, access: &Value) -> Value {
    let text = |key: &str| access[key].as_str().unwrap_or_default();
    let mut out = json!({ "action": access["action"].as_i64().unwrap_or(0) });
    if let Some(org) = call.state.org(text("org_slug")) {
        out["orgid"] = json!(org.numeric_id);
    }
    if let Some(app) = call.state.apps.get(text("app_name")) {
        out["appid"] = json!(app.numeric_id);
    }
    for (from, to) in [
        ("machine_id", "machine"),
        ("volume_id", "volume"),
        ("org_feature", "feature"),
        ("app_feature", "app_feature"),
        ("machine_feature", "machine_feature"),
        ("mutation", "mutation"),
        ("command", "command"),
        ("source_machine", "sourceMachine"),
        ("storage_object", "storage_object"),
    ] {
        if let Some(value) = access.get(from).filter(|value| !value.is_null()) {
            out[to] = value.clone();
        }
    }
    out
}

/// An unsigned stand-in for the JWT of a Machine's identity.
pub(crate) fn oidc(call: &mut Call<'_>) -> Answer {
    let body = call.request.json_or_empty()?;
    let org = call.state.orgs[0].slug.clone();
    let aud = text(&body, "aud")?.map_or_else(|| format!("https://fly.io/{org}"), str::to_owned);
    flag(&body, "aws_principal_tags")?;
    let now = call.state.now.as_second();
    let claims = json!({
        "iss": format!("https://oidc.fly.io/{org}"), "aud": aud, "org_name": org, "iat": now,
        "nbf": now, "exp": now + 600, "sub": format!("{org}:sim:sim"), "jti": call.state.ids.opaque(),
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.sim", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
    Ok(Reply::text(200, token))
}

pub(crate) fn kms(call: &mut Call<'_>) -> Answer {
    Ok(Reply::text(200, format!("fm2_{}", call.state.ids.hex(40))))
}
