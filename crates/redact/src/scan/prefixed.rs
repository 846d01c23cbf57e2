//! Tokens that say what they are: a prefix and a run of token characters. No rule asks for an end mark or has an upper length:
//! lists of tokens are joined by commas, and macaroons grow with every caveat.

use crate::kind::Kind;
use crate::rules::R;

/// Which bytes go on with a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// Base64, both alphabets, also with its signs percent-encoded or escaped.
    Base64,
    /// Letters, digits, `_` and `-`.
    Url,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// Upper-case letters and digits.
    Upper,
    /// A path of letters, digits and slashes.
    Path,
}

/// One family of tokens.
pub(super) struct Prefix {
    /// Prefixes as they stand, the longest first. Printed in pseudonyms: they carry no entropy.
    pub(super) words: &'static [&'static str],
    pub(super) rule: R,
    pub(super) kind: Kind,
    pub(super) charset: Charset,
    /// Fewest bytes behind the prefix.
    pub(super) least: usize,
    /// Whether the byte before must not be a letter or digit.
    pub(super) bounded: bool,
}

const fn prefix(
    rule: R,
    kind: Kind,
    words: &'static [&'static str],
    charset: Charset,
    least: usize,
    bounded: bool,
) -> Prefix {
    Prefix { words, rule, kind, charset, least, bounded }
}

/// All families. Sources of the forms: the providers' own documentation of their token formats; Fly.io's are in
/// superfly/macaroon (base64 of msgpack behind `fm2_`) and superfly/fly-go `tokens/tokens.go`.
pub(super) const PREFIXES: &[Prefix] = &[
    prefix(R::FlyMacaroon, Kind::FlyToken, &["fm1r_", "fm1a_", "fm2_"], Charset::Base64, 6, false),
    prefix(R::FlyOauth, Kind::FlyToken, &["fo1_"], Charset::Url, 6, false),
    prefix(R::Jwt, Kind::Jwt, &["eyJ"], Charset::Dotted, 12, true),
    prefix(R::AwsId, Kind::AwsId, &["AKIA", "ASIA", "ABIA", "ACCA"], Charset::Upper, 16, true),
    prefix(R::Tigris, Kind::Tigris, &["tsec_", "tid_"], Charset::Base64, 12, true),
    prefix(
        R::Github,
        Kind::Github,
        &["github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        Charset::Url,
        16,
        true,
    ),
    prefix(
        R::Gitlab,
        Kind::Gitlab,
        &[
            "glagent-", "glffct-", "glsoat-", "glpat-", "glcbt-", "glptt-", "glimt-", "gldt-",
            "glrt-", "glft-",
        ],
        Charset::Dotted,
        16,
        true,
    ),
    prefix(
        R::Slack,
        Kind::Slack,
        &[
            "hooks.slack.com/services/",
            "hooks.slack.com/workflows/",
            "hooks.slack.com/triggers/",
            "xapp-",
            "xoxa-",
            "xoxb-",
            "xoxe-",
            "xoxo-",
            "xoxp-",
            "xoxr-",
            "xoxs-",
        ],
        Charset::Path,
        10,
        true,
    ),
    prefix(
        R::Stripe,
        Kind::Stripe,
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"],
        Charset::Base64,
        10,
        true,
    ),
    prefix(R::Npm, Kind::Vendor, &["npm_"], Charset::Alnum, 30, true),
    prefix(R::Pypi, Kind::Vendor, &["pypi-"], Charset::Url, 32, true),
    prefix(
        R::AiKey,
        Kind::Vendor,
        &["sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-", "sk-"],
        Charset::Url,
        20,
        true,
    ),
    prefix(R::Google, Kind::Vendor, &["GOCSPX-", "AIza", "ya29."], Charset::Dotted, 20, true),
    prefix(R::Sentry, Kind::Vendor, &["sntrys_", "sntryu_"], Charset::Base64, 20, true),
    prefix(
        R::Depot,
        Kind::Vendor,
        &["depot_project_", "depot_org_", "depot_user_", "depot_token_"],
        Charset::Url,
        16,
        true,
    ),
    prefix(
        R::Vendor,
        Kind::Vendor,
        &[
            "AGE-SECRET-KEY-1",
            "discordapp.com/api/webhooks/",
            "discord.com/api/webhooks/",
            "b3BlbnNzaC1rZXktdjE",
            "pscale_oauth_",
            "pscale_tkn_",
            "pscale_pw_",
            "sb_secret_",
            "rubygems_",
            "dckr_pat_",
            "dckr_oat_",
            "lin_api_",
            "doo_v1_",
            "dop_v1_",
            "dor_v1_",
            "dot_v1_",
            "shpat_",
            "shpca_",
            "shppa_",
            "shpss_",
            "tskey-",
            "PMAK-",
            "NRAK-",
            "dp.pt.",
            "dp.st.",
            "dp.ct.",
            "dp.sa.",
            "hvs.",
            "hvb.",
            "phc_",
            "phx_",
            "gsk_",
            "xai-",
            "sbp_",
            "ntn_",
            "SG.",
            "hf_",
            "r8_",
            "re_",
        ],
        Charset::Path,
        20,
        true,
    ),
];

/// Bytes of `charset` from `at` on: where they end. `bytes.len()` means the run may go on in what is not here yet.
pub(super) fn run_end(bytes: &[u8], at: usize, charset: Charset) -> usize {
    let mut end = at;
    while let Some(byte) = bytes.get(end) {
        let more = match (byte, charset) {
            (b'a'..=b'z', _) => charset != Charset::Upper,
            (byte, _) if byte.is_ascii_alphanumeric() => true,
            (b'_' | b'-', Charset::Base64 | Charset::Url | Charset::Dotted | Charset::Path)
            | (b'+' | b'=', Charset::Base64)
            | (b'/', Charset::Base64 | Charset::Path) => true,
            (b'.', Charset::Dotted | Charset::Path) => bytes
                .get(end + 1)
                .is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, b'_' | b'-')),
            _ => false,
        };
        if more {
            end += 1;
            continue;
        }
        // `+`, `/` and `=` in disguise: percent, JSON escape, escaped slash, folded line of quoted-printable.
        let disguised = if charset == Charset::Base64 { disguise(bytes, end) } else { 0 };
        if disguised == 0 {
            break;
        }
        end += disguised;
    }
    end.min(bytes.len())
}

fn disguise(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..bytes.len().min(at + 8)];
    let hex = |from: usize| match rest.get(from..from + 2) {
        Some([high, low]) => matches!(
            (high, low.to_ascii_lowercase()),
            (b'2', b'b' | b'f' | b'd') | (b'3', b'd') | (b'5', b'f')
        ),
        _ => false,
    };
    if rest.first() == Some(&b'%') && hex(1) {
        3
    } else if rest.starts_with(b"%25") && hex(3) {
        5
    } else if (rest.starts_with(b"\\u00") || rest.starts_with(b"\\U00")) && hex(4) {
        6
    } else if rest.starts_with(b"\\x") && hex(2) {
        4
    } else if rest.starts_with(b"\\/") {
        2
    } else if rest.first() == Some(&b'\n') || rest.starts_with(b"\r\n") {
        folded(bytes, at)
    } else {
        0
    }
}

/// Quoted-printable cuts lines at 76 bytes with `=` at the end. Only lines of about that length count, else the word behind a padded
/// token at a line's end would be eaten.
fn folded(bytes: &[u8], at: usize) -> usize {
    if at == 0 || bytes[at - 1] != b'=' {
        return 0;
    }
    let line =
        bytes[at.saturating_sub(80)..at].iter().rev().take_while(|byte| **byte != b'\n').count();
    let next = if bytes[at] == b'\r' { at + 2 } else { at + 1 };
    if (70..=78).contains(&line) && bytes.get(next).is_some_and(u8::is_ascii_alphanumeric) {
        next - at
    } else {
        0
    }
}

/// Kind and public prefix of a value, by its own form: the same value is the same kind wherever it stands.
pub(crate) fn classify(value: &[u8]) -> (Kind, &'static str) {
    for family in PREFIXES {
        for word in family.words {
            if value.starts_with(word.as_bytes()) && value.len() >= word.len() + family.least {
                let end = run_end(value, word.len(), family.charset);
                if end == value.len() {
                    return (family.kind, word);
                }
            }
        }
    }
    if is_wireguard(value) { (Kind::WireguardKey, "") } else { (Kind::Secret, "") }
}

/// Whether a pseudonym may carry this prefix.
pub(super) fn is_prefix(text: &str) -> bool {
    text == "-" || PREFIXES.iter().any(|family| family.words.contains(&text))
}

/// Whether this is the base64 of 32 bytes: 43 characters, the last of which leaves two bits empty, and one `=`.
pub(super) fn is_wireguard(run: &[u8]) -> bool {
    run.len() == 44
        && run[43] == b'='
        && run[..43].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        && b"AEIMQUYcgkosw048".contains(&run[42])
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
}

/// Whether the whole value is a list of Fly.io tokens, with or without a scheme: each is then replaced by itself.
pub(super) fn is_fly_list(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(scheme) = [&b"flyv1 "[..], b"bearer "].iter().find(|scheme| {
        rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    }) {
        rest = rest[scheme.len()..].trim_ascii_start();
    }
    !rest.is_empty()
        && rest
            .split(|byte| *byte == b',')
            .all(|part| classify(part.trim_ascii()).0 == Kind::FlyToken)
}

impl super::Scan<'_> {
    /// A word of a family ends at `end`: takes the run behind it.
    pub(super) fn prefixed(&mut self, family: usize, word: usize, end: usize) {
        let family = &PREFIXES[family];
        let word = family.words[word];
        let start = end - word.len();
        let longer = |other: &&str| {
            other.len() > word.len() && self.bytes[start..].starts_with(other.as_bytes())
        };
        if &self.bytes[start..end] != word.as_bytes() || family.words.iter().any(longer) {
            return;
        }
        if self.is_protected(start) {
            return;
        }
        if family.bounded && !self.bounded(start) {
            return;
        }
        let mut stop = run_end(self.bytes, start + word.len(), family.charset);
        if stop + 8 > self.bytes.len() {
            // A disguised sign may be cut in the middle.
            self.open(start, super::Until::Run);
        }
        // Base64 padding of quoted text and separators of paths are no part of a token.
        while stop > start
            && matches!(self.bytes[stop - 1], b'/' | b'-' | b'.')
            && family.charset != Charset::Base64
        {
            stop -= 1;
        }
        let body = &self.bytes[(start + word.len()).min(stop)..stop];
        if body.len() < family.least || !plausible(family.rule, word, body) {
            return;
        }
        let value = undisguise(&self.bytes[start..stop]);
        self.spans.push(super::Span {
            start,
            end: stop,
            from: start,
            rule: family.rule,
            kind: family.kind,
            prefix: word,
            value,
            shape: super::Shape::Plain,
            learn: super::Learn::Yes,
        });
    }
}

/// What a prefix alone does not tell.
fn plausible(rule: R, word: &str, body: &[u8]) -> bool {
    let mixed = body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic);
    match rule {
        // Header and payload at least; a lone header is read as base64.
        R::Jwt => body.contains(&b'.'),
        R::AwsId => body.len() == 16,
        R::Slack if word.contains('/') => body.contains(&b'/'),
        R::Vendor if word.len() < 6 => mixed && !body.contains(&b'/'),
        R::AiKey | R::Npm | R::Google | R::Pypi => mixed,
        _ => true,
    }
}

/// The token as its owner knows it, where signs were encoded.
fn undisguise(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'\n')) {
        return None;
    }
    let mut text = super::value::unescape(bytes, 1);
    for _ in 0..2 {
        text = super::value::unpercent(&text);
    }
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'\n' => {
                while out.last().is_some_and(|last| matches!(last, b'=' | b'\r')) {
                    out.pop();
                }
            }
            byte => out.push(byte),
        }
    }
    Some(out)
}
