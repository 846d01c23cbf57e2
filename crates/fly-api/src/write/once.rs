//! Making things that have neither a name nor a marker to be found by: what was not in the list before, and fits, is it.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::error::{Context, Effect, Reason, WriteError};
use crate::call::{CallRecord, Fetched};
use crate::error::ApiError;

/// The pause before the second look; doubles.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a create is sent at most.
const TRIES: u32 = 2;

/// Whether the change behind an error may have been carried out.
pub(crate) fn effect(error: &WriteError) -> Effect {
    error.source.as_ref().map_or(Effect::NotDone, |source| source.effect())
}

impl WriteError {
    /// The same with the reason that nobody knows.
    pub(crate) fn unknown(self) -> Self {
        Self { reason: Reason::Unknown, ..self }
    }
}

/// A thing that was made.
pub(crate) struct Made<T> {
    pub(crate) value: T,
    /// It was found in the list, the answer was lost.
    pub(crate) found: bool,
    pub(crate) calls: Vec<CallRecord>,
}

/// Makes a thing. When the answer is lost, it is looked for among what is new in the list since before the call.
///
/// Guarantee: repeated only after the list has not shown it for `look_for`. Two things that fit are an error that names
/// both. Somebody else who makes an equal thing at the same time is not told apart.
pub(crate) async fn once<T, L, M>(
    context: Context,
    look_for: Duration,
    list: impl Fn() -> L,
    key: impl Fn(&T) -> String,
    fits: impl Fn(&T) -> bool,
    make: impl Fn() -> M,
) -> Result<Made<T>, WriteError>
where
    L: Future<Output = Result<Fetched<Vec<T>>, ApiError>>,
    M: Future<Output = Result<Fetched<T>, WriteError>>,
{
    let before = list().await.map_err(|error| WriteError::new(context.clone(), error))?;
    let mut calls = before.calls;
    let old: HashSet<String> = before.value.iter().map(&key).collect();
    let mut left = TRIES;
    loop {
        left -= 1;
        let error = match make().await {
            Ok(made) => {
                calls.extend(made.calls);
                return Ok(Made { value: made.value, found: false, calls });
            }
            Err(error) if effect(&error) == Effect::NotDone => return Err(error),
            Err(error) => error,
        };
        if let Some(source) = &error.source {
            calls.push((*source.call).clone());
        }
        let end = Instant::now() + look_for;
        let mut pause = FIRST_PAUSE;
        loop {
            let Ok(now) = list().await else { return Err(error.unknown()) };
            calls.extend(now.calls);
            let mut new: Vec<T> = now
                .value
                .into_iter()
                .filter(|thing| !old.contains(&key(thing)) && fits(thing))
                .collect();
            match new.len() {
                0 if Instant::now() + pause <= end => {}
                0 => break,
                1 => return Ok(Made { value: new.remove(0), found: true, calls }),
                _ => {
                    let ids = new.iter().map(&key).collect();
                    return Err(WriteError { reason: Reason::Ambiguous(ids), ..error });
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if left == 0 {
            return Err(error.unknown());
        }
    }
}
