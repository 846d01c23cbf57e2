//! Finds what to replace in one window of bytes. Stateless: whatever a rule needs stands in the window, or the rule says that the window is
//! too short ([`Found::open`]) and is asked again with more.

mod anchors;
mod command;
mod encoded;
mod entropy;
mod env;
mod http;
mod ident;
mod keyed;
mod keyed_value;
mod keys;
mod pair;
mod pem;
mod prefixed;
mod rows;
mod runs;
mod url;
mod value;
mod walk;

use crate::address::Addresses;
use crate::error::RedactError;
use crate::format::Format;
use crate::kind::Kind;
use crate::options::Identities;
use crate::rules::R;
use anchors::{Anchor, Anchors, Hit};

pub(crate) use prefixed::classify;

/// How deep encodings may lie in one another.
const DEPTH: u8 = 3;

/// How a span is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The pseudonym alone.
    Plain,
    /// The pseudonym as a JSON string whose quotes carry so many backslashes: a bare number stood here.
    Quoted(usize),
    /// This text: addresses keep their structure.
    Text(String),
}

/// Whether the value is looked for elsewhere too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learn {
    /// No: an identity.
    No,
    /// Yes.
    Yes,
    /// Only if it does not look like a name or an identifier: nothing but an unknown environment key says that it is secret.
    IfOdd,
}

/// Bytes to replace.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// First byte of the construct that told: a window cut behind it would not show the same again.
    pub(crate) from: usize,
    pub(crate) rule: R,
    pub(crate) kind: Kind,
    /// Public prefix of the provider, or empty.
    pub(crate) prefix: &'static str,
    /// The value as its owner knows it, where that differs from the bytes replaced.
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) shape: Shape,
    pub(crate) learn: Learn,
}

/// What a scan found.
#[derive(Default)]
pub(crate) struct Found {
    /// By rule, not in order, overlapping.
    pub(crate) spans: Vec<Span>,
    /// First byte of a construct that does not end in the window. Nothing from there on may be written yet.
    pub(crate) open: Option<Open>,
}

/// A construct that goes on behind the window, and what ends it, should it grow too long to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) at: usize,
    /// First byte to mask, should it come to that: behind the key and the opening quote.
    pub(crate) mask: usize,
    pub(crate) until: Until,
}

/// What ends a construct that is too long to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The end line of a key block.
    PemEnd,
    /// A quote behind so many backslashes.
    Quote(u8, usize),
    /// The bracket that matches, quotes carrying so many backslashes.
    Bracket(usize),
    /// A byte that no token holds.
    Run,
    /// A line end.
    Line,
}

/// Settings of a scan that do not change during a run.
pub(crate) struct Scanner {
    anchors: &'static Anchors,
    off: u64,
    identities: Identities,
    addresses: Addresses,
}

impl Scanner {
    pub(crate) fn new(
        off: &[R],
        identities: Identities,
        addresses: Addresses,
    ) -> Result<Self, RedactError> {
        let off = off.iter().fold(0, |bits, rule| bits | 1 << (*rule as u8));
        Ok(Self { anchors: anchors::anchors()?, off, identities, addresses })
    }

    /// Whether spans of this rule are left as they are (tests only).
    pub(crate) fn is_off(&self, rule: R) -> bool {
        self.off >> (rule as u8) & 1 == 1
    }

    /// Scans a window. `last` says that nothing follows it.
    pub(crate) fn scan(&self, bytes: &[u8], format: Format, last: bool) -> Found {
        self.scan_deep(bytes, format, last, 0)
    }

    /// The same inside so many encodings.
    fn scan_deep(&self, bytes: &[u8], format: Format, last: bool, depth: u8) -> Found {
        // As it stands: what colours keep apart must not be glued together.
        let mut found = self.scan_at(bytes, format, last, depth);
        if memchr(0x1b, bytes) {
            // And as a terminal shows it: colours may stand inside a token.
            let view = encoded::without_colours(bytes);
            let mut shown = self.scan_at(&view.bytes, format, last, depth);
            view.map_back(&mut shown);
            found.spans.extend(shown.spans);
            found.open = match (found.open, shown.open) {
                (Some(one), Some(other)) => Some(if one.at <= other.at { one } else { other }),
                (one, other) => one.or(other),
            };
        }
        found
    }

    fn scan_at(&self, bytes: &[u8], format: Format, last: bool, depth: u8) -> Found {
        let mut scan = Scan {
            scanner: self,
            bytes,
            format,
            last,
            depth,
            spans: Vec::new(),
            weak: Vec::new(),
            open: None,
            protected: protected(bytes),
            walked: 0,
            keyed_to: 0,
            word_to: 0,
            decoded_to: 0,
            address_to: 0,
            edges: None,
            from: usize::MAX,
        };
        scan.run();
        scan.finish()
    }
}

/// Whether the byte occurs.
fn memchr(byte: u8, bytes: &[u8]) -> bool {
    memchr::memchr(byte, bytes).is_some()
}

/// One scan of one window.
struct Scan<'a> {
    scanner: &'a Scanner,
    bytes: &'a [u8],
    format: Format,
    last: bool,
    depth: u8,
    spans: Vec<Span>,
    /// Spans that count only where nothing surer is.
    weak: Vec<Span>,
    open: Option<Open>,
    /// Pseudonyms of an earlier pass.
    protected: Vec<(usize, usize)>,
    /// How far the walk through the last environment map went.
    walked: usize,
    /// How far the last keyed value went.
    keyed_to: usize,
    /// End of the last telling word's key.
    word_to: usize,
    /// How far the last decoded view went.
    decoded_to: usize,
    /// How far the last address went.
    address_to: usize,
    /// Where the spans that literals led to begin and end, in order, once an address asked.
    edges: Option<Vec<usize>>,
    /// Start of the construct that is looked at, where that is not the value's own.
    from: usize,
}

impl Scan<'_> {
    fn run(&mut self) {
        if self.format == Format::Env {
            self.env_lines(0);
        }
        let mut hits: Vec<Hit> = Vec::new();
        self.scanner.anchors.hits(self.bytes, &mut hits);
        for hit in hits {
            // What stands behind an open construct is scanned again with it.
            if self.open.is_some_and(|open| hit.end > open.at + 1) {
                break;
            }
            if self.is_protected(hit.end - 1) {
                continue;
            }
            self.from = usize::MAX;
            match hit.anchor {
                Anchor::Prefix(family, word) => {
                    self.prefixed(usize::from(family), usize::from(word), hit.end);
                }
                Anchor::Url => self.url(hit.end),
                Anchor::Pem => self.pem(hit.end),
                Anchor::Word => self.word(hit.end),
                Anchor::Env => self.env(hit.end),
                Anchor::Pair => self.pair(hit.end),
                Anchor::Scheme => self.scheme(hit.end),
                Anchor::Query => self.query(hit.end),
                Anchor::Flag => self.flag(hit.end),
                Anchor::Program => self.program(hit.end),
                Anchor::Netrc => self.netrc(hit.end),
                Anchor::Encoded => self.encoded(hit.end),
            }
        }
        self.turning_points();
        self.from = usize::MAX;
        self.runs();
    }

    /// The bytes that addresses turn on: `@` of mail, `.` and `:` of numbers, `:` of password files.
    fn turning_points(&mut self) {
        self.from = usize::MAX;
        let bytes = self.bytes;
        for at in memchr::memchr3_iter(b'.', b':', b'@', bytes) {
            if self.open.is_some_and(|open| at > open.at) {
                break;
            }
            let (Some(before), Some(after)) =
                (at.checked_sub(1).map(|at| bytes[at]), bytes.get(at + 1))
            else {
                if at + 1 == bytes.len() {
                    self.open(self.run_start(at, 64, |byte| byte > b' '), Until::Run);
                }
                continue;
            };
            if self.is_protected(at) {
                continue;
            }
            match bytes[at] {
                b'.' if before.is_ascii_digit() && after.is_ascii_digit() => self.ipv4(at + 2),
                b'@' if after.is_ascii_alphanumeric() => self.email(at + 2),
                b':' => {
                    let (left, right) = (before.is_ascii_hexdigit(), after.is_ascii_hexdigit());
                    if right && (left || before == b':') || left && *after == b':' {
                        self.ipv6(at + 1);
                    }
                    if (before.is_ascii_digit() || before == b'*')
                        && (after.is_ascii_alphabetic() || matches!(after, b'_' | b'*'))
                    {
                        self.pgpass(at + 1);
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(mut self) -> Found {
        let weak = std::mem::take(&mut self.weak);
        if !weak.is_empty() {
            self.spans.sort_by_key(|span| span.start);
            // Longest reach so far, so that one look at the span before is enough.
            let mut reach = Vec::with_capacity(self.spans.len());
            let mut far = 0;
            for span in &self.spans {
                far = far.max(span.end);
                reach.push(far);
            }
            for span in weak {
                let before =
                    self.spans[..reach.len()].partition_point(|other| other.start < span.end);
                if before == 0 || reach[before - 1] <= span.start {
                    self.spans.push(span);
                }
            }
        }
        Found { spans: self.spans, open: self.open }
    }

    /// Says that the construct at `at` goes on behind the window.
    fn open(&mut self, at: usize, until: Until) {
        self.open_at(at, at, until);
    }

    /// Says that the construct at `at` goes on behind the window; `mask` is the first byte of it that is secret.
    fn open_at(&mut self, at: usize, mask: usize, until: Until) {
        let at = at.min(self.from);
        if !self.last && self.open.is_none_or(|open| at < open.at) {
            self.open = Some(Open { at, mask, until });
        }
    }

    /// Takes `start..end` for a secret found by `rule`.
    fn claim(&mut self, rule: R, start: usize, end: usize, learn: Learn) {
        self.claim_as(rule, Kind::Secret, start, end, None, learn);
    }

    /// Takes `start..end` for a secret; `value` is what it reads like, if that differs.
    fn claim_as(
        &mut self,
        rule: R,
        kind: Kind,
        start: usize,
        end: usize,
        value: Option<Vec<u8>>,
        learn: Learn,
    ) {
        if start >= end || self.is_done(start, end) {
            return;
        }
        let value = value.filter(|value| value.as_slice() != &self.bytes[start..end]);
        let seen = value.as_deref().unwrap_or(&self.bytes[start..end]);
        let (kind, prefix) =
            if kind == Kind::Secret { prefixed::classify(seen) } else { (kind, "") };
        self.spans.push(Span {
            start,
            end,
            from: self.from.min(start),
            rule,
            kind,
            prefix,
            value,
            shape: Shape::Plain,
            learn,
        });
    }

    /// Whether an earlier pass has been here: nothing but pseudonyms, schemes and punctuation is left.
    fn is_done(&self, start: usize, end: usize) -> bool {
        if self.protected.is_empty() {
            return false;
        }
        let first = self.protected.partition_point(|(_, to)| *to <= start);
        let plain = |text: &[u8]| {
            text.split(|byte| !byte.is_ascii_alphanumeric())
                .all(|word| word.is_empty() || http::is_scheme(word))
        };
        let mut at = start;
        let mut touched = false;
        for (from, to) in &self.protected[first..] {
            if *from >= end {
                break;
            }
            touched = true;
            if !plain(&self.bytes[at..(*from).max(at)]) {
                return false;
            }
            at = (*to).min(end);
        }
        touched && plain(&self.bytes[at..end])
    }

    /// Whether `at` lies inside a pseudonym of an earlier pass.
    fn is_protected(&self, at: usize) -> bool {
        let first = self.protected.partition_point(|(_, to)| *to <= at);
        self.protected.get(first).is_some_and(|(from, _)| *from <= at)
    }

    /// Start of the run of bytes before `end` that satisfy `part`, at most `limit` long. A letter that belongs to an escape (`\n`,
    /// `\u0026`) does not.
    fn run_start(&self, end: usize, limit: usize, part: impl Fn(u8) -> bool) -> usize {
        let floor = end.saturating_sub(limit);
        let mut start = end;
        while start > floor && part(self.bytes[start - 1]) {
            start -= 1;
        }
        self.past_colour(self.past_escape(start, end), end)
    }

    /// `start`, or behind the colour (`[1m`) that it is part of.
    fn past_colour(&self, start: usize, end: usize) -> usize {
        let codes = self.bytes[start..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let behind = start + codes + 1;
        if start > 0
            && matches!(self.bytes[start - 1], b'[' | b';')
            && behind <= end
            && self.behind_colour(behind)
        {
            behind
        } else {
            start
        }
    }

    /// `start`, or behind the escape that it is part of.
    fn past_escape(&self, start: usize, end: usize) -> usize {
        let slashes = value::slashes_before(self.bytes, start);
        if slashes.is_multiple_of(2) || start == end {
            return start;
        }
        let used = match self.bytes[start] {
            b'u' => 5,
            b'x' => 3,
            b'n' | b'r' | b't' | b'b' | b'f' => 1,
            _ => 0,
        };
        (start + used).min(end)
    }

    /// Whether no letter or digit stands right before `at`, save as part of an escape (`\n`, `\u0026`, `%3D`).
    fn bounded(&self, at: usize) -> bool {
        at == 0
            || !self.bytes[at - 1].is_ascii_alphanumeric()
            || self.past_escape(at - 1, at) == at
                && value::slashes_before(self.bytes, at - 1) % 2 == 1
            || at >= 6 && self.bytes[at - 6..].starts_with(b"\\u")
            || at >= 3
                && self.bytes[at - 3] == b'%'
                && self.bytes[at - 2..at].iter().all(u8::is_ascii_hexdigit)
            || self.behind_colour(at)
    }

    /// Whether a colour ends right before `at`: `[1m`, whatever the escape character before it is written as.
    fn behind_colour(&self, at: usize) -> bool {
        if self.bytes[at - 1] != b'm' {
            return false;
        }
        let codes = self.bytes[..at - 1]
            .iter()
            .rev()
            .take(24)
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'))
            .count();
        self.bytes[..at - 1 - codes].last() == Some(&b'[')
    }

    /// First byte of the line that holds `at`.
    fn line_start(&self, at: usize) -> usize {
        memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1)
    }

    /// End of the line that holds `at`, its line end not counted. `None` when the window ends first and more follows.
    fn line_end(&self, at: usize) -> Option<usize> {
        match memchr::memchr(b'\n', &self.bytes[at..]) {
            Some(length) => {
                let end = at + length;
                Some(if length > 0 && self.bytes[end - 1] == b'\r' { end - 1 } else { end })
            }
            None => self.last.then_some(self.bytes.len()),
        }
    }
}

/// Where pseudonyms of an earlier pass stand: exactly our form, with a kind that exists and a prefix that some rule prints.
pub(crate) fn protected(bytes: &[u8]) -> Vec<(usize, usize)> {
    const LEFT: &[u8] = "‹".as_bytes();
    const RIGHT: &[u8] = "›".as_bytes();
    let mut found = Vec::new();
    if !memchr(LEFT[2], bytes) {
        return found;
    }
    for at in memchr::memmem::find_iter(bytes, LEFT) {
        let inside = &bytes[at + LEFT.len()..bytes.len().min(at + LEFT.len() + 80)];
        let Some(length) = memchr::memmem::find(inside, RIGHT) else { continue };
        let Ok(text) = std::str::from_utf8(&inside[..length]) else { continue };
        if crate::key::is_pseudonym(text, prefixed::is_prefix) {
            found.push((at, at + LEFT.len() + length + RIGHT.len()));
        }
    }
    found
}
