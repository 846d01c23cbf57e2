//! Time in the simulator: the wall, or a clock that moves only when told.
//!
//! Durations inside the platform (boots, stops, leases, rate limits) are counted on this clock, so that with the
//! virtual one a test of a 60 second wait takes no time. Must not know: worlds, HTTP.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Which clock a simulator runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockMode {
    /// Real time. What a flyctl or a person needs.
    #[default]
    Wall,
    /// The runtime's clock from the world's `now` on. With tokio's paused time everything that shares the runtime has one clock,
    /// and nothing sleeps.
    Runtime,
    /// Starts at the world's `now` (or 2026-09-01T12:00:00Z), moves by `Sim::advance` and jumps forward whenever a
    /// caller waits for a state, so that nothing ever sleeps.
    Virtual,
}

/// Where a virtual clock starts when the world does not say.
pub(crate) const VIRTUAL_START: Timestamp = Timestamp::constant(1_788_264_000, 0);

#[derive(Debug)]
pub(crate) struct Clock {
    mode: ClockMode,
    /// Virtual: the present. Wall: how far the present is ahead of real time.
    state: Mutex<State>,
    /// Runtime: when it was started.
    began: tokio::time::Instant,
}

#[derive(Debug)]
struct State {
    virtual_now: Timestamp,
    wall_offset: SignedDuration,
}

impl Clock {
    pub(crate) fn new(mode: ClockMode, start: Option<Timestamp>) -> Self {
        let wall_offset = start.map_or(SignedDuration::ZERO, |at| at.duration_since(wall()));
        let virtual_now = start.unwrap_or(VIRTUAL_START);
        let began = tokio::time::Instant::now();
        Self { mode, state: Mutex::new(State { virtual_now, wall_offset }), began }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.mode == ClockMode::Virtual
    }

    pub(crate) fn now(&self) -> Timestamp {
        let state = self.lock();
        match self.mode {
            ClockMode::Virtual => state.virtual_now,
            ClockMode::Runtime => {
                let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
                state.virtual_now.saturating_add(passed).unwrap_or(Timestamp::MAX)
            }
            ClockMode::Wall => wall().saturating_add(state.wall_offset).unwrap_or(Timestamp::MAX),
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut state = self.lock();
        state.virtual_now = state.virtual_now.saturating_add(by).unwrap_or(Timestamp::MAX);
        state.wall_offset = state.wall_offset.saturating_add(by);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is a platform: it owns its wall clock"
)]
fn wall() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_when_told() {
        let clock = Clock::new(ClockMode::Virtual, None);
        let start = clock.now();
        assert_eq!(start.to_string(), "2026-09-01T12:00:00Z");
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_secs(61));
        assert_eq!(clock.now().duration_since(start).as_secs(), 61);
    }
}
