//! Metadata of a Machine. Changing it touches neither version nor state.

use std::collections::BTreeMap;

use fly_types::wire::MetadataUpdate;
use http::Method;
use serde_json::{Value, json};

use super::MachineWriter;
use super::create::some;
use super::error::{Context, Reason, WriteError};
use super::machines::done;
use crate::call::Fetched;
use crate::request::{Action, Class, Request, Target};

const KEY: &str = "/v1/apps/{app}/machines/{id}/metadata/{key}";
const ALL: &str = "/v1/apps/{app}/machines/{id}/metadata";

/// Several keys at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataChange {
    values: BTreeMap<String, Option<String>>,
    version: Option<String>,
}

impl MetadataChange {
    /// Sets a key.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes a key.
    #[must_use]
    pub fn remove(mut self, key: impl Into<String>) -> Self {
        self.values.insert(key.into(), None);
        self
    }

    /// Only when the Machine still has this version; otherwise [`Reason::VersionConflict`].
    #[must_use]
    pub fn if_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

impl MachineWriter<'_> {
    /// Sets one key: `POST …/metadata/{key}`.
    pub async fn set_metadata(&self, key: &str, value: &str) -> Result<Fetched<Value>, WriteError> {
        let request = self.key_request(Method::POST, key).json(&json!({ "value": value }));
        self.act(&format!("set metadata {key} of"), request).await
    }

    /// Removes one key: `DELETE …/metadata/{key}`. One that is not there is removed.
    pub async fn delete_metadata(&self, key: &str) -> Result<Fetched<Value>, WriteError> {
        let request = self.key_request(Method::DELETE, key);
        match self.act(&format!("delete metadata {key} of"), request).await {
            // Only a missing key; a missing Machine is worth an error.
            Err(error) if error.reason == Reason::NotFound && !error.says("machine") => {
                Ok(done(error, Value::Null))
            }
            other => other,
        }
    }

    /// Sets and removes several keys, others stay: `PATCH …/metadata`.
    pub async fn patch_metadata(
        &self,
        change: &MetadataChange,
    ) -> Result<Fetched<Value>, WriteError> {
        let context =
            Context { version: change.version.clone(), ..self.context("change metadata of") };
        self.act_in(context, self.patch_request(change)).await
    }

    fn patch_request(&self, change: &MetadataChange) -> Request {
        let body = MetadataUpdate {
            metadata: change.values.clone().into(),
            machine_version: some(change.version.clone()),
            ..MetadataUpdate::default()
        };
        self.request(Method::PATCH, ALL, Class::Idempotent, Action::MachineMetadataSet).json(&body)
    }

    fn key_request(&self, method: Method, key: &str) -> Request {
        Request::new(
            method,
            Target::Machines,
            KEY,
            &[self.app.as_str(), self.id.as_str(), key],
            Class::Idempotent,
            Action::MachineMetadataSet,
            self.id.as_str(),
        )
    }
}
