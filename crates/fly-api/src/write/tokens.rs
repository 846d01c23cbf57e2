//! Making and revoking tokens.

use fly_types::AppName;
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Writer;
use super::error::{Context, WriteError};
use crate::call::{CallRecord, Fetched};
use crate::request::{Action, Class, Request, Target};

/// A token that was made. It is shown once, here.
#[derive(Clone)]
pub struct NewToken {
    /// The token, scheme included.
    pub token: SecretString,
    /// Its id, for revoking it; none from the deploy token call.
    pub id: Option<String>,
    /// The calls it took.
    pub calls: Vec<CallRecord>,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("id", &self.id).finish_non_exhaustive()
    }
}

const CREATE: &str = "mutation($input: CreateLimitedAccessTokenInput!) { createLimitedAccessToken(input: $input) { \
    limitedAccessToken { id tokenHeader } } }";
const DELETE: &str = "mutation($input: DeleteLimitedAccessTokenInput!) { deleteLimitedAccessToken(input: $input) { token } }";

impl Writer {
    /// Makes a deploy token for one app: `POST /v1/apps/{app}/deploy_token`. `expiry` is a Go duration such as `24h`.
    ///
    /// Not repeated when the answer is lost: the token then exists, unknown to everybody, until it expires.
    pub async fn create_deploy_token(
        &self,
        app: &AppName,
        expiry: &str,
    ) -> Result<NewToken, WriteError> {
        let request = Request::new(
            Method::POST,
            Target::Machines,
            "/v1/apps/{app}/deploy_token",
            &[app.as_str()],
            Class::Unsafe,
            Action::TokenCreate,
            app.as_str(),
        )
        .json(&json!({ "expiry": expiry }));
        let context = Context::new(format!("create a deploy token for app {app}"));
        let answer: Fetched<Value> = self.act(request, context.clone()).await?;
        taken(context, &answer.value, &["token"], answer.calls)
    }

    /// Makes a token of a profile for an organization, named by its GraphQL id: `deploy_organization`, or `deploy` with
    /// `{"app_id": …}`. REST has no call for it. Not repeated when the answer is lost.
    pub async fn create_limited_token(
        &self,
        organization_id: &str,
        name: &str,
        profile: &str,
        params: &Value,
        expiry: &str,
    ) -> Result<NewToken, WriteError> {
        let input = json!({
            "name": name, "organizationId": organization_id, "profile": profile, "profileParams": params, "expiry": expiry,
        });
        let context = Context::new(format!("create token {name}"));
        let made = self.mutate(CREATE, &input, organization_id, context.clone()).await?;
        let path = ["createLimitedAccessToken", "limitedAccessToken", "tokenHeader"];
        let id = made.value["createLimitedAccessToken"]["limitedAccessToken"]["id"].as_str();
        let id = id.map(str::to_owned);
        taken(context, &made.value, &path, made.calls).map(|token| NewToken { id, ..token })
    }

    /// Revokes a token by its id, as GraphQL lists it.
    pub async fn delete_limited_token(&self, id: &str) -> Result<Fetched<Value>, WriteError> {
        let context = Context::new(format!("revoke token {id}"));
        self.mutate(DELETE, &json!({ "id": id }), id, context).await
    }

    async fn mutate(
        &self,
        mutation: &'static str,
        input: &Value,
        subject: &str,
        context: Context,
    ) -> Result<Fetched<Value>, WriteError> {
        tracing::info!(
            call = context.what,
            subject,
            approved_by = self.access.approved_by(),
            "changing"
        );
        let sent = self.client.mutation(mutation, "graphql token", subject, input).await;
        sent.map_err(|error| WriteError::new(context, error))
    }
}

fn taken(
    context: Context,
    answer: &Value,
    path: &[&str],
    calls: Vec<CallRecord>,
) -> Result<NewToken, WriteError> {
    let found = path.iter().try_fold(answer, |value, key| value.get(key)).and_then(Value::as_str);
    let Some(token) = found else {
        let rule = "the answer holds no token".to_owned();
        return Err(WriteError::because(context, super::Reason::Invalid(rule)));
    };
    Ok(NewToken { token: token.to_owned().into(), id: None, calls })
}
