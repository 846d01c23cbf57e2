//! Changes to one Machine: start, stop, suspend, restart, signal, cordon, exec, destroy.

use std::time::Duration;

use fly_types::duration::GoDuration;
use fly_types::wire::{ExecRequest, ExecResult, OkAnswer, Sensitive, StartAnswer, StopMachine};
use fly_types::{AppName, MachineId};
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::create::{seconds, some};
use super::error::{Context, Effect, Reason, WriteError};
use super::lease::Lease;
use super::{Writer, once};
use crate::call::{CallRecord, Fetched};
use crate::request::{Action, Class, Request, Target};

/// Changes to one Machine, under a lease or without.
#[derive(Debug, Clone)]
pub struct MachineWriter<'a> {
    pub(super) writer: &'a Writer,
    pub(super) app: &'a AppName,
    pub(super) id: &'a MachineId,
    leave: Leave<'a>,
}

/// What shows that we may change a leased Machine.
#[derive(Debug, Clone)]
enum Leave<'a> {
    Without,
    Lease(&'a Lease),
    Nonce(Sensitive<String>),
}

/// How to stop a Machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stop {
    /// Signal, e.g. `SIGTERM`; without one, that of the configuration, or SIGINT.
    pub signal: Option<String>,
    /// How long it may take until it is killed; at most 5 minutes.
    pub timeout: Option<Duration>,
}

/// A command to run inside a Machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; no shell splits them.
    pub words: Vec<String>,
    /// Which container, in a Machine that has several.
    pub container: Option<String>,
    /// Text on standard input. Reported as not always delivered.
    pub stdin: Option<Sensitive<String>>,
    /// Time limit. Beyond about 30 s the platform answers 408 although the command goes on.
    pub timeout: Option<Duration>,
}

impl Command {
    /// A command of words.
    pub fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

impl Writer {
    /// Changes to one Machine.
    pub fn machine<'a>(&'a self, app: &'a AppName, id: &'a MachineId) -> MachineWriter<'a> {
        MachineWriter { writer: self, app, id, leave: Leave::Without }
    }
}

impl<'a> MachineWriter<'a> {
    /// The same under a lease: every change carries its nonce, and none is sent once it is lost.
    #[must_use]
    pub fn under(mut self, lease: &'a Lease) -> Self {
        self.leave = Leave::Lease(lease);
        self
    }

    /// The same with the nonce that a create or update answered.
    #[must_use]
    pub fn with_nonce(mut self, nonce: Sensitive<String>) -> Self {
        self.leave = Leave::Nonce(nonce);
        self
    }

    /// Starts it: `POST …/start`. A Machine that runs already is started.
    pub async fn start(&self) -> Result<Fetched<StartAnswer>, WriteError> {
        let request = self.post(
            "/v1/apps/{app}/machines/{id}/start",
            Class::Conditional,
            Action::MachineStart,
        );
        match self.act::<StartAnswer>("start", request).await {
            Err(error) if error.says("still active") => Ok(done(error, StartAnswer::default())),
            // Starting again what may have been started is refused when it was, which is as good.
            Err(error) if once::effect(&error) == Effect::MayBeDone => {
                let again = self.post(
                    "/v1/apps/{app}/machines/{id}/start",
                    Class::Conditional,
                    Action::MachineStart,
                );
                match self.act::<StartAnswer>("start", again).await {
                    Err(error)
                        if error.says("still active")
                            || error.says("still attempting to start") =>
                    {
                        Ok(done(error, StartAnswer::default()))
                    }
                    other => other,
                }
            }
            other => other,
        }
    }

    /// Stops it: `POST …/stop`. A stopped Machine stays stopped.
    pub async fn stop(&self, stop: &Stop) -> Result<Fetched<OkAnswer>, WriteError> {
        self.act("stop", self.stop_request(stop)).await
    }

    fn stop_request(&self, stop: &Stop) -> Request {
        let body = StopMachine {
            signal: some(stop.signal.clone()),
            timeout: some(stop.timeout.map(GoDuration::from)),
            ..StopMachine::default()
        };
        self.post("/v1/apps/{app}/machines/{id}/stop", Class::Idempotent, Action::MachineStop)
            .json(&body)
    }

    /// Suspends it: `POST …/suspend`. Where that is not possible the platform stops it.
    pub async fn suspend(&self) -> Result<Fetched<OkAnswer>, WriteError> {
        let request = self.post(
            "/v1/apps/{app}/machines/{id}/suspend",
            Class::Idempotent,
            Action::MachineSuspend,
        );
        self.act("suspend", request).await
    }

    /// Restarts it with the same version: `POST …/restart`. Not repeated when the answer is lost.
    pub async fn restart(&self, stop: &Stop) -> Result<Fetched<OkAnswer>, WriteError> {
        let request = self
            .post("/v1/apps/{app}/machines/{id}/restart", Class::Unsafe, Action::MachineRestart)
            .maybe_query("timeout", stop.timeout.map(|time| GoDuration::from(time).to_string()))
            .maybe_query("signal", stop.signal.as_deref());
        self.act("restart", request).await
    }

    /// Sends a signal to its process, e.g. `SIGHUP`: `POST …/signal`. Not repeated when the answer is lost.
    pub async fn signal(&self, signal: &str) -> Result<Fetched<OkAnswer>, WriteError> {
        let request = self
            .post("/v1/apps/{app}/machines/{id}/signal", Class::Unsafe, Action::MachineSignal)
            .json(&json!({ "signal": signal }));
        self.act("send a signal to", request).await
    }

    /// Takes its services out of the proxy: `POST …/cordon`.
    pub async fn cordon(&self) -> Result<Fetched<OkAnswer>, WriteError> {
        let request = self.post(
            "/v1/apps/{app}/machines/{id}/cordon",
            Class::Idempotent,
            Action::MachineCordon,
        );
        self.act("cordon", request).await
    }

    /// Puts its services into the proxy: `POST …/uncordon`.
    pub async fn uncordon(&self) -> Result<Fetched<OkAnswer>, WriteError> {
        let request = self.post(
            "/v1/apps/{app}/machines/{id}/uncordon",
            Class::Idempotent,
            Action::MachineUncordon,
        );
        self.act("uncordon", request).await
    }

    /// Runs a command inside: `POST …/exec`. A command that fails is an answer, not an error. Not repeated when the
    /// answer is lost.
    pub async fn exec(&self, command: &Command) -> Result<Fetched<ExecResult>, WriteError> {
        self.act("run a command in", self.exec_request(command)).await
    }

    fn exec_request(&self, command: &Command) -> Request {
        let body = ExecRequest {
            command: command.words.clone().into(),
            container: some(command.container.clone()),
            stdin: some(command.stdin.clone()),
            timeout: some(command.timeout.map(seconds)),
            ..ExecRequest::default()
        };
        let limit = command.timeout.unwrap_or(Duration::from_secs(30)) + Duration::from_secs(15);
        self.post("/v1/apps/{app}/machines/{id}/exec", Class::Unsafe, Action::MachineExec)
            .json(&body)
            .timeout(limit)
    }

    /// Destroys it: `DELETE …`. Without `force` only when it does not run. One that is gone already is destroyed.
    pub async fn destroy(&self, force: bool) -> Result<Fetched<OkAnswer>, WriteError> {
        match self.act("destroy", self.destroy_request(force)).await {
            Err(error) if error.reason == Reason::NotFound => Ok(done(error, OkAnswer::default())),
            // On its way already: that is refused as a wrong state.
            Err(error)
                if matches!(error.reason, Reason::WrongState { .. }) && self.is_going().await =>
            {
                Ok(done(error, OkAnswer::default()))
            }
            other => other,
        }
    }

    async fn is_going(&self) -> bool {
        match self.writer.client().machine(self.app, self.id).await {
            Ok(found) => found.value.state.get().is_some_and(|state| !state.is_active()),
            Err(error) => error.is_not_found(),
        }
    }

    fn destroy_request(&self, force: bool) -> Request {
        self.request(
            Method::DELETE,
            "/v1/apps/{app}/machines/{id}",
            Class::Idempotent,
            Action::MachineDelete,
        )
        .maybe_query("force", force.then_some("true"))
    }

    pub(super) fn post(&self, template: &'static str, class: Class, action: Action) -> Request {
        self.request(Method::POST, template, class, action)
    }

    pub(super) fn request(
        &self,
        method: Method,
        template: &'static str,
        class: Class,
        action: Action,
    ) -> Request {
        let values = [self.app.as_str(), self.id.as_str()];
        Request::new(method, Target::Machines, template, &values, class, action, self.id.as_str())
    }

    /// `stop Machine 148e… of app shop`.
    pub(super) fn context(&self, verb: &str) -> Context {
        Context::new(format!("{verb} Machine {} of app {}", self.id, self.app))
    }

    pub(super) async fn act<T: DeserializeOwned>(
        &self,
        verb: &str,
        request: Request,
    ) -> Result<Fetched<T>, WriteError> {
        self.act_in(self.context(verb), request).await
    }

    /// Sends a change with the nonce of the lease. A lease that is lost sends nothing.
    pub(super) async fn act_in<T: DeserializeOwned>(
        &self,
        context: Context,
        mut request: Request,
    ) -> Result<Fetched<T>, WriteError> {
        request.nonce = match &self.leave {
            Leave::Without => None,
            Leave::Nonce(nonce) => Some(nonce.clone()),
            Leave::Lease(lease) => match lease.nonce() {
                Ok(nonce) => Some(nonce),
                Err(why) => return Err(WriteError::because(context, Reason::LeaseLost(why))),
            },
        };
        self.writer.act(request, context).await
    }
}

impl WriteError {
    /// The platform's text contains this.
    pub(crate) fn says(&self, part: &str) -> bool {
        let status = self.source.as_ref().and_then(|error| error.status_error());
        status.is_some_and(|status| status.message.contains(part))
    }
}

/// A refusal that means that it is done already.
pub(crate) fn done<T>(error: WriteError, value: T) -> Fetched<T> {
    let calls: Vec<CallRecord> = error.source.map(|error| *error.call).into_iter().collect();
    Fetched { value, body: bytes::Bytes::new(), calls }
}
