//! GraphQL: a small schema behind a real parser and executor.
//!
//! Clients send anonymous queries with load-bearing aliases, inline fragments and variables that they never declared,
//! so nothing here looks at query text. Errors are answered with status 200, as the platform does.

mod account;
mod app;
mod exec;
mod mutation;
mod node;
mod query;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;

struct Body {
    query: String,
    variables: Map<String, Value>,
    operation: Option<String>,
}

fn parse(bytes: &Bytes) -> Option<Body> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    Some(Body {
        query: value.get("query")?.as_str()?.to_owned(),
        variables: value.get("variables").and_then(Value::as_object).cloned().unwrap_or_default(),
        operation: value.get("operationName").and_then(Value::as_str).map(str::to_owned),
    })
}

/// Aliases and names of the root fields, for fault scripts and the request record.
pub(crate) fn root_fields(bytes: &Bytes) -> Vec<String> {
    let Some(body) = parse(bytes) else { return Vec::new() };
    let mut fields = exec::root_fields(&body.query);
    fields.extend(body.operation.filter(|name| !name.is_empty()));
    fields
}

pub(crate) fn handle(call: &mut Call<'_>) -> Answer {
    let Some(body) = parse(&call.request.body) else {
        return Err(
            Reply::json(errors("No query string was present", "BAD_REQUEST")).with_status(400)
        );
    };
    let caller = call.caller.clone();
    let mut context = node::Context { state: call.state, caller: &caller };
    let document = match graphql_parser::parse_query::<String>(&body.query) {
        Ok(document) => document,
        Err(error) => {
            let message = format!("Parse error: {error}");
            return Ok(Reply::json(errors(&message, "PARSE_ERROR")));
        }
    };
    let operation = body.operation.as_deref();
    Ok(Reply::json(exec::execute(&mut context, &document, operation, &body.variables)))
}

/// An answer that holds one error and no data.
pub(crate) fn errors(message: &str, code: &str) -> Value {
    json!({ "data": Value::Null, "errors": [{ "message": message, "extensions": { "code": code } }] })
}
