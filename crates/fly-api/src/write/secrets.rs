//! Secrets of an app. Values go out in a body and nowhere else.

use std::collections::BTreeMap;

use fly_types::AppName;
use fly_types::wire::{SecretsUpdate, SecretsUpdated, Sensitive};
use http::Method;
use secrecy::{ExposeSecret, SecretString};

use super::Writer;
use super::error::{Context, WriteError};
use crate::call::Fetched;
use crate::request::{Action, Class, Request, Target};

/// Secrets to set and to remove, in one call. Debug shows the names only.
#[derive(Clone, Default)]
pub struct SecretChanges {
    values: BTreeMap<String, Option<SecretString>>,
}

impl std::fmt::Debug for SecretChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl SecretChanges {
    /// Sets a secret.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.values.insert(name.into(), Some(value));
        self
    }

    /// Removes a secret.
    #[must_use]
    pub fn unset(mut self, name: impl Into<String>) -> Self {
        self.values.insert(name.into(), None);
        self
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl Writer {
    /// Sets and removes secrets at once: `POST /v1/apps/{app}/secrets`. Machines get them with their next update, whose
    /// `min_secrets_version` should be the version answered here.
    pub async fn change_secrets(
        &self,
        app: &AppName,
        changes: &SecretChanges,
    ) -> Result<Fetched<SecretsUpdated>, WriteError> {
        let names: Vec<&str> = changes.names().collect();
        let what = format!("change secrets {} of app {app}", names.join(", "));
        self.act(change_request(app, changes), Context::new(what)).await
    }

    /// Sets one secret.
    pub async fn set_secret(
        &self,
        app: &AppName,
        name: &str,
        value: SecretString,
    ) -> Result<Fetched<SecretsUpdated>, WriteError> {
        self.change_secrets(app, &SecretChanges::default().set(name, value)).await
    }

    /// Removes one secret. One that is not there is removed.
    pub async fn unset_secret(
        &self,
        app: &AppName,
        name: &str,
    ) -> Result<Fetched<SecretsUpdated>, WriteError> {
        self.change_secrets(app, &SecretChanges::default().unset(name)).await
    }
}

fn change_request(app: &AppName, changes: &SecretChanges) -> Request {
    let clear = |value: &Option<SecretString>| value.as_ref().map(|v| v.expose_secret().to_owned());
    let values = changes.values.iter().map(|(name, value)| (name.clone(), clear(value))).collect();
    let body = SecretsUpdate { values: Sensitive::new(values).into(), ..SecretsUpdate::default() };
    // The same values again are the same secrets.
    Request::new(
        Method::POST,
        Target::Machines,
        "/v1/apps/{app}/secrets",
        &[app.as_str()],
        Class::Idempotent,
        Action::SecretSet,
        app.as_str(),
    )
    .json(&body)
}
