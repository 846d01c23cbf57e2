//! Apps, addresses, certificates and secrets, changed.

use serde_json::{Value, json};

use super::certificates;
use super::write::{text, wrong_type};
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{Certificate, Secret};

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let name = match text(&body, "name")? {
        Some(name) => Some(name),
        None => text(&body, "app_name")?,
    };
    let Some(org) = text(&body, "org_slug")?.filter(|slug| !slug.is_empty()) else {
        return Err(Reply::error(400, "invalid_argument: org_slug is required"));
    };
    let known = call.state.org(org).map(|org| org.slug.clone());
    if known.is_some_and(|slug| !call.caller.may_see_org(&slug)) {
        return Err(crate::server::auth::forbidden());
    }
    let role = text(&body, "app_role_id")?;
    let name = name.filter(|name| !name.is_empty());
    let created = call.state.now.as_millisecond();
    let app = call.state.create_app(name, org, text(&body, "network")?, role)?;
    let reply = json!({ "id": app.id, "created_at": created, "name": app.name });
    let cookie = format!("fly_flaps_affinity={}; Path=/v1/apps/{}", app.id, app.name);
    Ok(Reply::json(reply).with_status(201).with_header("set-cookie", cookie))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let name = call.request.param("app");
    // An app is never refused for its Machines: they go with it, with `force` or without.
    call.state.apps.remove(name);
    Ok(Reply::empty(202))
}

pub(crate) fn deploy_token(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let expiry = text(&body, "expiry")?;
    let bad = expiry.filter(|text| crate::world::moment::duration(text).is_err());
    if let Some(text) = bad {
        return Err(Reply::error(400, format!("invalid_argument: invalid expiry '{text}'")));
    }
    let app = call.app()?;
    let (name, org) = (app.name.clone(), app.org.clone());
    let (_, header) = call.state.issue_token("deploy token", "deploy", &org, Some(&name), expiry);
    Ok(Reply::json(json!({ "token": header })))
}

pub(crate) fn assign_ip(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let kind = text(&body, "type")?.unwrap_or_default().to_owned();
    let region = text(&body, "region")?.filter(|region| !region.is_empty()).unwrap_or("global");
    if kind == "egress_pair" {
        let v4 = super::ips::new_ip(call.state, "egress_v4", region);
        let v6 = super::ips::new_ip(call.state, "egress_v6", region);
        let pair = json!({
            "v4": v4.as_ref().map(|ip| ip.address.clone()),
            "v6": v6.as_ref().map(|ip| ip.address.clone()),
        });
        call.app_mut()?.ips.extend(v4.into_iter().chain(v6));
        return Ok(Reply::json(json!({ "ip": Value::Null, "ip_pair": pair, "region": region })));
    }
    let Some(ip) = super::ips::new_ip(call.state, &kind, region) else {
        return Err(Reply::error(400, format!("invalid_argument: invalid type '{kind}'")));
    };
    let answer = super::ips::body(&ip);
    call.app_mut()?.ips.push(ip);
    Ok(Reply::json(answer))
}

pub(crate) fn release_ip(call: &mut Call<'_>) -> Answer {
    let address = call.request.param("ip").to_owned();
    let ips = &mut call.app_mut()?.ips;
    let before = ips.len();
    ips.retain(|ip| ip.address != address);
    if ips.len() == before {
        return Err(Reply::error(404, "not_found: ip assignment not found"));
    }
    Ok(Reply::empty(204))
}

pub(crate) fn request_certificate(call: &mut Call<'_>) -> Answer {
    add_certificate(call, false)
}

pub(crate) fn import_certificate(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    for key in ["fullchain", "private_key"] {
        if text(&body, key)?.is_none_or(str::is_empty) {
            return Err(Reply::error(422, format!("{key} is required")));
        }
    }
    add_certificate(call, true)
}

fn add_certificate(call: &mut Call<'_>, custom: bool) -> Answer {
    let body = call.request.json()?;
    let hostname = text(&body, "hostname")?.unwrap_or_default().to_owned();
    let valid = hostname.contains('.') && !hostname.contains([' ', '/', ':']);
    if !valid {
        return Err(Reply::error(422, format!("hostname '{hostname}' is not valid")));
    }
    if certificates::find(call.app()?, &hostname).is_ok() {
        return Err(Reply::error(422, "Hostname already exists on app"));
    }
    let at = call.state.now;
    let app = call.app_mut()?;
    app.certificates.push(Certificate {
        hostname: hostname.clone(),
        status: if custom { "active" } else { "pending_validation" }.to_owned(),
        configured: custom,
        at,
        // What is imported is not read; it is taken to be as long-lived as those of the usual authorities.
        expires: custom
            .then(|| at.saturating_add(jiff::SignedDuration::from_hours(24 * 90)).ok())
            .flatten(),
        custom,
        errors: Vec::new(),
    });
    let detail = certificates::detail(app, certificates::find(app, &hostname)?);
    Ok(Reply::json(detail).with_status(201))
}

pub(crate) fn delete_certificate(call: &mut Call<'_>) -> Answer {
    let hostname = call.request.param("hostname").to_owned();
    certificates::find(call.app()?, &hostname)?;
    call.app_mut()?.certificates.retain(|certificate| certificate.hostname != hostname);
    Ok(Reply::empty(204))
}

/// Deletes one kind of certificate of a host name; the host stays attached.
pub(crate) fn delete_certificate_kind(call: &mut Call<'_>) -> Answer {
    let app = call.app()?;
    let certificate = certificates::find(app, call.request.param("hostname"))?;
    let mut detail = certificates::detail(app, certificate);
    if call.request.path.ends_with("/custom") {
        detail["warning"] = json!("");
    }
    Ok(Reply::json(detail))
}

pub(crate) fn set_secrets(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let values = match body.get("values") {
        Some(Value::Object(values)) => values.clone(),
        None | Some(Value::Null) => {
            return Err(Reply::error(400, "invalid_argument: values is required"));
        }
        Some(other) => return Err(wrong_type("values", other, "map[string]*string")),
    };
    if let Some((key, bad)) = values.iter().find(|(_, v)| !v.is_string() && !v.is_null()) {
        return Err(wrong_type(&format!("values.{key}"), bad, "string"));
    }
    for (name, value) in &values {
        match value.as_str() {
            Some(value) => put_secret(call, name, value)?,
            None => call.app_mut()?.secrets.retain(|secret| secret.name != *name),
        }
    }
    let app = call.app_mut()?;
    app.secrets_version += 1;
    let secrets: Vec<Value> = app.secrets.iter().map(|s| super::secrets::body(s, false)).collect();
    let version = app.secrets_version;
    Ok(Reply::json(json!({ "secrets": secrets, "version": version, "Version": version })))
}

fn put_secret(call: &mut Call<'_>, name: &str, value: &str) -> Result<(), Reply> {
    let at = call.state.now;
    let secrets = &mut call.app_mut()?.secrets;
    secrets.retain(|secret| secret.name != name);
    secrets.push(Secret { name: name.to_owned(), value: value.to_owned(), at });
    secrets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

pub(crate) fn set_secret(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let Some(value) = text(&body, "value")?.map(str::to_owned) else {
        return Err(Reply::error(400, "invalid_argument: value is required"));
    };
    let name = call.request.param("secret").to_owned();
    put_secret(call, &name, &value)?;
    let app = call.app_mut()?;
    app.secrets_version += 1;
    let version = app.secrets_version;
    let secret = app.secrets.iter().find(|secret| secret.name == name);
    let mut answer = secret.map(|secret| super::secrets::body(secret, false)).unwrap_or_default();
    answer["version"] = json!(version);
    answer["Version"] = json!(version);
    Ok(Reply::json(answer).with_status(201))
}

pub(crate) fn delete_secret(call: &mut Call<'_>) -> Answer {
    let name = call.request.param("secret").to_owned();
    let app = call.app_mut()?;
    let before = app.secrets.len();
    app.secrets.retain(|secret| secret.name != name);
    if app.secrets.len() == before {
        return Err(Reply::error(404, "not_found: secret not found"));
    }
    app.secrets_version += 1;
    let version = app.secrets_version;
    Ok(Reply::json(json!({ "version": version, "Version": version })))
}
