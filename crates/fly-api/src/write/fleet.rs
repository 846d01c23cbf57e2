//! Machines in several regions at once, with a result for each.

use std::fmt;

use fly_types::AppName;
use futures_util::stream::{self, StreamExt};

use super::Writer;
use super::create::{Created, NewMachine, region_text};
use super::error::WriteError;

/// How many creates are under way at once: enough to use up one a second while each takes up to 16 s, and few enough that
/// none waits for its turn longer than a call may take.
const AT_ONCE: usize = 16;

/// What became of one Machine of several.
#[derive(Debug)]
pub struct RegionResult {
    /// The regions that were asked for, as text; `any` when none was named.
    pub region: String,
    /// The Machine, or why there is none.
    pub outcome: Result<Created, WriteError>,
}

/// What became of all of them, in the order in which they were asked for.
#[derive(Debug)]
pub struct FleetResult {
    /// One for each Machine.
    pub results: Vec<RegionResult>,
}

impl FleetResult {
    /// Every Machine exists.
    pub fn is_complete(&self) -> bool {
        self.results.iter().all(|result| result.outcome.is_ok())
    }

    /// The Machines that exist.
    pub fn created(&self) -> impl Iterator<Item = &Created> {
        self.results.iter().filter_map(|result| result.outcome.as_ref().ok())
    }

    /// Those that do not, or of which that is not known.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &WriteError)> {
        self.results.iter().filter_map(|result| {
            result.outcome.as_ref().err().map(|error| (result.region.as_str(), error))
        })
    }
}

impl fmt::Display for FleetResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} Machines created", self.created().count(), self.results.len())?;
        for result in &self.results {
            match &result.outcome {
                Ok(created) => write!(f, "; {}: {}", result.region, created.machine.id)?,
                Err(error) => write!(f, "; {}: {error}", result.region)?,
            }
        }
        Ok(())
    }
}

impl Writer {
    /// Makes several Machines, up to 16 at once, as fast as the limits allow (one a second in an app, after a burst
    /// of three). A failure in one region stops nothing in another and nothing is taken back: the result says what exists.
    pub async fn create_machines(&self, app: &AppName, wanted: &[NewMachine]) -> FleetResult {
        // Collected first: a stream over the borrowed items would tie the future to one thread.
        let making: Vec<_> = wanted.iter().map(|new| self.create_in(app, new)).collect();
        FleetResult { results: stream::iter(making).buffered(AT_ONCE).collect().await }
    }

    async fn create_in(&self, app: &AppName, new: &NewMachine) -> RegionResult {
        RegionResult {
            region: region_text(&new.regions).unwrap_or_else(|| "any".to_owned()),
            outcome: self.create_machine(app, new).await,
        }
    }
}
