//! Errors of the client as errors of steps: which of them mean that somebody else is at it, and which that one only has to wait.

use fly_api::{ApiError, Reason, WaitError, WriteError};
use runbook::error::{Failure, StepError};

const NEW_TOKEN: &str =
    "make a new token (`fly tokens create deploy`), give it, and resume; nothing is lost";

/// A read that failed. A token that ended pauses the run: nothing is wrong with the target.
pub(crate) fn read_error(error: &ApiError) -> StepError {
    if error.is_denied() {
        return StepError::paused(
            format!("the platform does not accept the token: {error}"),
            NEW_TOKEN,
        );
    }
    hinted(StepError::failed(error.to_string()), error.hint())
}

/// A change that was not made.
pub(crate) fn write_error(error: &WriteError) -> StepError {
    let denied = error.source.as_ref().is_some_and(|source| source.is_denied());
    let failure = match &error.reason {
        Reason::LeaseHeld(_) => Failure::Held,
        Reason::LeaseLost(_) | Reason::VersionConflict { .. } => Failure::Stale,
        Reason::Denied | Reason::OverQuota => Failure::Paused,
        _ if denied => Failure::Paused,
        _ => Failure::Failed,
    };
    if denied || error.reason == Reason::Denied {
        return StepError::paused(error.to_string(), NEW_TOKEN);
    }
    hinted(StepError::new(failure, error.to_string()), error.hint())
}

/// A wait that ended without the wanted state.
pub(crate) fn wait_error(error: &WaitError) -> StepError {
    match error {
        WaitError::Call { source, .. } => read_error(source),
        other => StepError::failed(other.to_string()),
    }
}

fn hinted(error: StepError, hint: Option<String>) -> StepError {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
