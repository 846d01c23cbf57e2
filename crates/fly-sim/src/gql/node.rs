//! What fields resolve to.

use serde_json::{Map, Value};

use crate::server::auth::Caller;
use crate::state::{App, State};

pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) caller: &'a Caller,
}

/// The value of a field before its sub-selection is applied.
pub(crate) enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Object(Object),
}

/// An object whose fields are selected from.
pub(crate) enum Object {
    Query,
    Mutation,
    /// An app, by name.
    App(String),
    /// An organization, by slug.
    Org(String),
    /// A Machine, by app and id.
    Machine(String, String),
    /// Finished values under the name of their type.
    Record(&'static str, Vec<(&'static str, Node)>),
}

pub(crate) struct GqlError {
    pub(crate) message: String,
    pub(crate) code: &'static str,
}

pub(crate) type Resolved = Result<Node, GqlError>;

/// Arguments with variables put in.
pub(crate) struct Args(pub(crate) Map<String, Value>);

impl Object {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Query => "Queries",
            Self::Mutation => "Mutations",
            Self::App(_) => "App",
            Self::Org(_) => "Organization",
            Self::Machine(..) => "Machine",
            Self::Record(name, _) => name,
        }
    }
}

impl Node {
    pub(crate) const NULL: Self = Self::Leaf(Value::Null);

    pub(crate) fn leaf(value: impl Into<Value>) -> Self {
        Self::Leaf(value.into())
    }

    pub(crate) fn record(name: &'static str, fields: Vec<(&'static str, Self)>) -> Self {
        Self::Object(Object::Record(name, fields))
    }

    /// A connection whose `nodes` and `edges` hold everything there is.
    pub(crate) fn connection(name: &'static str, nodes: Vec<Self>) -> Self {
        Self::page(name, nodes, false, String::new())
    }

    pub(crate) fn page(name: &'static str, nodes: Vec<Self>, more: bool, end: String) -> Self {
        let count = nodes.len();
        let page_info = Self::record(
            "PageInfo",
            vec![
                ("hasNextPage", Self::leaf(more)),
                ("hasPreviousPage", Self::leaf(false)),
                ("endCursor", Self::leaf(end)),
            ],
        );
        Self::record(
            name,
            vec![
                ("nodes", Self::List(nodes)),
                ("pageInfo", page_info),
                ("totalCount", Self::leaf(count)),
            ],
        )
    }
}

impl Args {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.0.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
    }

    /// The `input` object of a mutation.
    pub(crate) fn input(&self) -> Self {
        Self(self.0.get("input").and_then(Value::as_object).cloned().unwrap_or_default())
    }
}

impl GqlError {
    pub(crate) fn not_found(what: &str) -> Self {
        Self { message: format!("Could not find {what}"), code: "NOT_FOUND" }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: "UNPROCESSABLE" }
    }
}

impl Context<'_> {
    /// The app that the caller may see; foreign apps look like missing ones here.
    pub(crate) fn app(&self, name: &str) -> Result<&App, GqlError> {
        self.state
            .apps
            .get(name)
            .filter(|app| self.caller.may_see_app(&app.org, &app.name))
            .ok_or_else(|| GqlError::not_found("App"))
    }

    /// The name of the app with this GraphQL id.
    pub(crate) fn app_with_id(&self, id: &str) -> Result<String, GqlError> {
        let app = self.state.app_by_id(id).or_else(|| self.state.apps.get(id));
        let name = app.map(|app| app.name.clone()).ok_or_else(|| GqlError::not_found("App"))?;
        self.app(&name)?;
        Ok(name)
    }
}
