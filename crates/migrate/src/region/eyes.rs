//! The eyes of a run: whether the plan is for what we talk to, and what changed since.

use std::sync::Arc;

use async_trait::async_trait;
use fly_types::OrgSlug;
use runbook::error::StepError;
use runbook::facts::Facts;
use runbook::kind::{Observer, Wanted};
use runbook::plan::Plan;
use serde::Deserialize as _;

use crate::inventory::facts::{Scope, facts_now};
use crate::inventory::observe;
use crate::platform::Platform;

pub(crate) struct Eyes {
    platform: Arc<Platform>,
    org: Option<OrgSlug>,
}

impl Eyes {
    pub(crate) fn new(platform: Arc<Platform>, org: Option<OrgSlug>) -> Self {
        Self { platform, org }
    }
}

#[async_trait]
impl Observer for Eyes {
    fn accepts(&self, plan: &Plan) -> Result<(), String> {
        if plan.target.kind != "fly-app" || plan.target.name != self.platform.app.as_str() {
            return Err(format!("this command is about app {}", self.platform.app));
        }
        match &self.org {
            Some(org) if plan.target.owner != org.as_str() => Err(format!(
                "with this token app {} belongs to organization {org}",
                self.platform.app
            )),
            _ => Ok(()),
        }
    }

    async fn facts(&self, plan: &Plan, _: Wanted<'_>) -> Result<Facts, StepError> {
        let scope = plan.inputs.get("scope").and_then(|value| Scope::deserialize(value).ok());
        let scope =
            scope.ok_or_else(|| StepError::failed("the plan does not say what it is about"))?;
        let read_at = plan.created_at;
        let now = observe(&self.platform.client, &self.platform.app, read_at).await;
        let now = now.map_err(|error| crate::errors::read_error(&error.source))?;
        facts_now(plan, &now, &scope)
    }
}
