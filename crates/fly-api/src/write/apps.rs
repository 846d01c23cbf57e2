//! Making and deleting apps.

use fly_types::wire::{App, CreateApp, CreatedApp};
use fly_types::{AppName, OrgSlug};
use http::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::create::some;
use super::error::{Context, Effect, Reason, WriteError};
use super::machines::done;
use super::{Writer, once};
use crate::call::Fetched;
use crate::request::{Action, Class, Request, Target};

fn create_request(name: &AppName, org: &OrgSlug, network: Option<&str>) -> Request {
    let body = CreateApp {
        name: name.as_str().to_owned().into(),
        org_slug: org.clone().into(),
        network: some(network.map(str::to_owned)),
        ..CreateApp::default()
    };
    // The app does not exist yet, so the organization is what the limit can count by.
    Request::new(
        Method::POST,
        Target::Machines,
        "/v1/apps",
        &[],
        Class::Unsafe,
        Action::AppCreate,
        org.as_str(),
    )
    .query("wait", "true")
    .json(&body)
}

impl Writer {
    /// Makes an app, exactly once: `POST /v1/apps`. It has no address and no Machine.
    ///
    /// The name is unique across all customers, so that a repeated create can never make a second one; when the answer is
    /// lost, an app of this name in this organization that was not there before is it. [`Reason::NameTaken`] when the
    /// name was in use before, by this organization or another.
    pub async fn create_app(
        &self,
        name: &AppName,
        org: &OrgSlug,
        network: Option<&str>,
    ) -> Result<Fetched<App>, WriteError> {
        let context = || Context::new(format!("create app {name} in organization {org}"));
        match self.client.app(name).await {
            Ok(_) => {
                return Err(WriteError::because(context(), Reason::NameTaken { by: None }));
            }
            Err(error) if error.is_not_found() => {}
            // 403 on a name means that another organization has it.
            Err(error) if error.status() == Some(403) => {
                return Err(WriteError::with(context(), Reason::NameTaken { by: None }, error));
            }
            Err(error) => return Err(WriteError::new(context(), error)),
        }
        let request = create_request(name, org, network);
        let mut lost = None;
        for _ in 0..2 {
            match self.act::<CreatedApp>(request.clone(), context()).await {
                Ok(made) => return self.created_app(name, made.calls).await,
                // The first try made it.
                Err(error)
                    if lost.is_some() && matches!(error.reason, Reason::NameTaken { .. }) =>
                {
                    lost = Some(error);
                    break;
                }
                Err(error) if once::effect(&error) == Effect::NotDone => return Err(error),
                Err(error) => lost = Some(error),
            }
            if let Ok(app) = self.client.app(name).await {
                return Self::ours(app, org, context());
            }
        }
        match (self.client.app(name).await, lost) {
            (Ok(app), _) => Self::ours(app, org, context()),
            (Err(_), Some(error)) => Err(error.unknown()),
            (Err(error), None) => Err(WriteError::new(context(), error)),
        }
    }

    fn ours(
        app: Fetched<App>,
        org: &OrgSlug,
        context: Context,
    ) -> Result<Fetched<App>, WriteError> {
        let owner = app.value.organization.get().and_then(|found| found.slug.get());
        if owner.is_none_or(|owner| owner == org) {
            return Ok(app);
        }
        Err(WriteError::because(context, Reason::NameTaken { by: None }))
    }

    /// The app that was just made; reads may not know it for some seconds.
    async fn created_app(
        &self,
        name: &AppName,
        mut calls: Vec<crate::CallRecord>,
    ) -> Result<Fetched<App>, WriteError> {
        let end = Instant::now() + self.look_for;
        loop {
            match self.client.app(name).await {
                Ok(mut app) => {
                    calls.append(&mut app.calls);
                    app.calls = calls;
                    return Ok(app);
                }
                Err(error)
                    if matches!(error.status(), Some(401 | 403 | 404)) && Instant::now() < end =>
                {
                    tokio::time::sleep(once::FIRST_PAUSE).await;
                }
                Err(error) => {
                    let context = Context::new(format!("read app {name}, which was created"));
                    return Err(WriteError::new(context, error));
                }
            }
        }
    }

    /// Deletes an app with everything in it: `DELETE /v1/apps/{app}`. One that does not exist is deleted. `force` stops
    /// its Machines first.
    pub async fn delete_app(
        &self,
        name: &AppName,
        force: bool,
    ) -> Result<Fetched<Value>, WriteError> {
        match self
            .act(delete_request(name, force), Context::new(format!("delete app {name}")))
            .await
        {
            Err(error) if error.reason == Reason::NotFound => Ok(done(error, Value::Null)),
            other => other,
        }
    }
}

fn delete_request(name: &AppName, force: bool) -> Request {
    // Deletions are limited for the account as a whole, 100 a minute.
    Request::new(
        Method::DELETE,
        Target::Machines,
        "/v1/apps/{app}",
        &[name.as_str()],
        Class::Idempotent,
        Action::AppDelete,
        "",
    )
    .maybe_query("force", force.then_some("true"))
}
