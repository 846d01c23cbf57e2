//! Waiting for a state for longer than the 60 s that one call allows.

use std::time::Duration;

use fly_types::state::MachineState;
use fly_types::wire::WaitAnswer;
use fly_types::{AppName, MachineId};
use tokio::time::Instant;

use crate::call::CallRecord;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// The longest wait of one call (the platform answers 400 to more).
const LONGEST: Duration = Duration::from_mins(1);
/// How long a Machine that was just made may be unknown to reads.
const UNKNOWN_AFTER_CREATE: Duration = Duration::from_secs(5);

/// What to wait for.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitFor {
    /// Any of these ends the wait.
    pub states: Vec<MachineState>,
    /// Only this version counts.
    pub version: Option<String>,
    /// Only what happens after this event counts.
    pub from_event_id: Option<String>,
    /// How long at most.
    pub deadline: Duration,
}

impl WaitFor {
    /// One state, of whatever version, from now or before.
    pub fn state(state: MachineState, deadline: Duration) -> Self {
        Self { states: vec![state], version: None, from_event_id: None, deadline }
    }
}

/// How a wait ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct Waited {
    /// The state that was reached, as far as the answer says.
    pub state: Option<MachineState>,
    /// The event, for a following wait.
    pub event_id: Option<String>,
    /// The calls it took.
    pub calls: Vec<CallRecord>,
}

/// How a wait ended otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The time is over.
    #[error("Machine {machine} did not reach {wanted} within {} s; last seen {seen}", deadline.as_secs())]
    Deadline {
        /// Which Machine.
        machine: MachineId,
        /// What was waited for.
        wanted: String,
        /// What it was last, or `unknown`.
        seen: String,
        /// How long.
        deadline: Duration,
    },
    /// It reached a state from which it will not come to the wanted one by itself.
    #[error("Machine {machine} is {state} and will not reach {wanted} by itself")]
    OtherEnd {
        /// Which Machine.
        machine: MachineId,
        /// What was waited for.
        wanted: String,
        /// Where it ended.
        state: MachineState,
    },
    /// A call failed for good.
    #[error("cannot wait for Machine {machine}")]
    Call {
        /// Which Machine.
        machine: MachineId,
        /// Why.
        #[source]
        source: ApiError,
    },
}

fn request(app: &AppName, id: &MachineId, wait: &WaitFor, left: Duration) -> Request {
    let seconds = left.min(LONGEST).as_secs().clamp(1, LONGEST.as_secs());
    let mut request = Request::get(
        Target::Machines,
        "/v1/apps/{app}/machines/{id}/wait",
        &[app.as_str(), id.as_str()],
        Action::MachineWait,
        id.as_str(),
    );
    for state in &wait.states {
        request = request.query("state", state.to_string());
    }
    request = request
        .query("timeout", seconds.to_string())
        .maybe_query("version", wait.version.as_deref())
        .maybe_query("from_event_id", wait.from_event_id.as_deref())
        .timeout(Duration::from_secs(seconds + 15));
    // 408 is an ordinary answer here, and the loop below is the retry.
    request.max_attempts = Some(1);
    request
}

impl Client {
    /// Waits until the Machine is in one of the states: calls of up to 60 s in a row, and a look in between for
    /// states that end the hope.
    pub async fn wait(
        &self,
        app: &AppName,
        id: &MachineId,
        wait: &WaitFor,
    ) -> Result<Waited, WaitError> {
        let begin = Instant::now();
        let end = begin + wait.deadline;
        let wanted = wait.states.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let mut seen = "unknown".to_owned();
        let mut calls = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(WaitError::Deadline {
                    machine: id.clone(),
                    wanted,
                    seen,
                    deadline: wait.deadline,
                });
            }
            match self.send::<WaitAnswer>(request(app, id, wait, left)).await {
                Ok(answer) => {
                    calls.extend(answer.calls);
                    return Ok(Waited {
                        state: answer.value.state.into_value(),
                        event_id: answer.value.event_id.into_value(),
                        calls,
                    });
                }
                Err(error) => {
                    let young = begin.elapsed() < UNKNOWN_AFTER_CREATE;
                    let again = match error.status() {
                        Some(404) => {
                            if wait.states.contains(&MachineState::Destroyed) && !young {
                                // Gone is what was wanted.
                                calls.push(*error.call);
                                return Ok(Waited {
                                    state: Some(MachineState::Destroyed),
                                    event_id: None,
                                    calls,
                                });
                            }
                            young
                        }
                        Some(408 | 429 | 500..=599) => true,
                        Some(_) => false,
                        None => {
                            error.is_timeout()
                                || matches!(error.kind, crate::ErrorKind::Transport(_))
                        }
                    };
                    if !again {
                        return Err(WaitError::Call { machine: id.clone(), source: error });
                    }
                    calls.push(*error.call);
                }
            }
            if let Ok(found) = self.machine(app, id).await {
                if let Some(state) = found.value.state.get() {
                    seen = state.to_string();
                    let hopeless = matches!(state, MachineState::Destroyed | MachineState::Failed)
                        && !wait.states.contains(state);
                    if hopeless {
                        return Err(WaitError::OtherEnd {
                            machine: id.clone(),
                            wanted,
                            state: state.clone(),
                        });
                    }
                }
                calls.extend(found.calls);
            }
            // A refusal that comes at once must not become a busy loop.
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
