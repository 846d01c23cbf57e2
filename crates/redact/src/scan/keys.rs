//! Which keys tell that their value is secret, and which names of the environment are harmless.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// How sure a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Says nothing.
    No,
    /// Whatever stands there is secret.
    Strong,
    /// Secret if it looks like a value and not like a word about one: `session: opened`.
    Weak,
    /// Header whose value is a scheme and a credential.
    Authorization,
    /// Header of `name=value` pairs.
    Cookie,
}

/// Parts that make a key telling wherever they stand in it. Words are joined by `_`, lower case.
const STRONG: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "apikey",
    "api_key",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "signing_key",
    "signingkey",
    "encryption_key",
    "encryptionkey",
    "encrypt_key",
    "master_key",
    "masterkey",
    "auth_key",
    "authkey",
    "account_key",
    "accountkey",
    "shared_key",
    "sharedkey",
    "storage_key",
    "service_key",
    "license_key",
    "licence_key",
    "deploy_key",
    "ssh_key",
    "key_base",
    "keybase",
    "app_key",
    "admin_key",
    "root_key",
    "session_key",
    "webhook_key",
    "dkim_key",
    "crypt_key",
    "hash_key",
    "cipher_key",
    "preshared_key",
    "presharedkey",
    "raw_value",
    "rawvalue",
    "connection_string",
    "connectionstring",
    "conn_string",
    "connstr",
    "conn_str",
    "mnemonic",
    "seed_phrase",
    "wire_guard_state",
    "csrf",
    "xsrf",
    "session_id",
    "sessionid",
    "webhook_url",
    "csrftoken",
    "x_auth",
    "api_auth",
];

/// A part of every word in the lists. Without the automaton (it cannot fail to build) every key is judged in full.
static PARTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let parts = [
        "pass", "pwd", "secret", "token", "cred", "key", "auth", "cookie", "sess", "sign", "hmac",
        "dsn", "jwt", "bearer", "otp", "raw", "guard", "conn", "hook", "csrf", "xsrf", "pw", "sid",
        "mnemonic", "seed",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(parts).ok()
});

/// Whole words that do.
const STRONG_WORDS: &[&str] = &["pass", "pwd", "creds", "pw", "bearer", "jwt", "otp", "pgpassfile"];

/// Whole words of a key whose value may as well be a remark.
const WEAK_WORDS: &[&str] =
    &["auth", "session", "sess", "signature", "hmac", "dsn", "sid", "webhook"];

/// Last words that say the value is *about* a secret: names and digests of secrets are evidence.
const ABOUT: &[&str] = &[
    "name",
    "names",
    "id",
    "ids",
    "type",
    "kind",
    "count",
    "counts",
    "digest",
    "digests",
    "length",
    "len",
    "size",
    "path",
    "file",
    "expires",
    "expiry",
    "expiration",
    "at",
    "ttl",
    "policy",
    "enabled",
    "disabled",
    "required",
    "version",
    "status",
    "state",
    "label",
    "labels",
    "created",
    "updated",
    "region",
    "prefix",
    "limit",
    "limits",
    "used",
    "usage",
    "min",
    "max",
    "hint",
    "endpoint",
    "format",
    "algorithm",
    "method",
    "provider",
    "scope",
    "scopes",
    "source",
    "timeout",
    "error",
    "errors",
    "message",
    "description",
    "rotation",
    "age",
    "days",
    "hours",
    "minutes",
    "seconds",
    "ms",
    "field",
    "header",
    "manager",
    "class",
    "issuer",
    "valid",
    "invalid",
    "missing",
    "fingerprint",
    "index",
    "domain",
    "host",
    "port",
    "user",
    "username",
    "email",
    "attempts",
    "ref",
    "present",
    "set",
];

/// First words that count.
const COUNTING: &[&str] = &[
    "max", "min", "num", "total", "next", "has", "is", "no", "number", "count", "use", "uses",
    "require", "requires",
];

/// Names of the environment whose values are no secrets by themselves; they still get every other rule.
const HARMLESS_ENV: &[&str] = &[
    "PORT",
    "PRIMARY_REGION",
    "HOST",
    "BIND",
    "NODE_ENV",
    "RAILS_ENV",
    "RACK_ENV",
    "MIX_ENV",
    "APP_ENV",
    "GO_ENV",
    "FLASK_ENV",
    "ENV",
    "ENVIRONMENT",
    "LOG_LEVEL",
    "LOGLEVEL",
    "LOG_FORMAT",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TERM",
    "SHELL",
    "PATH",
    "HOME",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "HOSTNAME",
    "PHX_SERVER",
    "PHX_HOST",
    "WEB_CONCURRENCY",
    "RAILS_MAX_THREADS",
    "RAILS_MIN_THREADS",
    "RAILS_LOG_TO_STDOUT",
    "RAILS_LOG_LEVEL",
    "RAILS_SERVE_STATIC_FILES",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "GIN_MODE",
    "GOMAXPROCS",
    "GOGC",
    "GOMEMLIMIT",
    "GODEBUG",
    "ECTO_IPV6",
    "MALLOC_ARENA_MAX",
    "LD_PRELOAD",
    "BUNDLE_WITHOUT",
    "BUNDLE_PATH",
    "BUNDLE_DEPLOYMENT",
    "GEM_HOME",
    "DEBIAN_FRONTEND",
    "NODE_VERSION",
    "PYTHON_VERSION",
    "RUBY_VERSION",
    "GOLANG_VERSION",
    "GIT_SHA",
    "GIT_COMMIT",
    "COMMIT_SHA",
    "SOURCE_COMMIT",
    "RELEASE_VERSION",
    "RELEASE_NAME",
    "CI",
    "DEBUG",
    "THREADS",
    "WORKERS",
    "INIT_CWD",
    "NO_COLOR",
    "COLORTERM",
    "PG_MAJOR",
    "PG_VERSION",
];

/// Whether an environment name is on the short list: its value then stays, unless another rule takes it.
pub(super) fn harmless_env(key: &[u8]) -> bool {
    let Ok(key) = std::str::from_utf8(key) else { return false };
    let upper = key.to_ascii_uppercase();
    HARMLESS_ENV.contains(&upper.as_str())
        || (upper.starts_with("FLY_") && judge(key.as_bytes()) == Telling::No)
}

/// What a key says about its value. `FlyApiToken`, `fly-api-token` and `FLY_API_TOKEN` are the same key.
pub(super) fn judge(key: &[u8]) -> Telling {
    // Most keys say nothing, and are many: one look at parts that every telling word has.
    if PARTS.as_ref().is_some_and(|parts| !parts.is_match(key)) {
        return Telling::No;
    }
    let words = words(key);
    let joined = words.join("_");
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return Telling::No };
    match joined.as_str() {
        "pwd" | "oldpwd" if key.iter().all(u8::is_ascii_uppercase) => return Telling::No,
        "authorization" | "proxy_authorization" | "http_authorization" | "auth_header" => {
            return Telling::Authorization;
        }
        "cookie" | "set_cookie" | "cookies" | "http_cookie" | "set_cookie_2" => {
            return Telling::Cookie;
        }
        _ => {}
    }
    let strong = STRONG.iter().any(|part| joined.contains(part))
        || words.iter().any(|word| STRONG_WORDS.contains(&word.as_str()));
    let session_id = joined.ends_with("session_id") || joined.ends_with("sessionid");
    if !session_id
        && words.len() > 1
        && (ABOUT.contains(&last.as_str()) || COUNTING.contains(&first.as_str()))
    {
        return Telling::No;
    }
    if strong {
        Telling::Strong
    } else if words.iter().any(|word| WEAK_WORDS.contains(&word.as_str()))
        || joined.contains("cookie")
    {
        Telling::Weak
    } else {
        Telling::No
    }
}

/// Whether the key of a member inside a telling container is itself only about the secret.
pub(super) fn about(key: &[u8]) -> bool {
    words(key).last().is_some_and(|last| ABOUT.contains(&last.as_str()))
}

/// Whether everything inside a container behind this key is secret. `"auth": {…}` is judged member by member instead.
pub(super) fn deep(key: &[u8]) -> bool {
    let joined = words(key).join("_");
    [
        "password",
        "passwd",
        "secret",
        "credential",
        "token",
        "api_key",
        "apikey",
        "access_key",
        "private_key",
    ]
    .iter()
    .any(|part| joined.contains(part))
}

/// Whether the key names several: `tokens: 3` is a count.
pub(super) fn plural(key: &[u8]) -> bool {
    key.last().is_some_and(|byte| byte.eq_ignore_ascii_case(&b's'))
}

/// Whether a name looks like one of the environment: `DATABASE_POOL`, at least one letter, no lower case.
pub(super) fn env_like(name: &[u8]) -> bool {
    name.len() > 1
        && name[0].is_ascii_alphabetic()
        && name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Lower-case words of a key: cut at punctuation and where lower case turns into upper; digits at the end are dropped.
fn words(key: &[u8]) -> Vec<String> {
    let mut words = vec![String::new()];
    for (index, byte) in key.iter().enumerate() {
        let hump = byte.is_ascii_uppercase()
            && index > 0
            && (key[index - 1].is_ascii_lowercase()
                || (key[index - 1].is_ascii_uppercase()
                    && key.get(index + 1).is_some_and(u8::is_ascii_lowercase)));
        if !byte.is_ascii_alphanumeric() || hump {
            words.push(String::new());
        }
        if byte.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    for word in &mut words {
        let kept = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        if kept > 0 {
            word.truncate(kept);
        }
    }
    words.retain(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()));
    words
}
