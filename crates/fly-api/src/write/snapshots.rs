//! Snapshots of volumes, taken now.

use fly_types::wire::Snapshot;
use fly_types::{AppName, VolumeId};
use http::Method;
use serde_json::Value;

use super::error::{Effect, Reason, WriteError};
use super::volumes::{context, request};
use super::{Writer, once};
use crate::call::Fetched;
use crate::request::{Action, Class};

impl Writer {
    /// Takes a snapshot now: `POST …/snapshots`, and finds out its id, which the answer does not hold. One that is waiting
    /// or running already is taken for it. It is of use only once it is `created`: [`crate::Client::wait_snapshot`].
    pub async fn create_snapshot(
        &self,
        app: &AppName,
        id: &VolumeId,
    ) -> Result<Fetched<Snapshot>, WriteError> {
        let context = || context("take a snapshot of", app, id);
        let template = "/v1/apps/{app}/volumes/{volume}/snapshots";
        let list = || self.client.snapshots(app, id);
        let before = list().await.map_err(|error| WriteError::new(context(), error))?;
        let old: Vec<Option<String>> =
            before.value.iter().map(|snapshot| snapshot.id.text().map(str::to_owned)).collect();
        let request =
            request(Method::POST, template, app, id, Class::Unsafe, Action::SnapshotCreate);
        let mut calls = before.calls;
        // A second snapshot while one is under way is refused, so repeating cannot make two.
        let mut again = true;
        loop {
            let (error, busy) = match self.act::<Value>(request.clone(), context()).await {
                Ok(answer) => {
                    calls.extend(answer.calls);
                    (None, false)
                }
                Err(error) if error.says("already scheduled") => (Some(error), true),
                Err(error) if once::effect(&error) == Effect::NotDone => return Err(error),
                Err(error) => (Some(error), false),
            };
            let made = error.is_none() || busy;
            let end = tokio::time::Instant::now() + self.look_for;
            loop {
                let now = list().await.map_err(|error| WriteError::new(context(), error))?;
                calls.extend(now.calls);
                let found = now.value.into_iter().find(|snapshot| {
                    let waits = matches!(snapshot.status.text(), Some("waiting" | "running"));
                    let id = snapshot.id.text().map(str::to_owned);
                    !old.contains(&id) || (busy && waits)
                });
                if let Some(snapshot) = found {
                    return Ok(Fetched { value: snapshot, body: now.body, calls });
                }
                if tokio::time::Instant::now() + once::LONGEST_PAUSE > end {
                    break;
                }
                tokio::time::sleep(once::LONGEST_PAUSE).await;
            }
            match error {
                Some(error) if !made && !again => return Err(error.unknown()),
                Some(_) if !made => again = false,
                _ => return Err(WriteError::because(context(), Reason::Unknown)),
            }
        }
    }
}
