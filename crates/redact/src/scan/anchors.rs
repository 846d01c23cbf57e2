//! Where to look closer: one automaton over every literal that a rule starts from, and one search for the three bytes that addresses turn on.
//!
//! A hit is only a reason to look; the rules decide. The automaton ignores case and reports every literal's end, overlapping ones too. No
//! literal crosses a line end, so a window is searched in four lanes at once: one step of an automaton waits for the step before it, and four
//! independent ones hide that wait.

use std::sync::OnceLock;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::{Anchored, MatchKind, dfa};

use super::prefixed::PREFIXES;
use crate::error::RedactError;

/// What stands at a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// A word of one of [`PREFIXES`]: family and word.
    Prefix(u8, u8),
    /// `://`, slashes escaped or not.
    Url,
    /// `-----BEGIN`.
    Pem,
    /// A word that makes a key telling, or a flag.
    Word,
    /// `env`, perhaps as a key or a table.
    Env,
    /// `name`, `key` or `value`, perhaps as a key.
    Pair,
    /// Authentication scheme and the blank behind it.
    Scheme,
    /// `?key=` and other names that mean something only in a query.
    Query,
    /// `-u` or `--user` and the blank or quote behind it.
    Flag,
    /// A program that takes a password by a one-letter flag, and the blank or quote behind it.
    Program,
    /// `login `.
    Netrc,
    /// `%4`, `\u00`, `\/`: the text may read differently when decoded.
    Encoded,
}

/// A place to look at: `end` is the first byte behind the literal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) end: usize,
    pub(super) anchor: Anchor,
}

/// Literals, and what may follow each. `keys` decides about words; this only has to hold a part of every word that it knows.
const LITERALS: &[(Anchor, &[&str], &[&str])] = &[
    (Anchor::Url, &["://", ":\\/\\/", ":\\\\/\\\\/", ":\\\\\\/\\\\\\/"], &[""]),
    (Anchor::Pem, &["-----BEGIN"], &[""]),
    (
        Anchor::Word,
        &[
            "pass",
            "pwd",
            "secret",
            "token",
            "credential",
            "creds",
            "auth",
            "cookie",
            "sess",
            "signature",
            "hmac",
            "dsn",
            "jwt",
            "bearer",
            "otp",
            "key",
            "raw_value",
            "rawvalue",
            "raw-value",
            "wireguard",
            "wire_guard",
            "connstr",
            "conn_str",
            "conn-str",
            "conn_string",
            "connection_str",
            "connection-str",
            "connectionstr",
            "webhook",
            "csrf",
            "xsrf",
            "_pw",
            "-pw",
            ".pw",
            "_sid",
            "-sid",
            "\"sid",
            " sid",
            "seed_phrase",
            "mnemonic",
        ],
        &[""],
    ),
    (Anchor::Env, &["env"], &[""]),
    (Anchor::Pair, &["name", "key", "value"], &["\"", "'", "\\", ":"]),
    (Anchor::Scheme, &["bearer", "flyv1", "basic"], &[" ", "\t", "+", "%20"]),
    (
        Anchor::Query,
        &[
            "key",
            "k",
            "sig",
            "signature",
            "code",
            "t",
            "sid",
            "x-amz-signature",
            "x-amz-credential",
            "x-amz-security-token",
            "x-goog-signature",
            "x-goog-credential",
            "awsaccesskeyid",
            "hmac",
        ],
        &["="],
    ),
    (Anchor::Flag, &["-u", "--user"], &[" ", "\t", "\"", "'", "\\", "="]),
    (
        Anchor::Program,
        &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mariadb",
            "sshpass",
            "redis-cli",
            "mongo",
            "mongosh",
            "mongodump",
            "curl",
            "wget",
        ],
        &[" ", "\t", "\"", "'", "\\"],
    ),
    (Anchor::Netrc, &["login "], &[""]),
    (Anchor::Encoded, &["%2", "%3", "%4", "%5", "%6", "%7", "\\u00", "\\/", "\\x"], &[""]),
];

/// The automaton.
pub(super) struct Anchors {
    dfa: dfa::DFA,
    start: StateID,
    kinds: Vec<Anchor>,
}

/// Built once per process: the literals never change.
pub(super) fn anchors() -> Result<&'static Anchors, RedactError> {
    static ANCHORS: OnceLock<Result<Anchors, String>> = OnceLock::new();
    ANCHORS
        .get_or_init(Anchors::build)
        .as_ref()
        .map_err(|what| RedactError::Rules { what: what.clone() })
}

impl Anchors {
    fn build() -> Result<Self, String> {
        let mut anchors = Vec::new();
        let mut patterns = Vec::new();
        for (family, prefix) in PREFIXES.iter().enumerate() {
            for (word, text) in prefix.words.iter().enumerate() {
                anchors.push(Anchor::Prefix(narrow(family)?, narrow(word)?));
                patterns.push((*text).to_owned());
            }
        }
        for (anchor, words, ends) in LITERALS {
            let starts: &[&str] = if *anchor == Anchor::Query { &["?", "&", ";"] } else { &[""] };
            for start in starts {
                for word in *words {
                    for end in *ends {
                        anchors.push(*anchor);
                        patterns.push(format!("{start}{word}{end}"));
                    }
                }
            }
        }
        let dfa = dfa::Builder::new()
            .match_kind(MatchKind::Standard)
            .start_kind(aho_corasick::StartKind::Unanchored)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(&patterns)
            .map_err(|error| error.to_string())?;
        let start = dfa.start_state(Anchored::No).map_err(|error| error.to_string())?;
        Ok(Self { dfa, start, kinds: anchors })
    }

    /// Every hit in `bytes`, in order.
    pub(super) fn hits(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        hits.clear();
        let [a, b, c] = quarters(bytes);
        let lanes = [(0, a), (a, b), (b, c), (c, bytes.len())];
        let together = lanes.iter().map(|(start, end)| end - start).min().unwrap_or(0);
        let [l0, l1, l2, l3] = lanes.map(|(start, _)| &bytes[start..start + together]);
        let mut states = [self.start; 4];
        let mut found: [Vec<Hit>; 4] = Default::default();
        for index in 0..together {
            let next = [
                self.step(states[0], l0[index]),
                self.step(states[1], l1[index]),
                self.step(states[2], l2[index]),
                self.step(states[3], l3[index]),
            ];
            states = next;
            if next.iter().any(|state| self.dfa.is_special(*state)) {
                for lane in 0..4 {
                    self.note(next[lane], lanes[lane].0 + index + 1, &mut found[lane]);
                }
            }
        }
        for (lane, mut found) in found.into_iter().enumerate() {
            let from = lanes[lane].0 + together;
            for (index, byte) in bytes[from..lanes[lane].1].iter().enumerate() {
                states[lane] = self.step(states[lane], *byte);
                if self.dfa.is_special(states[lane]) {
                    self.note(states[lane], from + index + 1, &mut found);
                }
            }
            hits.append(&mut found);
        }
    }

    #[inline]
    fn step(&self, state: StateID, byte: u8) -> StateID {
        self.dfa.next_state(Anchored::No, state, byte)
    }

    #[inline]
    fn note(&self, state: StateID, end: usize, hits: &mut Vec<Hit>) {
        if self.dfa.is_match(state) {
            for index in 0..self.dfa.match_len(state) {
                hits.push(Hit {
                    end,
                    anchor: self.kinds[self.dfa.match_pattern(state, index).as_usize()],
                });
            }
        }
    }
}

fn narrow(index: usize) -> Result<u8, String> {
    u8::try_from(index).map_err(|_| "too many prefixes".to_owned())
}

/// Three places right behind a line end that cut `bytes` into about equal parts; equal offsets when there are too few lines.
fn quarters(bytes: &[u8]) -> [usize; 3] {
    let quarter = bytes.len() / 4;
    let mut cuts = [0; 3];
    let mut last = 0;
    for (index, cut) in cuts.iter_mut().enumerate() {
        let wanted = (quarter * (index + 1)).max(last);
        *cut = memchr::memrchr(b'\n', &bytes[last..wanted]).map_or(last, |at| last + at + 1);
        last = *cut;
    }
    cuts
}
