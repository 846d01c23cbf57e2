//! Certificates, read and checked.

use serde_json::{Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{App, Certificate, rfc3339};

const PAGE_DEFAULT: usize = 25;
const PAGE_MAX: usize = 500;

fn summary(certificate: &Certificate) -> Value {
    let done = certificate.configured;
    json!({
        "hostname": certificate.hostname, "status": certificate.status,
        "dns_provider": "enom", "configured": done, "acme_dns_configured": done,
        "acme_alpn_configured": done, "acme_http_configured": done,
        "ownership_txt_configured": done, "acme_requested": !certificate.custom,
        "has_custom_certificate": certificate.custom,
        "has_fly_certificate": certificate.expires.is_some() && !certificate.custom,
        "created_at": rfc3339(certificate.at), "updated_at": rfc3339(certificate.at),
    })
}

pub(crate) fn detail(app: &App, certificate: &Certificate) -> Value {
    let done = certificate.configured;
    let address = |kind: &[&str]| -> Vec<&str> {
        let ips = app.ips.iter().filter(|ip| kind.contains(&ip.kind.as_str()));
        ips.map(|ip| ip.address.as_str()).collect()
    };
    let issued: Vec<Value> = certificate
        .expires
        .map(|expires| {
            let kinds = ["ecdsa", "rsa"];
            let issued = kinds.map(|kind| {
                json!({ "type": kind, "expires_at": rfc3339(expires), "certificate_authority": "lets_encrypt" })
            });
            json!({
                "source": if certificate.custom { "custom" } else { "fly" }, "status": certificate.status,
                "created_at": rfc3339(certificate.at), "expires_at": rfc3339(expires),
                "issuer": Value::Null, "issued": issued,
            })
        })
        .into_iter()
        .collect();
    let mut value = json!({
        "hostname": certificate.hostname, "configured": done,
        "acme_requested": !certificate.custom, "status": certificate.status,
        "dns_provider": "enom", "certificates": issued,
        "validation": {
            "dns_configured": done, "alpn_configured": done, "http_configured": done,
            "ownership_txt_configured": done,
        },
        "dns_requirements": {
            "a": address(&["v4", "shared_v4"]), "aaaa": address(&["v6"]),
            "cname": app.hostname(),
            "acme_challenge": {
                "name": format!("_acme-challenge.{}", certificate.hostname),
                "target": format!("{}.flydns.net", certificate.hostname),
            },
            "ownership": {
                "name": format!("_fly-ownership.{}", certificate.hostname),
                "app_value": format!("app-{}", app.id), "org_value": format!("org-{}", app.org),
            },
        },
    });
    if !certificate.errors.is_empty() {
        value["validation_errors"] = json!(certificate.errors);
    }
    value
}

pub(crate) fn find<'a>(app: &'a App, hostname: &str) -> Result<&'a Certificate, Reply> {
    app.certificates
        .iter()
        .find(|certificate| certificate.hostname == hostname)
        .ok_or_else(|| Reply::error(404, "not_found: certificate not found"))
}

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let limit = request.query("limit").and_then(|n| n.parse().ok()).unwrap_or(PAGE_DEFAULT);
    let start: usize = request.query("cursor").and_then(|n| n.parse().ok()).unwrap_or(0);
    let filter = request.query("filter");
    let matching: Vec<&Certificate> = call
        .app()?
        .certificates
        .iter()
        .filter(|certificate| filter.is_none_or(|text| certificate.hostname.contains(text)))
        .collect();
    let limit = limit.clamp(1, PAGE_MAX);
    let page: Vec<Value> =
        matching.iter().skip(start).take(limit).map(|certificate| summary(certificate)).collect();
    let mut value = json!({ "certificates": page, "total_count": matching.len() });
    if start + limit < matching.len() {
        value["next_cursor"] = json!((start + limit).to_string());
    }
    Ok(Reply::json(value))
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let app = call.app()?;
    Ok(Reply::json(detail(app, find(app, call.request.param("hostname"))?)))
}

pub(crate) fn check(call: &mut Call<'_>) -> Answer {
    let app = call.app()?;
    let certificate = find(app, call.request.param("hostname"))?;
    let mut value = detail(app, certificate);
    let (a, aaaa) = if certificate.configured {
        (value["dns_requirements"]["a"].clone(), value["dns_requirements"]["aaaa"].clone())
    } else {
        (json!([]), json!([]))
    };
    value["dns_records"] = json!({
        "a": a, "aaaa": aaaa, "cname": [], "resolved_addresses": a, "soa": "ns1.example.net",
        "acme_challenge_cname": "", "ownership_txt": "",
    });
    Ok(Reply::json(value))
}
