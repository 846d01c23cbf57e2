//! The documented rate limits of the Machines API: per action and per identifier, 1 request a second with bursts to 3;
//! reading one Machine 5 a second, bursts to 10; 100 deletions of apps a minute, whatever their names
//! (docs: working with the Machines API).

use std::collections::HashMap;

use jiff::Timestamp;

/// Which bucket an operation draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// Not part of the Machines API.
    None,
    /// 1/s, burst 3.
    Action,
    /// 5/s, burst 10.
    GetMachine,
    /// 100/min over all apps. No burst is documented: the whole minute's worth may come at once.
    DeleteApp,
}

#[derive(Debug, Default)]
pub(crate) struct Limiter {
    buckets: HashMap<(String, String), (f64, Timestamp)>,
}

impl Limiter {
    /// Whether this call fits.
    pub(crate) fn take(&mut self, bucket: Bucket, action: &str, id: &str, now: Timestamp) -> bool {
        let (rate, depth) = match bucket {
            Bucket::None => return true,
            Bucket::Action => (1.0, 3.0),
            Bucket::GetMachine => (5.0, 10.0),
            Bucket::DeleteApp => (100.0 / 60.0, 100.0),
        };
        let id = if bucket == Bucket::DeleteApp { "" } else { id };
        let key = (action.to_owned(), id.to_owned());
        let (tokens, last) = self.buckets.entry(key).or_insert((depth, now));
        let passed = now.duration_since(*last).as_secs_f64().max(0.0);
        *tokens = (*tokens + passed * rate).min(depth);
        *last = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn bursts_and_refill() {
        let mut limiter = Limiter::default();
        let mut now: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        let stop =
            |limiter: &mut Limiter, id: &str, now| limiter.take(Bucket::Action, "stop", id, now);
        let seen: Vec<bool> = (0..4).map(|_| stop(&mut limiter, "a", now)).collect();
        assert_eq!(seen, [true, true, true, false]);
        assert!((0..500).all(|n| stop(&mut limiter, &n.to_string(), now)), "scoped by id");
        assert!(limiter.take(Bucket::Action, "start", "a", now), "scoped by action");
        now += SignedDuration::from_secs(1);
        assert!(stop(&mut limiter, "a", now));
        assert!(!stop(&mut limiter, "a", now));
    }

    #[test]
    fn apps_are_deleted_a_hundred_a_minute() {
        let mut limiter = Limiter::default();
        let mut now: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        let delete = |limiter: &mut Limiter, n: usize, now| {
            limiter.take(Bucket::DeleteApp, "delete", &n.to_string(), now)
        };
        assert!((0..100).all(|n| delete(&mut limiter, n, now)));
        assert!(!delete(&mut limiter, 100, now), "another name does not help");
        now += SignedDuration::from_secs(60);
        assert!((101..201).all(|n| delete(&mut limiter, n, now)));
        assert!(!delete(&mut limiter, 201, now));
    }
}
