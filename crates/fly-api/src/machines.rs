//! Machines, the reading side.

use std::collections::BTreeMap;

use fly_types::wire::{Event, LeaseAnswer, Machine, MachineVersion, ProcessInfo};
use fly_types::{AppName, MachineId, RegionCode};
use serde_json::Value;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// Which Machines a list contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineFilter {
    /// Only this region.
    pub region: Option<RegionCode>,
    /// Only these states.
    pub states: Vec<String>,
    /// Only Machines with all of these metadata values.
    pub metadata: Vec<(String, String)>,
    /// Destroyed ones too.
    pub include_deleted: bool,
    /// Without configuration, checks, events and host status.
    pub summary: bool,
}

fn machine_read(template: &'static str, app: &AppName, id: &MachineId, action: Action) -> Request {
    Request::get(Target::Machines, template, &[app.as_str(), id.as_str()], action, id.as_str())
}

pub(crate) fn list_request(app: &AppName, filter: &MachineFilter) -> Request {
    let mut request = Request::get(
        Target::Machines,
        "/v1/apps/{app}/machines",
        &[app.as_str()],
        Action::MachineList,
        app.as_str(),
    )
    .maybe_query("region", filter.region.as_ref().map(RegionCode::as_str))
    .maybe_query("state", (!filter.states.is_empty()).then(|| filter.states.join(",")))
    .maybe_query("include_deleted", filter.include_deleted.then_some("true"))
    .maybe_query("summary", filter.summary.then_some("true"));
    for (key, value) in &filter.metadata {
        request = request.query(format!("metadata.{key}"), value);
    }
    request
}

impl Client {
    /// The Machines of an app: `GET /v1/apps/{app}/machines`.
    pub async fn machines(
        &self,
        app: &AppName,
        filter: &MachineFilter,
    ) -> Result<Fetched<Vec<Machine>>, ApiError> {
        self.send(list_request(app, filter)).await
    }

    /// One Machine.
    pub async fn machine(
        &self,
        app: &AppName,
        id: &MachineId,
    ) -> Result<Fetched<Machine>, ApiError> {
        self.send(machine_read("/v1/apps/{app}/machines/{id}", app, id, Action::MachineGet)).await
    }

    /// The newest events first; at most 50, the platform's own default is 20.
    pub async fn machine_events(
        &self,
        app: &AppName,
        id: &MachineId,
        limit: u32,
    ) -> Result<Fetched<Vec<Event>>, ApiError> {
        let request =
            machine_read("/v1/apps/{app}/machines/{id}/events", app, id, Action::MachineEvents)
                .query("limit", limit.clamp(1, 50).to_string());
        self.send(request).await
    }

    /// Processes with their listening sockets. The Machine must run.
    pub async fn machine_processes(
        &self,
        app: &AppName,
        id: &MachineId,
    ) -> Result<Fetched<Vec<ProcessInfo>>, ApiError> {
        self.send(machine_read(
            "/v1/apps/{app}/machines/{id}/ps",
            app,
            id,
            Action::MachineProcesses,
        ))
        .await
    }

    /// The lease, if there is one. 404 means there is none.
    pub async fn machine_lease(
        &self,
        app: &AppName,
        id: &MachineId,
    ) -> Result<Fetched<LeaseAnswer>, ApiError> {
        self.send(machine_read("/v1/apps/{app}/machines/{id}/lease", app, id, Action::LeaseGet))
            .await
    }

    /// Metadata. A value that is not a text, which the documents do not foresee, reads as its JSON.
    pub async fn machine_metadata(
        &self,
        app: &AppName,
        id: &MachineId,
    ) -> Result<Fetched<BTreeMap<String, String>>, ApiError> {
        let request = machine_read(
            "/v1/apps/{app}/machines/{id}/metadata",
            app,
            id,
            Action::MachineMetadataGet,
        );
        let answer: Fetched<BTreeMap<String, Value>> = self.send(request).await?;
        let text = |value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(answer.map(|map| map.into_iter().map(|(key, value)| (key, text(value))).collect()))
    }

    /// Former configurations, for rolling back.
    pub async fn machine_versions(
        &self,
        app: &AppName,
        id: &MachineId,
    ) -> Result<Fetched<Vec<MachineVersion>>, ApiError> {
        self.send(machine_read(
            "/v1/apps/{app}/machines/{id}/versions",
            app,
            id,
            Action::MachineVersions,
        ))
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_parameters() {
        let app: AppName = "shop".parse().unwrap();
        let filter = MachineFilter {
            region: Some("fra".parse().unwrap()),
            states: vec!["started".to_owned(), "stopped".to_owned()],
            metadata: vec![("role".to_owned(), "a b".to_owned())],
            include_deleted: true,
            summary: false,
        };
        let request = list_request(&app, &filter);
        let query: Vec<_> =
            request.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            query,
            ["region=fra", "state=started,stopped", "include_deleted=true", "metadata.role=a b"]
        );
        assert_eq!(request.path, "/v1/apps/shop/machines");
        assert!(list_request(&app, &MachineFilter::default()).query.is_empty());
    }
}
