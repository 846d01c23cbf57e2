//! Kinds of secrets, written from the formats that their makers document.
//!
//! A kind that anybody can tell by its form (`tell_tale`) may stand in any text; the others only mean something inside
//! their own line, which the kind then brings along.

use super::encode::base64;
use super::rng::{ALNUM, BASE64, BASE64_URL, DIGITS, HEX, LOWER, Rng, UPPER};

/// One secret of one kind.
#[derive(Clone)]
pub(crate) struct Canary {
    /// Name of the kind, for messages.
    pub(crate) kind: &'static str,
    /// What is planted.
    pub(crate) text: String,
    /// What must not be found afterwards, in whole or in pieces.
    pub(crate) secrets: Vec<String>,
    /// Whether it may stand in any text, or is a line of its own.
    pub(crate) tell_tale: bool,
}

type Make = fn(&mut Rng) -> (String, Vec<String>);

macro_rules! kinds {
    ($($name:literal $tell_tale:literal $make:expr;)*) => {
        const TABLE: &[(&str, bool, Make)] = &[$(($name, $tell_tale, $make)),*];
    };
}

kinds! {
    // Fly.io
    "fly-fm2" true |r| token(r, "fm2_");
    "fly-fm1r" true |r| token(r, "fm1r_");
    "fly-fm1a" true |r| token(r, "fm1a_");
    "fly-fm2-long" true |r| { let body = r.text(BASE64, 1400); (format!("fm2_{body}"), vec![body]) };
    "fly-list" true |r| {
        let (a, b, c) = (macaroon(r), macaroon(r), r.text(BASE64_URL, 43));
        (format!("FlyV1 fm2_{a},fm1r_{b},fo1_{c}"), vec![a, b, c])
    };
    "fly-list-oauth-first" true |r| {
        let (a, b) = (r.text(BASE64_URL, 43), macaroon(r));
        (format!("fo1_{a},fm2_{b}"), vec![a, b])
    };
    "fly-fo1" true |r| { let body = r.text(BASE64_URL, 43); (format!("fo1_{body}"), vec![body]) };
    // Addresses with a password
    "url-postgres" true |r| url(r, "postgres", "/appdb");
    "url-postgres-bare" true |r| url(r, "postgresql", "");
    "url-mysql" true |r| url(r, "mysql", "/shop?ssl=true");
    "url-redis" true |r| { let p = password(r); (format!("redis://:{p}@cache.internal:6379/0"), vec![p]) };
    "url-rediss" true |r| { let p = password(r); (format!("rediss://default:{p}@fly-x.upstash.io:6379"), vec![p]) };
    "url-mongodb" true |r| url(r, "mongodb+srv", "/?retryWrites=true");
    "url-amqp" true |r| url(r, "amqps", "/vhost");
    "url-https" true |r| url(r, "https", "/path");
    "url-password-colon" true |r| {
        let (a, b) = (password(r), password(r));
        (format!("postgres://app:{a}:{b}@db.internal:5432/appdb"), vec![a, b])
    };
    "url-password-at" true |r| {
        let (a, b) = (password(r), password(r));
        (format!("postgres://app:{a}@{b}@db.internal:5432/appdb"), vec![a, b])
    };
    "url-password-percent" true |r| {
        let (a, b) = (password(r), password(r));
        (format!("postgres://app:{a}%2F{b}@db.internal/appdb"), vec![a, b])
    };
    "dsn-sentry" true |r| {
        let key = r.text(HEX, 32);
        (format!("https://{key}@o447951.ingest.sentry.io/5429219"), vec![key])
    };
    // Tokens of other services
    "jwt" true |r| {
        let header = base64(br#"{"alg":"HS256","typ":"JWT"}"#).replace('=', "");
        let payload = format!(r#"{{"sub":"{}","iat":1516239022}}"#, r.text(DIGITS, 12));
        let payload = base64(payload.as_bytes()).replace('=', "");
        let signature = r.text(BASE64_URL, 43);
        (format!("{header}.{payload}.{signature}"), vec![payload[12..].to_owned(), signature])
    };
    "aws-id" true |r| { let body = r.text(&format!("{UPPER}234567"), 16); (format!("AKIA{body}"), vec![body]) };
    "aws-session-id" true |r| { let body = r.text(&format!("{UPPER}234567"), 16); (format!("ASIA{body}"), vec![body]) };
    "aws-pair" true |r| {
        let (id, secret) = (r.text(&format!("{UPPER}234567"), 16), r.text(BASE64, 40));
        (format!("AKIA{id}:{secret}"), vec![id, secret])
    };
    "google" true |r| word(r, "AIza", BASE64_URL, 35);
    "sentry-token" true |r| word(r, "sntryu_", HEX, 64);
    "depot" true |r| word(r, "depot_project_", HEX, 64);
    "github-classic" true |r| { let p = *r.pick(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]); word(r, p, ALNUM, 36) };
    "github-fine" true |r| {
        let (a, b) = (r.text(ALNUM, 22), r.text(ALNUM, 59));
        (format!("github_pat_{a}_{b}"), vec![a, b])
    };
    "gitlab" true |r| word(r, "glpat-", BASE64_URL, 20);
    "slack-bot" true |r| {
        let (a, b) = (r.text(DIGITS, 12), r.text(ALNUM, 24));
        (format!("xoxb-{a}-{a}-{b}"), vec![b])
    };
    "slack-hook" true |r| {
        let (a, b, c) = (r.text(UPPER, 8), r.text(UPPER, 8), r.text(ALNUM, 24));
        (format!("https://hooks.slack.com/services/T{a}/B{b}/{c}"), vec![c])
    };
    "stripe" true |r| { let p = *r.pick(&["sk_live_", "rk_live_", "sk_test_"]); word(r, p, ALNUM, 24) };
    "npm" true |r| word(r, "npm_", ALNUM, 36);
    "pypi" true |r| word(r, "pypi-AgEIcHlwaS5vcmc", BASE64_URL, 120);
    "openai" true |r| word(r, "sk-proj-", BASE64_URL, 48);
    "anthropic" true |r| word(r, "sk-ant-api03-", BASE64_URL, 93);
    "tigris" true |r| word(r, "tsec_", BASE64_URL, 48);
    // Keys
    "pem-lines" true |r| pem(r, "RSA PRIVATE KEY", "\n");
    "pem-escaped" true |r| pem(r, "PRIVATE KEY", "\\n");
    "pem-openssh" true |r| pem(r, "OPENSSH PRIVATE KEY", "\n");
    "pem-unterminated" false |r| {
        let lines: Vec<String> = (0..6).map(|_| r.text(BASE64, 64)).collect();
        (format!("-----BEGIN EC PRIVATE KEY-----\n{}", lines.join("\n")), lines)
    };
    "age" true |r| word(r, "AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58);
    // Lines that say themselves what they hold
    "wireguard" false |r| { let k = key32(r); (format!("PrivateKey = {k}"), vec![k]) };
    "wireguard-unnamed" false |r| { let k = key32(r); (format!("peer state: {k} endpoint ok"), vec![k]) };
    "libpq" false |r| { let p = password(r); (format!("host=db.internal user=app password={p} dbname=appdb"), vec![p]) };
    "libpq-quoted" false |r| { let p = password(r); (format!("host=db.internal password='{p}' dbname=appdb"), vec![p]) };
    "pgpassword" false |r| { let p = password(r); (format!("PGPASSWORD={p} psql -h db.internal"), vec![p]) };
    "pgpass" false |r| { let p = password(r); (format!("db.internal:5432:appdb:app:{p}"), vec![p]) };
    "authorization-basic" false |r| {
        let body = base64(format!("admin:{}", r.text(ALNUM, 18)).as_bytes());
        (format!("Authorization: Basic {body}"), vec![body[8..].trim_end_matches('=').to_owned()])
    };
    "authorization-opaque" false |r| { let t = r.text(ALNUM, 40); (format!("authorization: Bearer {t}"), vec![t]) };
    "proxy-authorization" false |r| { let t = r.text(ALNUM, 32); (format!("Proxy-Authorization: Bearer {t}"), vec![t]) };
    "cookie" false |r| { let t = r.text(ALNUM, 32); (format!("Cookie: theme=dark; session={t}"), vec![t]) };
    "set-cookie" false |r| { let t = r.text(ALNUM, 32); (format!("Set-Cookie: sid={t}; Path=/; HttpOnly"), vec![t]) };
    "x-token-header" false |r| { let t = r.text(ALNUM, 32); (format!("X-Api-Token: {t}"), vec![t]) };
    "curl-user" false |r| { let p = password(r); (format!("$ curl -u admin:{p} https://example.com/"), vec![p]) };
    "curl-header" false |r| { let t = r.text(ALNUM, 40); (format!("$ curl -H 'Authorization: Bearer {t}' https://example.com/"), vec![t]) };
    "flag-password" false |r| { let p = password(r); (format!("+ mysqldump --user root --password={p} shop"), vec![p]) };
    "flag-token" false |r| { let t = r.text(ALNUM, 30); (format!("+ deployer --token {t} --region fra"), vec![t]) };
    "query-token" false |r| { let t = r.text(ALNUM, 32); (format!("GET /hook?access_token={t}&page=2 HTTP/1.1"), vec![t]) };
    "query-signature" false |r| { let t = r.text(HEX, 64); (format!("GET /bucket/key?X-Amz-Signature={t} 200"), vec![t]) };
    "json-secret" false |r| { let t = r.text(ALNUM, 28); (format!(r#"{{"level":"info","client_secret":"{t}","n":1}}"#), vec![t]) };
    "json-pretty" false |r| { let t = r.text(ALNUM, 28); (format!("{{\n  \"api_key\": \"{t}\"\n}}"), vec![t]) };
    "json-name-value" false |r| { let t = password(r); (format!(r#"[{{"name":"DB_PASSWORD","value":"{t}"}}]"#), vec![t]) };
    "json-in-json" false |r| {
        let t = r.text(ALNUM, 28);
        let inner = serde_json::json!({ "user": "app", "password": t }).to_string();
        (serde_json::json!({ "message": inner }).to_string(), vec![t])
    };
    "toml-key-base" false |r| { let t = r.text(HEX, 64); (format!("secret_key_base = \"{t}\""), vec![t]) };
    "yaml-token" false |r| { let t = r.text(ALNUM, 32); (format!("auth:\n  token: {t}"), vec![t]) };
    "aws-secret" false |r| { let t = r.text(BASE64, 40); (format!("aws_secret_access_key = {t}"), vec![t]) };
    "azure-connection" false |r| {
        let t = r.text(BASE64, 86);
        (format!("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={t}==;EndpointSuffix=core.windows.net"), vec![t])
    };
    "gcp-service" false |r| {
        let (key, lines) = pem(r, "PRIVATE KEY", "\\n");
        (format!(r#"{{"type":"service_account","private_key":"{key}","client_email":"svc@p.iam.gserviceaccount.com"}}"#), lines)
    };
    "env-line" false |r| { let t = r.text(ALNUM, 30); (format!("export STRIPE_SECRET={t}"), vec![t]) };
    "netrc" false |r| { let p = password(r); (format!("machine api.example.com login app password {p}"), vec![p]) };
    // Who and where
    "email" true |r| { let (a, b) = (r.text(LOWER, 9), r.text(LOWER, 9)); (format!("{a}@{b}.io"), vec![a]) };
    "ipv4" true |r| {
        let part = |r: &mut Rng| r.between(101, 250);
        let text = format!("185.{}.{}.{}", part(r), part(r), part(r));
        (text.clone(), vec![text])
    };
    "ipv6" true |r| { let tail = hextets(r, 4); (format!("2a01:4f8:c17:7:{tail}"), vec![tail]) };
    "six-pn" true |r| { let tail = hextets(r, 4); (format!("fdaa:1:{}:a7b:{tail}", hextets(r, 1)), vec![tail]) };
    "entropy-near-word" false |r| { let t = mixed(r, 36); (format!("new secret {t} stored"), vec![t]) };
}

/// How many kinds there are.
pub(crate) fn count() -> usize {
    TABLE.len()
}

/// A fresh secret of the kind with this number.
pub(crate) fn make(number: usize, rng: &mut Rng) -> Canary {
    let (kind, tell_tale, make) = TABLE[number];
    let (text, secrets) = make(rng);
    Canary { kind, text, secrets, tell_tale }
}

/// A secret that no form gives away: what somebody puts under a key of an environment.
pub(crate) fn opaque(rng: &mut Rng) -> Canary {
    let text = password(rng);
    Canary { kind: "opaque", secrets: vec![text.clone()], text, tell_tale: false }
}

fn macaroon(rng: &mut Rng) -> String {
    let length = rng.between(80, 320);
    rng.text(BASE64, length)
}

fn token(rng: &mut Rng, prefix: &str) -> (String, Vec<String>) {
    let body = macaroon(rng);
    (format!("{prefix}{body}"), vec![body])
}

fn word(rng: &mut Rng, prefix: &str, alphabet: &str, length: usize) -> (String, Vec<String>) {
    let body = rng.text(alphabet, length);
    (format!("{prefix}{body}"), vec![body])
}

fn password(rng: &mut Rng) -> String {
    let length = rng.between(14, 24);
    mixed(rng, length)
}

/// Letters of both cases and a digit in each eight characters, so that it never reads as a word or a number.
fn mixed(rng: &mut Rng, length: usize) -> String {
    let mut out = String::new();
    while out.len() < length {
        out.push_str(&rng.text(LOWER, 3));
        out.push_str(&rng.text(UPPER, 2));
        out.push_str(&rng.text(DIGITS, 2));
        out.push_str(&rng.text(ALNUM, 1));
    }
    out.truncate(length);
    out
}

fn url(rng: &mut Rng, scheme: &str, rest: &str) -> (String, Vec<String>) {
    let secret = password(rng);
    (format!("{scheme}://app:{secret}@db.internal:5432{rest}"), vec![secret])
}

fn hextets(rng: &mut Rng, count: usize) -> String {
    let parts: Vec<_> = (0..count).map(|_| format!("{:x}", rng.between(0x1000, 0xffff))).collect();
    parts.join(":")
}

/// Thirty-two random bytes in base64: 43 characters and a padding.
fn key32(rng: &mut Rng) -> String {
    let bytes: Vec<u8> = (0..32).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
    base64(&bytes)
}

fn pem(rng: &mut Rng, label: &str, newline: &str) -> (String, Vec<String>) {
    let lines: Vec<String> = (0..8).map(|_| rng.text(BASE64, 64)).collect();
    let body = lines.join(newline);
    (format!("-----BEGIN {label}-----{newline}{body}{newline}-----END {label}-----"), lines)
}
