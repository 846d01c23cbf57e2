//! The same call for many things: all at once, bounded by the places per host, and the worst outcome at the end.

use std::future::Future;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::{MOST_EACH, Outcome};
use crate::manifest::{Reason, Status};

/// Runs `each` for the first [`MOST_EACH`] items. One failure does not stop the others; afterwards it is the outcome.
pub(super) async fn each<T, F>(items: Vec<T>, what: &str, each: impl Fn(T) -> F) -> Outcome
where
    F: Future<Output = Result<(), Outcome>>,
{
    let all = items.len();
    let mut running: FuturesUnordered<F> = items.into_iter().take(MOST_EACH).map(each).collect();
    let (mut failed, mut first) = (0, None);
    while let Some(end) = running.next().await {
        if let Err(outcome) = end {
            failed += 1;
            first.get_or_insert(outcome);
        }
    }
    if let Some(mut outcome) = first {
        if let Some(reason) = &mut outcome.reason {
            reason.message = format!("{failed} of {all} {what}: {}", reason.message);
        }
        return outcome;
    }
    if all > MOST_EACH {
        let what = format!("only the first {MOST_EACH} of {all} {what} were asked for");
        return Outcome::new(Status::OkTruncated, Reason::new("too_many", what));
    }
    Outcome::OK
}
