//! What the caller's token is.

use serde_json::{Value, json};

use crate::server::auth::Caller;
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
