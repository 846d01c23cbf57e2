//! What was collected, as analyzers see it: typed, read from the redacted files, with a pointer to each fact.
//!
//! What is missing is an answer, too: [`Missing`] says which collector should have brought it, and why it did not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use findings::{Evidence, Location};
use fly_types::wire::{AppNode, Event, Incident, IncidentList, LogRecord, Machine, StatusPage};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::collect::Outcome;

/// The file with the Machines.
pub const MACHINES: &str = "machines/list.json";
/// The file with unresolved incidents.
pub const INCIDENTS: &str = "platform/incidents.json";
/// The file with the status page.
pub const STATUS: &str = "platform/status.json";
/// The file with the releases.
pub const RELEASES: &str = "app/releases.json";
/// The file with the log lines.
pub const LOGS: &str = crate::collect::LOG_FILE;

/// Data that an analyzer would have needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The collector that should have brought it.
    pub input: String,
    /// Why it did not.
    pub why: String,
}

/// A line of the log, with its place.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Line in the file, from 1.
    pub line: u64,
    /// The record.
    pub record: LogRecord,
}

/// Events of one Machine, with their place.
pub struct Events {
    /// Newest first.
    pub events: Vec<Event>,
    file: String,
    prefix: String,
    /// Why there may be more that could not be had.
    pub lacking: Option<Missing>,
}

impl Events {
    /// Evidence that is event number `index`.
    pub fn evidence(&self, index: usize, excerpt: impl Into<String>) -> Evidence {
        let at = self.events.get(index).and_then(Event::at);
        at_pointer(&self.file, format!("{}/{index}", self.prefix), excerpt, at)
    }
}

/// Events per Machine in the list of Machines (recorded answers hold up to five).
const LISTED: usize = 5;

/// Everything that was collected.
pub struct Facts {
    app: String,
    now: Timestamp,
    since: Timestamp,
    places: BTreeMap<String, PathBuf>,
    ends: BTreeMap<String, Outcome>,
    machines: OnceLock<Result<Vec<Machine>, Missing>>,
    logs: OnceLock<Result<Vec<LogLine>, Missing>>,
}

impl Facts {
    /// Facts of an app from files: `places` maps paths in the bundle to paths on disk, `ends` says how collectors ended.
    pub fn new(
        app: &str,
        since: Timestamp,
        now: Timestamp,
        places: BTreeMap<String, PathBuf>,
        ends: BTreeMap<String, Outcome>,
    ) -> Self {
        Self {
            app: app.to_owned(),
            now,
            since,
            places,
            ends,
            machines: OnceLock::new(),
            logs: OnceLock::new(),
        }
    }

    /// The app's name.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// When the collection started.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Oldest instant of the window.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The Machines; pointers are `/<index>/…` into [`MACHINES`].
    pub fn machines(&self) -> Result<&[Machine], Missing> {
        let read = || self.json::<Vec<Machine>>("machines", MACHINES);
        self.machines.get_or_init(read).as_deref().map_err(Clone::clone)
    }

    /// The events of a Machine, newest first: as many as the platform keeps where they were asked for, else the last few that are
    /// in the list, where the Machine is number `index`.
    pub fn events(&self, index: usize, machine: &Machine) -> Events {
        let file =
            format!("machines/{}/events.json", crate::archive::safe_component(machine.id.as_str()));
        let all = self.json::<Vec<Event>>("events", &file);
        match all {
            Ok(events) => Events { events, file, prefix: String::new(), lacking: None },
            Err(missing) => {
                let events = machine.events.items().to_vec();
                // The list holds five at most; fewer are all there are, and of a quiet Machine nobody asked for more.
                let asked = self.ends.get("events").is_some_and(|end| !end.status.is_usable());
                let lacking = (asked && events.len() >= LISTED).then_some(missing);
                Events {
                    events,
                    file: MACHINES.to_owned(),
                    prefix: format!("/{index}/events"),
                    lacking,
                }
            }
        }
    }

    /// The log lines that could be read; markers of gaps are left out.
    pub fn logs(&self) -> Result<&[LogLine], Missing> {
        let read = || {
            let text = self.text("logs", LOGS)?;
            let lines = text.lines().zip(1..);
            Ok(lines
                .filter_map(|(text, line)| {
                    let record: LogRecord = serde_json::from_str(text).ok()?;
                    record.attributes.get().is_some().then_some(LogLine { line, record })
                })
                .collect())
        };
        self.logs.get_or_init(read).as_deref().map_err(Clone::clone)
    }

    /// Unresolved incidents; pointers are `/incidents/<index>`.
    pub fn incidents(&self) -> Result<Vec<Incident>, Missing> {
        let list: IncidentList = self.json("incidents", INCIDENTS)?;
        Ok(list.incidents.into_value().unwrap_or_default())
    }

    /// The status page; pointers are `/incidents/<index>`.
    pub fn status_page(&self) -> Result<StatusPage, Missing> {
        self.json("status", STATUS)
    }

    /// The releases, newest first.
    pub fn releases(&self) -> Result<AppNode, Missing> {
        let reply: Value = self.json("releases", RELEASES)?;
        let app = reply.pointer("/data/app").cloned().unwrap_or_default();
        serde_json::from_value(app).map_err(|_| unreadable("releases", RELEASES))
    }

    fn json<T: DeserializeOwned>(&self, collector: &str, path: &str) -> Result<T, Missing> {
        let text = self.text(collector, path)?;
        serde_json::from_str(&text).map_err(|_| unreadable(collector, path))
    }

    fn text(&self, collector: &str, path: &str) -> Result<String, Missing> {
        let end = self.ends.get(collector);
        let Some(place) = self.places.get(path) else {
            let why = match end {
                None => "it was not collected".to_owned(),
                Some(Outcome { status, reason: Some(reason) }) => {
                    format!("{}: {}", status.word(), reason.message)
                }
                Some(Outcome { status, reason: None }) => status.word().to_owned(),
            };
            return Err(Missing { input: collector.to_owned(), why });
        };
        match std::fs::read(place) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => Err(unreadable(collector, path)),
        }
    }
}

fn unreadable(collector: &str, path: &str) -> Missing {
    Missing {
        input: collector.to_owned(),
        why: format!("{path} cannot be read as what it should be"),
    }
}

/// Evidence in a JSON file.
pub fn at_pointer(
    file: &str,
    pointer: String,
    excerpt: impl Into<String>,
    at: Option<Timestamp>,
) -> Evidence {
    Evidence {
        source: file.to_owned(),
        location: Location::Json { pointer },
        excerpt: Some(excerpt.into()),
        at,
    }
}

/// Evidence in the log.
pub fn at_line(line: &LogLine) -> Evidence {
    let message = line.record.message().unwrap_or_default();
    Evidence {
        source: LOGS.to_owned(),
        location: Location::Line { line: line.line },
        excerpt: Some(message.chars().take(300).collect()),
        at: line.record.at(),
    }
}
