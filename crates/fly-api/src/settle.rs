//! Waiting for volumes and snapshots, which have no wait call: reads with growing pauses.

use std::time::Duration;

use fly_types::state::VolumeState;
use fly_types::wire::{Snapshot, Volume};
use fly_types::{AppName, VolumeId};
use tokio::time::Instant;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a volume or snapshot did not get there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The time is over.
    #[error("{what} is not {wanted} after {} s; last seen {seen}", deadline.as_secs())]
    Deadline {
        /// Volume or snapshot.
        what: String,
        /// What was waited for.
        wanted: String,
        /// What it was last.
        seen: String,
        /// How long.
        deadline: Duration,
    },
    /// It is on its way out, or was never there.
    #[error("{what} is {seen} and will not become {wanted}")]
    OtherEnd {
        /// Volume or snapshot.
        what: String,
        /// What was waited for.
        wanted: String,
        /// Where it ended.
        seen: String,
    },
    /// A call failed for good.
    #[error("cannot wait for {what}")]
    Call {
        /// Volume or snapshot.
        what: String,
        /// Why.
        #[source]
        source: ApiError,
    },
}

impl Client {
    /// Waits until a volume is in one of the states. One that is being deleted while a live state is wanted ends it.
    pub async fn wait_volume(
        &self,
        app: &AppName,
        id: &VolumeId,
        states: &[VolumeState],
        deadline: Duration,
    ) -> Result<Fetched<Volume>, SettleError> {
        let words: Vec<&str> = states.iter().map(VolumeState::as_str).collect();
        let wanted = words.join(" or ");
        let what = format!("volume {id} of app {app}");
        self.poll(
            &what,
            &wanted,
            deadline,
            || self.volume(app, id),
            |volume| match volume.state.get() {
                Some(state) if states.contains(state) => Step::Done,
                Some(state) if !state.is_live() && states.iter().all(VolumeState::is_live) => {
                    Step::Hopeless(state.to_string())
                }
                Some(state) => Step::Seen(state.to_string()),
                None => Step::Seen("unknown".to_owned()),
            },
        )
        .await
    }

    /// Waits until a snapshot is finished, which is when it can be restored.
    pub async fn wait_snapshot(
        &self,
        app: &AppName,
        volume: &VolumeId,
        snapshot: &str,
        deadline: Duration,
    ) -> Result<Fetched<Snapshot>, SettleError> {
        let what = format!("snapshot {snapshot} of volume {volume} of app {app}");
        let find = |list: &Vec<Snapshot>| {
            list.iter().find(|found| found.id.text() == Some(snapshot)).cloned()
        };
        let list = self
            .poll(
                &what,
                "created",
                deadline,
                || self.snapshots(app, volume),
                |list| match find(list).and_then(|found| found.status.text().map(str::to_owned)) {
                    Some(status) if status == "created" => Step::Done,
                    Some(status) if matches!(status.as_str(), "failed" | "deleted") => {
                        Step::Hopeless(status)
                    }
                    Some(status) => Step::Seen(status),
                    None => Step::Seen("not listed".to_owned()),
                },
            )
            .await?;
        let found = find(&list.value).unwrap_or_default();
        Ok(list.map(|_| found))
    }

    async fn poll<T, F>(
        &self,
        what: &str,
        wanted: &str,
        deadline: Duration,
        read: impl Fn() -> F,
        judge: impl Fn(&T) -> Step,
    ) -> Result<Fetched<T>, SettleError>
    where
        F: Future<Output = Result<Fetched<T>, ApiError>>,
    {
        let (what, wanted) = (what.to_owned(), wanted.to_owned());
        let end = Instant::now() + deadline;
        let mut pause = FIRST_PAUSE;
        loop {
            let seen = match read().await {
                Ok(found) => match judge(&found.value) {
                    Step::Done => return Ok(found),
                    Step::Hopeless(seen) => {
                        return Err(SettleError::OtherEnd { what, wanted, seen });
                    }
                    Step::Seen(seen) => seen,
                },
                // What was just made may be unknown to reads; a deadline bounds that too.
                Err(error) if error.is_not_found() => "not found".to_owned(),
                Err(source) => return Err(SettleError::Call { what, source }),
            };
            if Instant::now() + pause > end {
                return Err(SettleError::Deadline { what, wanted, seen, deadline });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// What one look brought.
enum Step {
    Done,
    Seen(String),
    Hopeless(String),
}
