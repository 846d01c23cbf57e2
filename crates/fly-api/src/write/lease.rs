//! Leases: taken, refreshed in the background, given back.
//!
//! A lease is short, so that a crash does not block anybody for long; a task refreshes it at a third of its time. Its end
//! is reckoned on our own clock from before each request was sent, so it is never believed to hold longer than it does.

use std::sync::Arc;
use std::time::Duration;

use fly_types::wire::{LeaseAnswer, Sensitive};
use fly_types::{AppName, MachineId};
use http::Method;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::create::seconds;
use super::error::{Context, Effect, Reason, WriteError};
use super::{MachineWriter, Writer, once};
use crate::error::ApiError;
use crate::request::{Action, Class, Request, Target};

const LEASE: &str = "/v1/apps/{app}/machines/{id}/lease";
/// How often a lease that somebody has is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Time limit of one lease call.
const CALL: Duration = Duration::from_secs(10);

/// A lease to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// How long it holds without a refresh. flyctl uses 13 s in deploys and 120 s otherwise.
    pub ttl: Duration,
    /// Who and why, seen by everybody, e.g. `fly-migrate run 3f2a`. A held lease with the same text is one of our own
    /// that a crash left behind.
    pub description: String,
    /// How long to wait for somebody else to finish; zero: not at all.
    pub patience: Duration,
}

impl LeaseRequest {
    /// 30 s, without waiting for others.
    pub fn new(description: impl Into<String>) -> Self {
        Self {
            ttl: Duration::from_secs(30),
            description: description.into(),
            patience: Duration::ZERO,
        }
    }
}

/// What became of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// We have it.
    Held,
    /// It is gone, and why. What it protected may have changed.
    Lost(String),
}

/// A lease that we hold. Refreshed in the background until [`Lease::release`]; dropped, it is given back as well as may be.
#[derive(Debug)]
pub struct Lease {
    held: Arc<Held>,
    refresher: JoinHandle<()>,
}

#[derive(Debug)]
struct Held {
    writer: Writer,
    app: AppName,
    machine: MachineId,
    nonce: Sensitive<String>,
    ttl: Duration,
    description: String,
    version: Option<String>,
    status: watch::Sender<(LeaseState, Instant)>,
}

impl MachineWriter<'_> {
    /// Takes the lease of the Machine: `POST …/lease`. Errors: [`Reason::LeaseHeld`] names the holder.
    ///
    /// One of our own with the same description is waited out, because its nonce is lost. So is one of somebody else, for
    /// as long as [`LeaseRequest::patience`] says.
    pub async fn lease(&self, wanted: &LeaseRequest) -> Result<Lease, WriteError> {
        let begin = Instant::now();
        // Our own can hold no longer than its time; a refresh may just have happened.
        let own_end = begin + wanted.ttl + Duration::from_secs(5);
        loop {
            let sent = Instant::now();
            let context = self.context("lease");
            let request = acquire_request(self.app, self.id, wanted);
            let error = match self.writer.act::<LeaseAnswer>(request, context.clone()).await {
                Ok(answer) => {
                    let rule = "the answer has no nonce".to_owned();
                    return Lease::hold(self, wanted, answer.value, sent)
                        .ok_or_else(|| WriteError::because(context, Reason::Invalid(rule)));
                }
                Err(error) => error,
            };
            let end = match (&error.reason, once::effect(&error)) {
                (Reason::LeaseHeld(_), _) if self.is_own(wanted).await => own_end,
                (Reason::LeaseHeld(_), _) => begin + wanted.patience,
                // It may be ours now, with a nonce that nobody knows.
                (_, Effect::MayBeDone | Effect::Done) => own_end,
                _ => return Err(error),
            };
            if Instant::now() + ASK_AGAIN > end {
                return Err(error);
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    async fn is_own(&self, wanted: &LeaseRequest) -> bool {
        match self.writer.client().machine_lease(self.app, self.id).await {
            Ok(found) => found
                .value
                .lease()
                .and_then(|lease| lease.description.text())
                .is_some_and(|text| text == wanted.description),
            // Gone in between: the next try takes it.
            Err(error) => error.is_not_found(),
        }
    }
}

fn lease_request(app: &AppName, id: &MachineId, method: Method, class: Class) -> Request {
    let values = [app.as_str(), id.as_str()];
    Request::new(method, Target::Machines, LEASE, &values, class, Action::LeaseSet, id.as_str())
        .timeout(CALL)
}

fn acquire_request(app: &AppName, id: &MachineId, wanted: &LeaseRequest) -> Request {
    lease_request(app, id, Method::POST, Class::Unsafe)
        .json(&json!({ "ttl": seconds(wanted.ttl), "description": wanted.description }))
}

impl Held {
    fn request(&self, method: Method) -> Request {
        let mut request = lease_request(&self.app, &self.machine, method, Class::Idempotent);
        request.nonce = Some(self.nonce.clone());
        // The refresher is the retry.
        request.max_attempts = Some(1);
        request
    }

    fn refresh_request(&self) -> Request {
        self.request(Method::POST)
            .json(&json!({ "ttl": seconds(self.ttl), "description": self.description }))
    }

    fn lost(&self, why: String) {
        self.status.send_modify(|status| {
            if status.0 == LeaseState::Held {
                tracing::warn!(machine = %self.machine, why, "lease lost");
                status.0 = LeaseState::Lost(why);
            }
        });
    }

    /// Refreshes until it is lost; ends with it.
    async fn keep(self: Arc<Self>) {
        let mut next = Instant::now() + self.ttl / 3;
        loop {
            tokio::time::sleep_until(next).await;
            let end = self.status.borrow().1;
            let sent = Instant::now();
            let call = self.writer.client().send::<LeaseAnswer>(self.refresh_request());
            match tokio::time::timeout_at(end, call).await {
                Ok(Ok(answer)) => {
                    let nonce =
                        answer.value.into_lease().and_then(|lease| lease.nonce.into_value());
                    if nonce.as_ref().is_some_and(|nonce| *nonce != self.nonce) {
                        // Expired on the server and taken anew by this very call: there was a gap.
                        self.lost("it had expired before it was refreshed".to_owned());
                        return;
                    }
                    self.status.send_modify(|status| status.1 = sent + self.ttl);
                    next = sent + self.ttl / 3;
                }
                Ok(Err(error)) if is_final(&error) => {
                    self.lost(match error.status_error().and_then(|e| e.lease.as_ref()) {
                        Some(other) => format!("{} took it", other.owner),
                        None => error.to_string(),
                    });
                    return;
                }
                Ok(Err(_)) if Instant::now() < end => next = Instant::now() + ASK_AGAIN,
                Ok(Err(_)) | Err(_) => {
                    self.lost("it could not be refreshed in time".to_owned());
                    return;
                }
            }
            if next >= self.status.borrow().1 {
                self.lost("it could not be refreshed in time".to_owned());
                return;
            }
        }
    }
}

/// An answer that trying again does not change.
fn is_final(error: &ApiError) -> bool {
    matches!(error.status(), Some(400..=407 | 409..=428 | 430..=499))
}

impl Lease {
    fn hold(
        of: &MachineWriter<'_>,
        wanted: &LeaseRequest,
        answer: LeaseAnswer,
        sent: Instant,
    ) -> Option<Self> {
        let lease = answer.into_lease()?;
        let version = lease.version.text().map(str::to_owned);
        let nonce = lease.nonce.into_value().filter(|nonce| !nonce.expose().is_empty())?;
        let held = Arc::new(Held {
            writer: of.writer.clone(),
            app: of.app.clone(),
            machine: of.id.clone(),
            nonce,
            ttl: Duration::from_secs(wanted.ttl.as_secs().max(1)),
            description: wanted.description.clone(),
            version,
            status: watch::Sender::new((LeaseState::Held, sent + wanted.ttl)),
        });
        let refresher = tokio::spawn(Arc::clone(&held).keep());
        Some(Self { held, refresher })
    }

    /// The Machine.
    pub fn machine(&self) -> &MachineId {
        &self.held.machine
    }

    /// The version of the Machine when the lease was taken, as far as the answer says.
    pub fn version(&self) -> Option<&str> {
        self.held.version.as_deref()
    }

    /// Whether we have it.
    pub fn state(&self) -> LeaseState {
        let (state, end) = self.held.status.borrow().clone();
        match state {
            LeaseState::Held if Instant::now() >= end => {
                LeaseState::Lost("it was not refreshed in time".to_owned())
            }
            state => state,
        }
    }

    /// Waits until it is lost, and says why. For `select!` beside the work that it protects.
    pub async fn lost(&self) -> String {
        let mut status = self.held.status.subscribe();
        let found = status.wait_for(|(state, _)| *state != LeaseState::Held).await;
        match found.map(|status| status.0.clone()) {
            Ok(LeaseState::Lost(why)) => why,
            _ => "it was given back".to_owned(),
        }
    }

    /// The proof for a change; an error says why there is none any more.
    pub(crate) fn nonce(&self) -> Result<Sensitive<String>, String> {
        match self.state() {
            LeaseState::Held => Ok(self.held.nonce.clone()),
            LeaseState::Lost(why) => Err(why),
        }
    }

    /// Gives it back: `DELETE …/lease`. One that is gone already is given back. On an error it runs out by itself.
    pub async fn release(self) -> Result<(), WriteError> {
        self.refresher.abort();
        let held = Arc::clone(&self.held);
        held.lost(GIVEN_BACK.to_owned());
        let mut request = held.request(Method::DELETE);
        request.max_attempts = None;
        let what = format!("release the lease of Machine {} of app {}", held.machine, held.app);
        match held.writer.act::<serde_json::Value>(request, Context::new(what)).await {
            Ok(_) => Ok(()),
            Err(error) if error.reason == Reason::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

const GIVEN_BACK: &str = "it was given back";

impl Drop for Lease {
    fn drop(&mut self) {
        self.refresher.abort();
        if self.held.status.borrow().0 != LeaseState::Held {
            return;
        }
        // Best effort: without a runtime it runs out by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let held = Arc::clone(&self.held);
            runtime.spawn(async move {
                let request = held.request(Method::DELETE);
                let _ = held.writer.client().send_raw(request).await;
            });
        }
    }
}
