//! What a Machine does when told: start, stop, suspend, restart, signal, update, destroy. Each change of state writes
//! its event; what takes time is scheduled and happens when somebody looks (`settle`).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::machine::{Event, Machine, Pending};
use super::refusal::Refusal;
use crate::world::file::Settings;
use crate::world::machine::BehaviorFile;

/// What transitions need from the platform.
pub(crate) struct Platform<'a> {
    pub(crate) ids: &'a mut Ids,
    pub(crate) now: Timestamp,
    pub(crate) settings: &'a Settings,
    pub(crate) behaviors: &'a [BehaviorFile],
}

pub(crate) type Changed = Result<(), Refusal>;

const REPLACING: SignedDuration = SignedDuration::from_millis(300);
const RESUME: SignedDuration = SignedDuration::from_millis(200);
const SUSPENDING: SignedDuration = SignedDuration::from_millis(400);
const DESTROYING: SignedDuration = SignedDuration::from_millis(300);
/// How often a crashing process is restarted before the platform gives up.
const RESTARTS: i64 = 10;

impl Platform<'_> {
    pub(crate) fn event(
        &mut self,
        at: Timestamp,
        kind: &str,
        status: &str,
        source: &str,
        request: Option<Value>,
    ) -> Event {
        Event {
            id: self.ids.ulid(at),
            kind: kind.to_owned(),
            status: status.to_owned(),
            source: source.to_owned(),
            at,
            request,
        }
    }

    fn after(&self, by: SignedDuration) -> Timestamp {
        self.now.saturating_add(by).unwrap_or(self.now)
    }

    pub(crate) fn unpullable(&self, image: &str) -> bool {
        self.behaviors.iter().any(|behavior| behavior.unpullable && image.contains(&behavior.image))
    }

    fn behavior(&self, machine: &Machine) -> Option<BehaviorFile> {
        let found = self.behaviors.iter().find(|behavior| machine.behaves_as(behavior)).cloned();
        // A release command comes to its end by itself, and so does a run by schedule.
        let command = machine.metadata("fly_process_group") == Some("fly_app_release_command")
            || machine.schedule().is_some();
        let ends = || BehaviorFile {
            exit_code: Some(0),
            after: SignedDuration::from_secs(1),
            ..BehaviorFile::default()
        };
        found.or_else(|| command.then(ends))
    }
}

impl Machine {
    fn reachable(&self) -> Changed {
        if self.host_ok() { Ok(()) } else { Err(Refusal::deadline("context deadline exceeded")) }
    }

    fn has_room(&self) -> Changed {
        if self.host_full {
            return Err(Refusal::aborted(
                "could not reserve resource for machine: insufficient memory available to fulfill request",
            ));
        }
        Ok(())
    }

    /// A new Machine whose image cannot be pulled.
    pub(crate) fn fail_to_pull(&mut self, platform: &mut Platform<'_>, at: Timestamp) {
        let failed = platform.event(at, "launch", "failed", "flyd", Some(json!({})));
        self.later(at, "failed", Some(failed));
    }

    fn now_in(&mut self, state: &str, event: Event) {
        state.clone_into(&mut self.state);
        self.updated_at = event.at;
        self.events.push(event);
        self.pending.clear();
    }

    fn later(&mut self, at: Timestamp, state: &str, event: Option<Event>) {
        self.pending.push(Pending { at, state: state.to_owned(), event, last: false, boot: false });
    }

    /// Schedules the boot at `at`, and what the image does then.
    pub(crate) fn boot(&mut self, platform: &mut Platform<'_>, at: Timestamp) {
        let started = platform.event(at, "start", "started", "flyd", Some(json!({})));
        self.later(at, "started", Some(started));
        if let Some(pending) = self.pending.last_mut() {
            pending.boot = true;
        }
        let Some(behavior) = platform.behavior(self) else { return };
        let Some(code) = behavior.exit_code else { return };
        let policy = self.restart_policy();
        let restarts =
            if policy == "no" || (policy == "on-failure" && code == 0) { 0 } else { RESTARTS };
        let mut at = at;
        for count in 0..=restarts {
            at = at.saturating_add(behavior.after).unwrap_or(at);
            let last = count == restarts;
            let mut request = Event::exit(code, behavior.oom_killed, false, at);
            request["exit_event"]["restarting"] = json!(!last);
            request["restart_count"] = json!(count);
            let exit = platform.event(at, "exit", "stopped", "flyd", Some(request));
            self.later(at, if last { "stopped" } else { "starting" }, Some(exit));
            if !last {
                at = at.saturating_add(RESUME).unwrap_or(at);
                let again = platform.event(at, "start", "started", "flyd", Some(json!({})));
                self.later(at, "started", Some(again));
            }
        }
        if self.config.get("auto_destroy") == Some(&Value::Bool(true)) {
            self.destroy_at(platform, at);
        }
    }

    fn restart_policy(&self) -> String {
        let policy = self.config.get("restart").and_then(|restart| restart["policy"].as_str());
        policy.filter(|policy| !policy.is_empty()).unwrap_or("on-failure").to_owned()
    }

    pub(crate) fn start(&mut self, platform: &mut Platform<'_>) -> Changed {
        self.start_by(platform, "user")
    }

    /// Time between two runs, for a Machine with a schedule. The platform's times are approximate; these are not.
    fn schedule(&self) -> Option<SignedDuration> {
        let hours = match self.config.get("schedule")?.as_str()? {
            "hourly" => 1,
            "daily" => 24,
            "weekly" => 7 * 24,
            "monthly" => 30 * 24,
            _ => return None,
        };
        Some(SignedDuration::from_hours(hours))
    }

    /// Starts it if its schedule says so. A run that is due while it still runs, or cannot be reached, is left out.
    pub(crate) fn fire(&mut self, platform: &mut Platform<'_>) {
        let Some(period) = self.schedule() else { return };
        let due = self.schedule_from.saturating_add(period).unwrap_or(Timestamp::MAX);
        if due > platform.now {
            return;
        }
        let mut next = due;
        while let Ok(later) = next.checked_add(period)
            && later <= platform.now
        {
            next = later;
        }
        self.schedule_from = next;
        if self.pending.is_empty() && matches!(self.state.as_str(), "stopped" | "created") {
            "stopped".clone_into(&mut self.state);
            // Without room it does not run.
            let _ = self.start_by(platform, "flyd");
        }
    }

    /// Started through the API (`user`) or by a request (`proxy`).
    pub(crate) fn start_by(&mut self, platform: &mut Platform<'_>, source: &str) -> Changed {
        self.reachable()?;
        let delay = match self.state.as_str() {
            "stopped" | "failed" => platform.settings.start_delay,
            "suspended" => RESUME,
            "started" => {
                return Err(Refusal::precondition("machine still active, refusing to start"));
            }
            "starting" => return Err(Refusal::precondition("machine still attempting to start")),
            "replacing" => {
                return Err(Refusal::precondition("machine getting replaced, refusing to start"));
            }
            other => {
                return Err(Refusal::precondition(format!(
                    "unable to start machine from current state: '{other}'"
                )));
            }
        };
        self.has_room()?;
        let event = platform.event(platform.now, "start", "starting", source, None);
        self.now_in("starting", event);
        self.boot(platform, platform.after(delay));
        Ok(())
    }

    pub(crate) fn stop(&mut self, platform: &mut Platform<'_>) -> Changed {
        self.reachable()?;
        match self.state.as_str() {
            "stopped" | "stopping" => return Ok(()),
            "started" | "starting" | "suspended" | "restarting" | "replacing" | "suspending" => {}
            other => {
                return Err(Refusal::precondition(format!(
                    "unable to stop machine from current state: '{other}'"
                )));
            }
        }
        let ran = self.state != "suspended";
        let request = Some(json!({ "reason": "" }));
        let event = platform.event(platform.now, "stop", "stopping", "user", request);
        self.now_in("stopping", event);
        let at = platform.after(platform.settings.stop_delay);
        let exit = Event::exit(0, false, true, at);
        let exit = ran.then(|| platform.event(at, "exit", "stopped", "flyd", Some(exit)));
        self.later(at, "stopped", exit);
        if self.config.get("auto_destroy") == Some(&Value::Bool(true)) {
            self.destroy_at(platform, at);
        }
        Ok(())
    }

    pub(crate) fn suspend(&mut self, platform: &mut Platform<'_>) -> Changed {
        self.reachable()?;
        match self.state.as_str() {
            "suspended" | "suspending" => return Ok(()),
            "started" => {}
            other => {
                return Err(Refusal::precondition(format!(
                    "unable to suspend machine from current state: '{other}'"
                )));
            }
        }
        let memory = self.config.get("guest").and_then(|guest| guest["memory_mb"].as_i64());
        if memory.unwrap_or(256) > 2048 || self.config.contains_key("schedule") {
            return self.stop(platform);
        }
        let event = platform.event(platform.now, "suspend", "suspending", "user", None);
        self.now_in("suspending", event);
        let at = platform.after(SUSPENDING);
        let done = platform.event(at, "suspend", "suspended", "flyd", None);
        self.later(at, "suspended", Some(done));
        Ok(())
    }

    pub(crate) fn restart(&mut self, platform: &mut Platform<'_>) -> Changed {
        self.reachable()?;
        if matches!(self.state.as_str(), "stopped" | "suspended" | "failed") {
            return self.start(platform);
        }
        if self.state != "started" {
            return Err(Refusal::precondition(format!(
                "unable to restart machine from current state: '{}'",
                self.state
            )));
        }
        let event = platform.event(platform.now, "restart", "restarting", "user", None);
        self.now_in("restarting", event);
        let at = platform.after(platform.settings.stop_delay);
        let exit = Event::exit(0, false, true, at);
        let exit = platform.event(at, "exit", "stopped", "flyd", Some(exit));
        self.later(at, "starting", Some(exit));
        let at = at.saturating_add(platform.settings.start_delay).unwrap_or(at);
        self.boot(platform, at);
        Ok(())
    }

    /// Signals that end a process end it; the restart policy decides what follows.
    pub(crate) fn signal(&mut self, platform: &mut Platform<'_>, number: i64) -> Changed {
        self.reachable()?;
        if self.state != "started" {
            return Err(Refusal::precondition("machine not running"));
        }
        // SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE and SIGALRM are taken to be handled.
        if !matches!(number, 2 | 3 | 4 | 5 | 6 | 8 | 9 | 11 | 15) {
            return Ok(());
        }
        let code = if matches!(number, 2 | 15) { 0 } else { 128 + number };
        let restarts = match self.restart_policy().as_str() {
            "always" => true,
            "no" => false,
            _ => code != 0,
        };
        let mut request = Event::exit(code, false, false, platform.now);
        request["exit_event"]["signal"] = json!(number);
        request["exit_event"]["restarting"] = json!(restarts);
        let exit = platform.event(platform.now, "exit", "stopped", "flyd", Some(request));
        self.now_in(if restarts { "starting" } else { "stopped" }, exit);
        if restarts {
            self.boot(platform, platform.after(platform.settings.start_delay));
        }
        Ok(())
    }

    /// Its process ends by itself; the restart policy decides what follows.
    pub(crate) fn exits(&mut self, platform: &mut Platform<'_>, code: i64, oom_killed: bool) {
        let restarts = match self.restart_policy().as_str() {
            "always" => true,
            "no" => false,
            _ => code != 0,
        };
        let mut request = Event::exit(code, oom_killed, false, platform.now);
        request["exit_event"]["restarting"] = json!(restarts);
        let exit = platform.event(platform.now, "exit", "stopped", "flyd", Some(request));
        self.now_in(if restarts { "starting" } else { "stopped" }, exit);
        if restarts {
            self.boot(platform, platform.after(platform.settings.start_delay));
        }
    }

    /// Somebody else deployed it with more variables; it keeps its state.
    pub(crate) fn deployed(
        &mut self,
        platform: &mut Platform<'_>,
        env: std::collections::BTreeMap<String, String>,
    ) {
        let old = Value::Object(self.config.clone());
        self.versions.push((self.instance_id.clone(), old));
        self.instance_id = platform.ids.ulid(platform.now);
        self.updated_at = platform.now;
        if let Some(Value::Object(all)) = self.config.get_mut("env") {
            all.extend(env.into_iter().map(|(name, value)| (name, Value::String(value))));
        }
    }

    /// The platform gave its volume another id.
    pub(crate) fn rename_volume(&mut self, old: &str, new: &str) {
        let mounts = self.config.get_mut("mounts").and_then(Value::as_array_mut);
        for mount in mounts.into_iter().flatten().filter(|mount| mount["volume"] == old) {
            mount["volume"] = json!(new);
        }
    }

    /// Whether an update would be taken; asked before its volumes are claimed.
    pub(crate) fn check_update(&self) -> Changed {
        self.reachable()?;
        if matches!(self.state.as_str(), "destroyed" | "destroying") {
            return Err(Refusal::precondition(format!(
                "unable to update machine from current state: '{}'",
                self.state
            )));
        }
        self.has_room()
    }

    pub(crate) fn update(
        &mut self,
        platform: &mut Platform<'_>,
        config: Map<String, Value>,
        skip_launch: bool,
    ) -> Changed {
        self.check_update()?;
        let resting = matches!(self.state.as_str(), "stopped" | "suspended" | "created");
        let ran = self.state == "started";
        let wanted = config.get("image").and_then(Value::as_str).unwrap_or_default();
        if platform.unpullable(wanted) {
            self.revert(platform, ran);
            return Ok(());
        }
        let old = std::mem::replace(&mut self.config, config);
        self.versions.push((self.instance_id.clone(), Value::Object(old)));
        self.instance_id = platform.ids.ulid(platform.now);
        self.schedule_from = platform.now;
        let event = platform.event(platform.now, "update", "replacing", "user", None);
        self.now_in("replacing", event);
        let at = platform.after(REPLACING);
        if ran {
            // The old run's exit does not say that it was asked for.
            let exit = Event::exit(0, false, false, at);
            let exit = platform.event(at, "exit", "stopped", "flyd", Some(exit));
            self.later(at, "replacing", Some(exit));
        }
        let at = at.saturating_add(SignedDuration::from_millis(50)).unwrap_or(at);
        if resting || skip_launch {
            self.later(at, "stopped", None);
            return Ok(());
        }
        let launch = platform.event(at, "launch", "created", "user", None);
        self.later(at, "starting", Some(launch));
        let at = at.saturating_add(platform.settings.start_delay).unwrap_or(at);
        self.boot(platform, at);
        Ok(())
    }

    /// An accepted update that is undone: the Machine goes on with its old version, and nobody is told.
    fn revert(&mut self, platform: &mut Platform<'_>, ran: bool) {
        let event = platform.event(platform.now, "update", "replacing", "user", None);
        self.now_in("replacing", event);
        let at = platform.after(REPLACING);
        let reverted = platform.event(at, "revert", "stopped", "flyd", None);
        self.later(at, "stopped", Some(reverted));
        if ran {
            let at = at.saturating_add(platform.settings.start_delay).unwrap_or(at);
            self.boot(platform, at);
        }
    }

    /// The platform moves it to another host: same id and state, another 6PN address.
    pub(crate) fn migrate(&mut self, platform: &mut Platform<'_>) {
        self.private_ip = platform.ids.private_ip();
        "ok".clone_into(&mut self.host_status);
        self.host_full = false;
        let request = Some(json!({ "migrated": true }));
        self.updated_at = platform.now;
        self.events.push(platform.event(platform.now, "launch", "created", "flyd", request));
    }

    pub(crate) fn destroy(&mut self, platform: &mut Platform<'_>, force: bool) -> Changed {
        if matches!(self.state.as_str(), "destroyed" | "destroying") {
            return Ok(());
        }
        let resting = matches!(self.state.as_str(), "stopped" | "suspended" | "failed" | "created");
        if !resting && !force {
            return Err(Refusal::precondition(
                "unable to destroy machine, not currently stopped, suspended, failed or created",
            ));
        }
        let event = platform.event(platform.now, "destroy", "destroying", "user", None);
        self.now_in("destroying", event);
        self.destroy_at(platform, platform.now);
        Ok(())
    }

    fn destroy_at(&mut self, platform: &mut Platform<'_>, from: Timestamp) {
        let at = from.saturating_add(DESTROYING).unwrap_or(from);
        let event = platform.event(at, "destroy", "destroyed", "flyd", None);
        self.later(at, "destroyed", Some(event));
        if let Some(pending) = self.pending.last_mut() {
            pending.last = true;
        }
    }
}
