//! What the token is: kinds of its parts, what macaroons say of themselves (end, organization, apps), where it came from, and
//! what the platform says about it. Never the token.

use async_trait::async_trait;
use serde_json::json;

use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Token;

static SPEC: Spec = Spec {
    id: "token",
    title: "kind, source and scope of the token, never the token",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[Call {
        what: "GET api.machines.dev/v1/tokens/current",
        times: "1",
        permission: "any token",
    }],
    files: &["host/token.json"],
    bytes: 1_000,
    limit: SECOND.saturating_mul(10),
    pool: Pool::Api,
    value: 92,
};

#[async_trait]
impl Collector for Token {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let local = around.token.as_ref().map(|(token, source)| {
            let parts = token.facts().into_iter();
            let parts: Vec<_> =
                parts.map(|(kind, says)| json!({ "kind": kind, "says": says })).collect();
            json!({ "source": source, "parts": parts })
        });
        let answer = job.note(around.client.tokens_current().await);
        let (said, end) = match answer {
            Ok(answer) => (json!(answer.value.tokens.items()), Ok(Outcome::OK)),
            Err(outcome) => (json!(null), Err(outcome)),
        };
        job.value("host/token.json", &json!({ "local": local, "scopes": said }))?;
        end
    }
}
