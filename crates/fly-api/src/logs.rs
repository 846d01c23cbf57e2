//! Logs over HTTP: pages, a window, no line twice.

use std::collections::HashSet;

use fly_types::AppName;
use fly_types::wire::{LogPage, LogRecord};
use jiff::Timestamp;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// From when to when. Without a start, the platform gives the last 100 lines of the past day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogWindow {
    /// Oldest line wanted.
    pub since: Option<Timestamp>,
    /// Newest line wanted.
    pub until: Option<Timestamp>,
}

/// Reads page after page, oldest first, each record once.
#[derive(Debug)]
pub struct Logs {
    client: Client,
    app: AppName,
    window: LogWindow,
    token: Option<String>,
    seen: HashSet<String>,
    finished: bool,
    empty_pages: u32,
}

impl Client {
    /// One page: `GET /api/v1/apps/{app}/logs`, at most 100 records. `next_token` is a time in nanoseconds since 1970 and
    /// may be made up to read from a moment on.
    pub async fn logs_page(
        &self,
        app: &AppName,
        next_token: Option<&str>,
        region: Option<&str>,
        instance: Option<&str>,
    ) -> Result<Fetched<LogPage>, ApiError> {
        let request = Request::get(
            Target::Logs,
            "/api/v1/apps/{app}/logs",
            &[app.as_str()],
            Action::Logs,
            app.as_str(),
        )
        .maybe_query("next_token", next_token)
        .maybe_query("region", region)
        .maybe_query("instance", instance);
        self.send(request).await
    }

    /// Starts reading a window.
    pub fn logs(&self, app: &AppName, window: LogWindow) -> Logs {
        Logs {
            client: self.clone(),
            app: app.clone(),
            token: window.since.map(|since| since.as_nanosecond().to_string()),
            window,
            seen: HashSet::new(),
            finished: false,
            empty_pages: 0,
        }
    }
}

impl Logs {
    /// The next new records within the window; `None` at the end. A page may hold records that were seen before:
    /// they are left out, so an answer can be empty before the end.
    pub async fn next(&mut self) -> Result<Option<Fetched<Vec<LogRecord>>>, ApiError> {
        if self.finished {
            return Ok(None);
        }
        let page = self.client.logs_page(&self.app, self.token.as_deref(), None, None).await?;
        let next = page.value.next_token();
        let mut fresh = Vec::new();
        for record in page.value.data.items() {
            // Page borders overlap; a record without an id is told apart by its whole content.
            let key = match record.id.text() {
                Some(id) => id.to_owned(),
                None => serde_json::to_string(record).unwrap_or_default(),
            };
            if !self.seen.insert(key) {
                continue;
            }
            match record.at() {
                Some(at) if self.window.until.is_some_and(|until| at > until) => {
                    self.finished = true;
                }
                Some(at) if self.window.since.is_some_and(|since| at < since) => {}
                _ => fresh.push(record.clone()),
            }
        }
        // The end shows as a token that does not move, or as pages without anything new.
        self.empty_pages = if fresh.is_empty() { self.empty_pages + 1 } else { 0 };
        if next.is_none() || next == self.token || self.empty_pages >= 2 {
            self.finished = true;
        }
        if next.is_some() {
            self.token = next;
        }
        Ok(Some(page.map(|_| fresh)))
    }
}
