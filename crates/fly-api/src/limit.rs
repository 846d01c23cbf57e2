//! Token buckets per (action, id), as the platform counts them.
//!
//! One owner of all limits: callers reserve a moment and are told how long to wait, so that a wait can be shown,
//! bounded and cancelled. Must not know: requests, sleeping.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::request::Action;

/// Requests per second in the long run, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Requests per second.
    pub per_second: f64,
    /// Burst.
    pub burst: u32,
}

/// One row of the table: which actions, which limit, who says so.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitRow {
    /// The action; `None` is every action that no other row names.
    pub action: Option<Action>,
    /// The limit.
    pub limit: Limit,
    /// Where the figure comes from.
    pub source: &'static str,
}

/// Limits as dated data.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitTable {
    /// When the figures were read.
    pub as_of: &'static str,
    /// The rows.
    pub rows: Vec<LimitRow>,
    /// Share of the published rate that is used, so that clocks and other users leave room.
    pub headroom: f64,
}

const DOCUMENTED: &str = "superfly/docs machines/api/working-with-machines-api (1/s per action and id, burst 3; get 5/s, burst 10; app deletions 100/min)";
const POLICY: &str = "no documented limit; our own bound";

/// Changes that the docs name or that fall under "each action": one a second per Machine, or per app or organization
/// where there is no Machine yet.
const PER_ID: [Action; 27] = [
    Action::AppCreate,
    Action::MachineCreate,
    Action::MachineUpdate,
    Action::MachineDelete,
    Action::MachineStart,
    Action::MachineStop,
    Action::MachineSuspend,
    Action::MachineRestart,
    Action::MachineSignal,
    Action::MachineCordon,
    Action::MachineUncordon,
    Action::MachineExec,
    Action::MachineMetadataSet,
    Action::LeaseSet,
    Action::VolumeCreate,
    Action::VolumeUpdate,
    Action::VolumeExtend,
    Action::VolumeDelete,
    Action::SnapshotCreate,
    Action::SecretSet,
    Action::CertificateAdd,
    Action::CertificateCheck,
    Action::CertificateDelete,
    Action::IpCreate,
    Action::IpDelete,
    Action::TokenCreate,
    Action::MachineWait,
];

/// Hosts for which nothing is documented.
const UNDOCUMENTED: [Action; 6] = [
    Action::GraphQlQuery,
    Action::GraphQlMutation,
    Action::Web,
    Action::Logs,
    Action::Metrics,
    Action::Public,
];

impl Default for LimitTable {
    fn default() -> Self {
        let row = |action, per_second, burst, source| LimitRow {
            action,
            limit: Limit { per_second, burst },
            source,
        };
        let mut rows = vec![
            row(None, 1.0, 3, DOCUMENTED),
            row(Some(Action::MachineGet), 5.0, 10, DOCUMENTED),
            row(Some(Action::AppDelete), 100.0 / 60.0, 3, DOCUMENTED),
        ];
        rows.extend(PER_ID.map(|action| row(Some(action), 1.0, 3, DOCUMENTED)));
        rows.extend(UNDOCUMENTED.map(|action| row(Some(action), 10.0, 10, POLICY)));
        Self { as_of: "2026-08-07", rows, headroom: 0.96 }
    }
}

impl LimitTable {
    /// The limit of an action, headroom taken off the rate.
    pub fn limit(&self, action: Action) -> Limit {
        let own = self.rows.iter().find(|row| row.action == Some(action));
        let found = own.or_else(|| self.rows.iter().find(|row| row.action.is_none()));
        let limit = found.map_or(Limit { per_second: 1.0, burst: 1 }, |row| row.limit);
        Limit { per_second: limit.per_second * self.headroom, burst: limit.burst.max(1) }
    }
}

/// The buckets in use. A bucket is kept as the moment at which it would be full again.
#[derive(Debug)]
pub(crate) struct Limiter {
    table: LimitTable,
    full_at: Mutex<HashMap<(Action, String), Instant>>,
}

impl Limiter {
    pub(crate) fn new(table: LimitTable) -> Self {
        Self { table, full_at: Mutex::new(HashMap::new()) }
    }

    /// Takes one token and returns the moment from which it may be spent.
    pub(crate) fn reserve(&self, action: Action, subject: &str, now: Instant) -> Instant {
        let limit = self.table.limit(action);
        let step = Duration::from_secs_f64(1.0 / limit.per_second);
        let tolerance = step * (limit.burst - 1);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.entry((action, subject.to_owned())).or_insert(now);
        let base = (*full_at).max(now);
        *full_at = base + step;
        base.checked_sub(tolerance).map_or(now, |moment| moment.max(now))
    }

    /// The server said 429: the bucket is empty, and stays so for as long as it asked.
    pub(crate) fn refused(
        &self,
        action: Action,
        subject: &str,
        now: Instant,
        retry_after: Option<Duration>,
    ) {
        let limit = self.table.limit(action);
        let step = Duration::from_secs_f64(1.0 / limit.per_second);
        let empty = now + retry_after.unwrap_or(step) + step * (limit.burst - 1);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.entry((action, subject.to_owned())).or_insert(now);
        *full_at = (*full_at).max(empty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_never_more_in_any_window() {
        let limiter = Limiter::new(LimitTable::default());
        let start = Instant::now();
        let times: Vec<Duration> = (0..30)
            .map(|_| limiter.reserve(Action::MachineCreate, "shop", start) - start)
            .collect();
        assert_eq!(times[..3], [Duration::ZERO; 3]);
        for window in times.windows(4) {
            let span = window[3].checked_sub(window[0]).unwrap();
            // Four requests never fit into less than one step.
            assert!(span >= Duration::from_secs(1), "{span:?}");
        }
    }

    #[test]
    fn other_ids_and_actions_have_their_own_bucket() {
        let limiter = Limiter::new(LimitTable::default());
        let now = Instant::now();
        for id in 0..100 {
            assert_eq!(limiter.reserve(Action::MachineStop, &id.to_string(), now), now);
        }
        assert_eq!(limiter.reserve(Action::MachineStart, "1", now), now);
    }

    #[test]
    fn an_action_has_one_row() {
        let mut actions: Vec<_> = LimitTable::default().rows.iter().map(|row| row.action).collect();
        let all = actions.len();
        actions.sort();
        actions.dedup();
        assert_eq!(actions.len(), all);
    }

    #[test]
    fn a_refusal_empties_the_bucket() {
        let limiter = Limiter::new(LimitTable::default());
        let now = Instant::now();
        limiter.refused(Action::MachineGet, "m", now, Some(Duration::from_secs(7)));
        assert!(limiter.reserve(Action::MachineGet, "m", now) - now >= Duration::from_secs(7));
    }
}
