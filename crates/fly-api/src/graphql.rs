//! GraphQL for what REST lacks. The schema is the platform's own and changes without notice: every use is optional.

use fly_types::AppName;
use fly_types::wire::{AppNode, GraphQlReply, OrganizationNode};
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::call::Fetched;
use crate::client::Client;
use crate::error::{ApiError, ErrorKind};
use crate::request::{Action, Class, Request, Target};

const APP: &str = "query($name: String!) { app(name: $name) { id internalNumericId name hostname appUrl cnameTarget \
    deployed network status platformVersion organization { id slug name paidPlan } role { name } } }";
const RELEASES: &str = "query($name: String!, $limit: Int!) { app(name: $name) { releasesUnprocessed(first: $limit) { \
    nodes { id version description reason status imageRef stable inProgress deploymentStrategy user { id name email } \
    createdAt } } } }";
const IPS: &str = "query($name: String!) { app(name: $name) { ipAddresses { nodes { id address type region createdAt \
    network { name organization { slug } } serviceName } } sharedIpAddress } }";
const MACHINE_EGRESS: &str = "query($name: String!) { app(name: $name) { machines { nodes { id egressIpAddresses { nodes { id ip version region } } } } } }";
const HOST_ISSUES: &str = "query($name: String!) { app(name: $name) { hostIssues { nodes { internalId message createdAt updatedAt } } } }";
const ORGS: &str =
    "query { organizations { nodes { id slug rawSlug name type viewerRole paidPlan billable } } }";

impl Client {
    /// Status, platform and owner of an app.
    pub async fn graphql_app(&self, app: &AppName) -> Result<Fetched<AppNode>, ApiError> {
        self.app_query(APP, "graphql app", app, json!({ "name": app.as_str() })).await
    }

    /// The newest releases first, with image references.
    pub async fn graphql_releases(
        &self,
        app: &AppName,
        limit: u32,
    ) -> Result<Fetched<AppNode>, ApiError> {
        self.app_query(
            RELEASES,
            "graphql releases",
            app,
            json!({ "name": app.as_str(), "limit": limit }),
        )
        .await
    }

    /// Addresses with type and id.
    pub async fn graphql_ips(&self, app: &AppName) -> Result<Fetched<AppNode>, ApiError> {
        self.app_query(IPS, "graphql ips", app, json!({ "name": app.as_str() })).await
    }

    /// Egress addresses of single Machines: the legacy kind, which ends with its Machine.
    pub async fn graphql_machine_egress(
        &self,
        app: &AppName,
    ) -> Result<Fetched<AppNode>, ApiError> {
        let variables = json!({ "name": app.as_str() });
        self.app_query(MACHINE_EGRESS, "graphql machine egress ips", app, variables).await
    }

    /// Trouble with single hosts; nothing else shows it, the public page does not.
    pub async fn graphql_host_issues(&self, app: &AppName) -> Result<Fetched<AppNode>, ApiError> {
        self.app_query(HOST_ISSUES, "graphql host issues", app, json!({ "name": app.as_str() }))
            .await
    }

    /// The organizations that the token sees.
    pub async fn graphql_orgs(&self) -> Result<Fetched<Vec<OrganizationNode>>, ApiError> {
        let reply = self.query(ORGS, "graphql organizations", "", &json!({})).await?;
        extract(reply, &["organizations", "nodes"])
    }

    async fn app_query(
        &self,
        query: &'static str,
        title: &'static str,
        app: &AppName,
        variables: Value,
    ) -> Result<Fetched<AppNode>, ApiError> {
        let reply = self.query(query, title, app.as_str(), &variables).await?;
        extract(reply, &["app"])
    }

    /// A part of the answer to a query.
    pub(crate) async fn graphql_part<T: DeserializeOwned>(
        &self,
        query: &'static str,
        title: &'static str,
        subject: &str,
        variables: &Value,
        path: &[&str],
    ) -> Result<Fetched<T>, ApiError> {
        extract(self.query(query, title, subject, variables).await?, path)
    }

    async fn query(
        &self,
        query: &'static str,
        title: &'static str,
        subject: &str,
        variables: &Value,
    ) -> Result<Fetched<GraphQlReply>, ApiError> {
        // A query, not a mutation: repeating it reads again.
        let request = request(query, Class::Safe, Action::GraphQlQuery, subject, variables);
        self.graphql(request, title).await
    }

    /// A mutation with one `input` variable. Never repeated once it may have been carried out.
    pub(crate) async fn mutation(
        &self,
        mutation: &'static str,
        title: &'static str,
        subject: &str,
        input: &Value,
    ) -> Result<Fetched<Value>, ApiError> {
        let variables = json!({ "input": input });
        let action = Action::GraphQlMutation;
        let request = request(mutation, Class::Unsafe, action, subject, &variables);
        let reply = self.graphql(request, title).await?;
        Ok(reply.map(|reply| reply.data.into_value().unwrap_or(Value::Null)))
    }

    async fn graphql(
        &self,
        request: Request,
        title: &'static str,
    ) -> Result<Fetched<GraphQlReply>, ApiError> {
        let mut fetched: Fetched<GraphQlReply> = self.send(request).await?;
        for call in &mut fetched.calls {
            call.url_template = format!("{} ({title})", call.url_template);
        }
        if let Some(error) = fetched.value.errors.items().first() {
            let message = error.message.text().unwrap_or("(no message)").to_owned();
            let code = error.extensions.get().and_then(|e| e.code.text()).map(str::to_owned);
            return Err(failure(fetched.calls, ErrorKind::GraphQl { message, code }, "graphql"));
        }
        Ok(fetched)
    }
}

fn request(
    text: &'static str,
    class: Class,
    action: Action,
    subject: &str,
    variables: &Value,
) -> Request {
    Request::new(Method::POST, Target::GraphQl, "/graphql", &[], class, action, subject)
        .json(&json!({ "query": text, "variables": variables }))
}

fn extract<T: DeserializeOwned>(
    reply: Fetched<GraphQlReply>,
    path: &[&str],
) -> Result<Fetched<T>, ApiError> {
    let mut value = reply.value.data.into_value().unwrap_or(Value::Null);
    for step in path {
        value = value.get_mut(step).map_or(Value::Null, Value::take);
    }
    if value.is_null() {
        // The platform answers `null` for what does not exist.
        let kind = ErrorKind::GraphQl {
            message: format!("the answer has no {}", path.join(".")),
            code: Some("NOT_FOUND".to_owned()),
        };
        return Err(failure(reply.calls, kind, "graphql"));
    }
    match serde_path_to_error::deserialize(value) {
        Ok(value) => Ok(Fetched { value, body: reply.body, calls: reply.calls }),
        Err(error) => {
            let path = error.path().to_string();
            let kind = ErrorKind::Decode {
                path,
                message: "a value of another type than documented".to_owned(),
            };
            Err(failure(reply.calls, kind, "decode"))
        }
    }
}

fn failure(mut calls: Vec<crate::CallRecord>, kind: ErrorKind, word: &str) -> ApiError {
    // `query` always has exactly one call behind it.
    let mut call = calls.swap_remove(calls.len() - 1);
    call.error = Some(word.to_owned());
    ApiError { kind, call: Box::new(call) }
}
