//! What was asked: the last requests with their answers' status, without credentials.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

const KEPT: usize = 10_000;
const BODY_KEPT: usize = 64 * 1024;
/// Bytes of answers kept in all. The oldest lose theirs first: a long load keeps the list of what was asked.
const ANSWERS_KEPT: usize = 32 * 1024 * 1024;

/// One request as it arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Recorded {
    /// When, on the simulation's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query pairs in order.
    pub query: Vec<(String, String)>,
    /// The route that answered, e.g. `/v1/apps/{app}/machines`; none when there is no such route.
    pub route: Option<&'static str>,
    /// Root fields of a GraphQL request, aliases first.
    pub graphql: Vec<String>,
    /// The first word of the Authorization header; the token itself is not kept.
    pub scheme: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `fly-machine-lease-nonce`.
    pub nonce: Option<String>,
    /// The body as JSON, when it is some and not over 64 KiB.
    pub body: Option<Value>,
    /// Status of the answer; none when a fault kept it back.
    pub status: Option<u16>,
    /// The answer as JSON, when it is some, not over 64 KiB, and among the last 32 MiB of answers.
    pub answer: Option<Value>,
}

/// The last requests. Answers are kept as they were sent and read when somebody asks, which is seldom.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    kept: VecDeque<(Recorded, Bytes)>,
    /// How many at the front have lost their answer already, and how many bytes the others have.
    bare: usize,
    answers: usize,
}

impl Recorder {
    /// `answer` is empty when none was sent.
    pub(crate) fn add(&mut self, recorded: Recorded, answer: Bytes) {
        let answer = if answer.len() <= BODY_KEPT { answer } else { Bytes::new() };
        self.answers += answer.len();
        self.kept.push_back((recorded, answer));
        if self.kept.len() > KEPT
            && let Some((_, answer)) = self.kept.pop_front()
        {
            self.answers -= answer.len();
            self.bare = self.bare.saturating_sub(1);
        }
        while self.answers > ANSWERS_KEPT
            && let Some((_, answer)) = self.kept.get_mut(self.bare)
        {
            self.answers -= std::mem::take(answer).len();
            self.bare += 1;
        }
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        let whole = |(recorded, answer): &(Recorded, Bytes)| Recorded {
            answer: small_json(answer),
            ..recorded.clone()
        };
        self.kept.iter().map(whole).collect()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Bytes as JSON, when they are and are few.
pub(crate) fn small_json(bytes: &[u8]) -> Option<Value> {
    (bytes.len() <= BODY_KEPT).then(|| serde_json::from_slice(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(n: usize) -> Recorded {
        Recorded {
            at: Timestamp::UNIX_EPOCH,
            method: "GET".to_owned(),
            path: n.to_string(),
            query: Vec::new(),
            route: None,
            graphql: Vec::new(),
            scheme: None,
            user_agent: None,
            nonce: None,
            body: None,
            status: Some(200),
            answer: None,
        }
    }

    #[test]
    fn the_newest_answers_are_kept_and_all_stay_bounded() {
        let mut recorder = Recorder::default();
        let answer = Bytes::from(format!("\"{}\"", "x".repeat(BODY_KEPT - 2)));
        let fit = ANSWERS_KEPT / BODY_KEPT;
        for n in 0..KEPT + 5 {
            recorder.add(request(n), answer.clone());
        }
        recorder.add(request(KEPT + 5), Bytes::from(vec![b'1'; BODY_KEPT + 1]));
        assert!(recorder.answers <= ANSWERS_KEPT);
        let kept: usize = recorder.kept.iter().map(|(_, answer)| answer.len()).sum();
        assert_eq!(kept, recorder.answers);
        let all = recorder.all();
        assert_eq!((all.len(), all[0].path.as_str()), (KEPT, "6"));
        let answered: Vec<bool> = all.iter().map(|request| request.answer.is_some()).collect();
        let first = KEPT - 1 - fit;
        assert!(answered[..first].iter().all(|answer| !answer));
        assert!(answered[first..KEPT - 1].iter().all(|answer| *answer));
        assert!(!answered[KEPT - 1], "too long to be kept");
    }
}
