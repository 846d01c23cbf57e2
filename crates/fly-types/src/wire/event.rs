//! Events of a Machine.

use jiff::Timestamp;
use serde_json::Value;

use super::{WireTime, body, open_enum};

open_enum! {
    /// What happened.
    EventType {
        Launch = "launch",
        Start = "start",
        Stop = "stop",
        Exit = "exit",
        Restart = "restart",
        Update = "update",
        Suspend = "suspend",
        Destroy = "destroy",
        /// An accepted update was undone.
        Revert = "revert",
    }
}

open_enum! {
    /// Who caused it.
    EventSource {
        /// Somebody used the API.
        User = "user",
        /// The host's daemon.
        Flyd = "flyd",
        /// The Fly proxy woke the Machine.
        Proxy = "proxy",
    }
}

open_enum! {
    /// The state that followed.
    EventStatus {
        Pending = "pending",
        Created = "created",
        Starting = "starting",
        Started = "started",
        Stopping = "stopping",
        Stopped = "stopped",
        Suspending = "suspending",
        Suspended = "suspended",
        Replacing = "replacing",
        Destroying = "destroying",
        Destroyed = "destroyed",
        Failed = "failed",
    }
}

body! {
    /// One event; lists are newest first.
    Event {
        /// ULID; absent in bodies of 2022 and 2023.
        id: String,
        #[serde(rename = "type")]
        event_type: EventType,
        status: EventStatus,
        source: EventSource,
        /// Milliseconds since 1970.
        timestamp: i64,
        request: EventRequest,
    }
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.timestamp.copied()?).ok()
    }

    /// The exit details, wherever this body holds them; the monitor's copy wins when both exist, as in fly-go.
    pub fn exit(&self) -> Option<&ExitEvent> {
        let request = self.request.get()?;
        request
            .monitor_event
            .get()
            .and_then(|monitor| monitor.exit_event.get())
            .or_else(|| request.exit_event.get())
    }
}

body! {
    /// What an event carries.
    EventRequest {
        exit_event: ExitEvent,
        #[serde(rename = "MonitorEvent")]
        monitor_event: MonitorEvent,
        restart_count: i64,
        reason: String,
    }
}

body! {
    /// The older wrapping of an exit.
    MonitorEvent {
        exit_event: ExitEvent,
    }
}

body! {
    /// How a process ended. Fields with a zero value may be left out.
    ExitEvent {
        /// Preferred over `guest_exit_code`; 137 means SIGKILL.
        exit_code: i64,
        guest_exit_code: i64,
        /// -1 for none.
        guest_signal: i64,
        guest_error: String,
        /// -1 for none.
        signal: i64,
        error: String,
        oom_killed: bool,
        /// True for stops that the API or the proxy asked for. After an update the old run's exit shows false.
        requested_stop: bool,
        /// The restart policy will start it again.
        restarting: bool,
        exited_at: WireTime,
        /// Only in older bodies, as any JSON.
        exit_reason: Value,
    }
}
