//! What a visitor gets: one request to the app's own address.

use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde_json::json;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::manifest::{Reason, RequestRecord, Status};
use crate::surroundings::{Surroundings, millis};

pub(super) struct Probe;

static SPEC: Spec = Spec {
    id: "probe",
    title: "one request to the app's own address",
    version: 1,
    requires: &["app"],
    needs: &[Need::Internet],
    calls: &[Call { what: "GET https://{hostname}/", times: "1", permission: "none" }],
    files: &["network/http-<hostname>.json"],
    bytes: 1_000,
    limit: SECOND.saturating_mul(12),
    pool: Pool::Probe,
    value: 50,
};

/// Headers that say who answered and why; others may hold cookies.
const TELLING: [&str; 6] =
    ["server", "via", "location", "content-type", "fly-request-id", "retry-after"];

#[async_trait]
impl Collector for Probe {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let host = around.found.app.get().and_then(|app| app.hostname.text());
        let Some(host) = host else {
            return Err(Outcome::new(
                Status::Unsupported,
                Reason::new("no_hostname", "the app has no host name"),
            ));
        };
        let url = format!("https://{host}/").parse().map_err(|_| {
            Outcome::new(
                Status::Failed,
                Reason::new("hostname", "the app's host name is no host name"),
            )
        })?;
        let mut request = net::Request::new(Method::GET, url);
        request.timeouts = net::Timeouts::total(Duration::from_secs(10));
        request.body_cap = 1 << 20;
        let started_at = (around.clock)();
        let begin = tokio::time::Instant::now();
        let answer = around.probes.send(request).await;
        let duration_ms = millis(begin.elapsed());
        let (facts, status, error) = match &answer {
            Ok(answer) => {
                let headers: serde_json::Map<String, serde_json::Value> = TELLING
                    .iter()
                    .filter_map(|name| {
                        Some(((*name).to_owned(), answer.headers.get(*name)?.to_str().ok()?.into()))
                    })
                    .collect();
                let facts = json!({ "status": answer.status.as_u16(), "headers": headers, "body_bytes": answer.body.len() });
                (facts, Some(answer.status.as_u16()), None)
            }
            Err(error) => {
                let code = error.kind().code();
                (
                    json!({ "error": code, "message": ops_cli::chain(error).join(": ") }),
                    None,
                    Some(code.to_owned()),
                )
            }
        };
        let url = format!("https://{host}/");
        let file = format!("network/http-{}.json", safe_component(host));
        let document = json!({
            "url": url, "started_at": crate::manifest::stamp::text(started_at), "duration_ms": duration_ms, "answer": facts,
        });
        job.value(&file, &document)?;
        job.request(RequestRecord {
            method: "GET".to_owned(),
            url,
            status,
            request_id: None,
            trace_id: None,
            attempts: 1,
            throttle_ms: 0,
            started_at,
            duration_ms,
            response_bytes: answer.as_ref().map_or(0, |answer| answer.body.len() as u64),
            error,
        });
        // No answer is an answer: the file says which step failed.
        Ok(Outcome::OK)
    }
}
