//! When to try again: outcome, class of the request, and the decision. Pure but for the retry budget.
//!
//! Must not know: HTTP bodies, sleeping.

use std::sync::Mutex;
use std::time::Duration;

use net::Effect;

use crate::random::Random;
use crate::request::Class;

/// How often and how long one call is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts per call at most, the first included.
    pub max_attempts: u32,
    /// Upper bound of the first pause; doubles with every attempt. The pause is drawn between 0 and the bound.
    pub base: Duration,
    /// Upper bound of every pause.
    pub cap: Duration,
    /// Time for one call with all its attempts and pauses.
    pub deadline: Duration,
    /// Retries that the whole client may have in hand; each costs one, ten successes earn one.
    pub budget: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(8),
            deadline: Duration::from_mins(1),
            budget: 20,
        }
    }
}

impl RetryPolicy {
    /// One attempt, no retry.
    pub fn never(deadline: Duration) -> Self {
        Self { max_attempts: 1, deadline, ..Self::default() }
    }

    /// The pause before attempt number `attempt + 1` (full jitter), never less than what the server asked for.
    pub fn pause(&self, attempt: u32, retry_after: Option<Duration>, random: &Random) -> Duration {
        let bound =
            self.base.saturating_mul(1_u32 << attempt.saturating_sub(1).min(16)).min(self.cap);
        let jitter = Duration::from_millis(
            random.up_to(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX)),
        );
        match retry_after {
            // Spread what several callers would otherwise do in the same instant.
            Some(asked) => asked + jitter.min(self.base),
            None => jitter,
        }
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status; `unavailable` says that its text begins with that word.
    Status {
        /// HTTP status.
        status: u16,
        /// The error text begins with `unavailable`.
        unavailable: bool,
    },
    /// No usable answer.
    Transport(Effect),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Trying again is safe and may help.
    Retry,
    /// Trying again cannot help.
    Fail,
    /// It may have been carried out: look first, then decide.
    LookFirst,
}

/// The rule: which outcome of which class may be tried again (Machines API reference 2.4).
pub fn decide(class: Class, outcome: Outcome) -> Decision {
    let (status, unavailable) = match outcome {
        Outcome::Transport(Effect::NotSent) => return Decision::Retry,
        Outcome::Transport(Effect::Unknown) => {
            return match class {
                Class::Safe | Class::Idempotent => Decision::Retry,
                Class::Conditional | Class::Unsafe => Decision::LookFirst,
            };
        }
        Outcome::Status { status, unavailable } => (status, unavailable),
    };
    match (class, status) {
        // A limiter refuses before anything is done, whatever the class.
        (_, 429) => Decision::Retry,
        (Class::Safe, 408 | 500 | 502 | 503 | 504) | (Class::Idempotent, 502..=504) => {
            Decision::Retry
        }
        (Class::Conditional, 503) if unavailable => Decision::Retry,
        (Class::Idempotent | Class::Conditional | Class::Unsafe, 408 | 500..=599) => {
            Decision::LookFirst
        }
        _ => Decision::Fail,
    }
}

/// Retries in hand, shared by all calls of a client, so that an outage is not answered with a storm.
#[derive(Debug)]
pub(crate) struct Budget {
    tenths: Mutex<u32>,
    most: u32,
}

impl Budget {
    pub(crate) fn new(retries: u32) -> Self {
        let most = retries.saturating_mul(10);
        Self { tenths: Mutex::new(most), most }
    }

    /// Takes one retry; false when none is left.
    pub(crate) fn take(&self) -> bool {
        let mut tenths = self.tenths.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let enough = *tenths >= 10;
        if enough {
            *tenths -= 10;
        }
        enough
    }

    /// A success earns a tenth of a retry.
    pub(crate) fn earn(&self) {
        let mut tenths = self.tenths.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *tenths = tenths.saturating_add(1).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use Class::{Conditional, Idempotent, Safe, Unsafe};
        use Decision::{Fail, LookFirst, Retry};
        let classes = [Safe, Idempotent, Conditional, Unsafe];
        let status = |status| Outcome::Status { status, unavailable: false };
        let rows: &[(Outcome, [Decision; 4])] = &[
            (Outcome::Transport(Effect::NotSent), [Retry; 4]),
            (Outcome::Transport(Effect::Unknown), [Retry, Retry, LookFirst, LookFirst]),
            (status(429), [Retry; 4]),
            (status(400), [Fail; 4]),
            (status(401), [Fail; 4]),
            (status(404), [Fail; 4]),
            (status(408), [Retry, LookFirst, LookFirst, LookFirst]),
            (status(409), [Fail; 4]),
            (status(412), [Fail; 4]),
            (status(422), [Fail; 4]),
            (status(500), [Retry, LookFirst, LookFirst, LookFirst]),
            (status(501), [Fail, LookFirst, LookFirst, LookFirst]),
            (status(502), [Retry, Retry, LookFirst, LookFirst]),
            (status(503), [Retry, Retry, LookFirst, LookFirst]),
            (Outcome::Status { status: 503, unavailable: true }, [Retry, Retry, Retry, LookFirst]),
            (status(504), [Retry, Retry, LookFirst, LookFirst]),
        ];
        for (outcome, expected) in rows {
            let actual = classes.map(|class| decide(class, *outcome));
            assert_eq!(actual, *expected, "{outcome:?}");
        }
    }

    #[test]
    fn pauses_grow_to_the_cap_and_respect_the_server() {
        let policy = RetryPolicy::default();
        let random = Random::seeded(1);
        for attempt in 1..40 {
            let bound = policy.base.saturating_mul(1 << (attempt - 1).min(16)).min(policy.cap);
            for _ in 0..50 {
                assert!(policy.pause(attempt, None, &random) <= bound);
                let asked = Duration::from_secs(7);
                let pause = policy.pause(attempt, Some(asked), &random);
                assert!(pause >= asked && pause <= asked + policy.base);
            }
        }
        let spread: std::collections::BTreeSet<_> =
            (0..50).map(|_| policy.pause(5, None, &random)).collect();
        assert!(spread.len() > 20, "full jitter spreads the pauses");
    }

    #[test]
    fn the_budget_runs_dry_and_is_earned_back() {
        let budget = Budget::new(2);
        assert!(budget.take() && budget.take() && !budget.take());
        for _ in 0..9 {
            budget.earn();
        }
        assert!(!budget.take());
        budget.earn();
        assert!(budget.take() && !budget.take());
    }
}
