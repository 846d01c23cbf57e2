//! What looks like a secret, by name and by value. Shared by the lints that look for secrets in different places.
//!
//! Sources: flyctl's own list of names (internal/appconfig, deploy warnings of 2026-08-21) and the published prefixes of
//! common credentials. Must not know: where a value stands.

/// Why something looks like a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// Its name says so, and the value is not evidently something else.
    Name,
    /// The value is one, whatever its name: what kind, in words.
    Value(&'static str),
}

/// Beginnings of credentials whose form is published, and what they are.
const PREFIXES: &[(&str, &str)] = &[
    ("sk_live_", "a Stripe secret key"),
    ("rk_live_", "a Stripe restricted key"),
    ("whsec_", "a webhook signing secret"),
    ("ghp_", "a GitHub token"),
    ("gho_", "a GitHub token"),
    ("ghs_", "a GitHub token"),
    ("github_pat_", "a GitHub token"),
    ("glpat-", "a GitLab token"),
    ("xoxb-", "a Slack token"),
    ("xoxp-", "a Slack token"),
    ("AIza", "a Google API key"),
    ("SG.", "a SendGrid key"),
    ("npm_", "an npm token"),
    ("hf_", "a Hugging Face token"),
    ("shpat_", "a Shopify token"),
    ("dop_v1_", "a DigitalOcean token"),
    ("dckr_pat_", "a Docker Hub token"),
    ("sk-ant-", "an API key"),
    ("sk-proj-", "an API key"),
    ("fm1r_", "a Fly.io token"),
    ("fm2_", "a Fly.io token"),
    ("fo1_", "a Fly.io token"),
    ("FlyV1 ", "a Fly.io token"),
];

/// Names that flyctl itself leaves out, and those that are public by design.
const PUBLIC_NAMES: &[&str] = &["AWS_ACCESS_KEY_ID", "TIGRIS_ACCESS_KEY_ID"];

/// Words of a name that make what follows public: bundlers compile such variables into the page.
const PUBLIC_WORDS: &[&str] = &["PUBLIC", "PUBLISHABLE", "VITE"];

/// Judges a variable.
pub(crate) fn suspicion(name: &str, value: &str) -> Option<Suspicion> {
    if let Some(what) = credential(value) {
        return Some(Suspicion::Value(what));
    }
    (is_secret_name(name) && !is_evidently_plain(value)).then_some(Suspicion::Name)
}

/// Words of names whose values are random and public.
const PUBLIC_RANDOM: &[&str] =
    &["HASH", "SHA", "SHA256", "CHECKSUM", "DIGEST", "COMMIT", "VERSION", "ID", "UUID", "DSN"];

/// Whether a value looks as random as a key does, under a name that says nothing: long, of one word, with letters of
/// both cases and digits in no order. Hexadecimal texts are left out, since most of them are digests.
pub(crate) fn is_random(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let mut words = upper.split(['_', '-', '.']);
    if words.any(|word| PUBLIC_WORDS.contains(&word) || PUBLIC_RANDOM.contains(&word)) {
        return false;
    }
    let value = value.trim().trim_end_matches('=');
    let is_word = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/_-".contains(&b));
    if !is_word || !(32..=512).contains(&value.len()) || is_placeholder(value) {
        return false;
    }
    let class = |b: u8| {
        if b.is_ascii_lowercase() {
            0
        } else if b.is_ascii_uppercase() {
            1
        } else if b.is_ascii_digit() {
            2
        } else {
            3
        }
    };
    let has = |wanted| value.bytes().any(|b| class(b) == wanted);
    let changes =
        value.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    // Words joined by dashes change their kind of letter only at the joints.
    has(0) && has(1) && has(2) && changes * 2 > value.len()
}

/// What kind of credential a text is or holds.
pub(crate) fn credential(value: &str) -> Option<&'static str> {
    let value = value.trim();
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    if has_url_password(value) {
        return Some("a URL with a password");
    }
    let prefixed = PREFIXES.iter().find(|(prefix, _)| {
        value.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 12 && !is_placeholder(rest))
    });
    if let Some((_, what)) = prefixed {
        return Some(what);
    }
    let parts: Vec<&str> = value.split('.').collect();
    if parts.len() == 3 && value.starts_with("eyJ") && parts.iter().all(|part| part.len() >= 16) {
        return Some("a signed token (JWT)");
    }
    None
}

/// Whether a name promises a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.']).collect();
    if PUBLIC_NAMES.contains(&upper.as_str()) || words.iter().any(|it| PUBLIC_WORDS.contains(it)) {
        return false;
    }
    let parts =
        ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "DATABASE_URL", "CREDENTIAL", "APIKEY"];
    let whole = ["KEY", "TOKEN", "PRIVATE", "PAT"];
    parts.iter().any(|part| upper.contains(part)) || words.iter().any(|it| whole.contains(it))
}

/// Switches, numbers, paths, addresses without a password, placeholders.
fn is_evidently_plain(value: &str) -> bool {
    let value = value.trim();
    let is_word = ["true", "false", "yes", "no", "on", "off", "none", "null"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    let is_number =
        !value.is_empty() && value.chars().all(|c| c.is_ascii_digit() || ".smhd".contains(c));
    let is_path = value.starts_with('/') || value.starts_with("./");
    // A path below a bucket or a variable is plain as well.
    let is_reference = value.starts_with('$') || value.contains("://");
    value.len() < 6
        || is_word
        || is_number
        || is_path
        || is_reference
        || value.starts_with("file:")
        || value.starts_with("sqlite:")
        || is_placeholder(value)
}

/// `changeme`, `<your key>`, `xxxx`, `***`.
fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let words = [
        "changeme",
        "change_me",
        "change-me",
        "your",
        "example",
        "placeholder",
        "todo",
        "redacted",
    ];
    let first = value.chars().next();
    let is_one_character = value.chars().all(|c| Some(c) == first);
    (value.starts_with('<') && value.ends_with('>'))
        || is_one_character
        || words.iter().any(|word| lower.contains(word))
}

/// `scheme://user:password@host`, with a password that is not a variable or placeholder.
pub(crate) fn has_url_password(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let Some((user, host)) = authority.rsplit_once('@') else { return false };
    let Some((_, password)) = user.split_once(':') else { return false };
    let is_local = host.starts_with("localhost") || host.starts_with("127.");
    let is_default = password == "postgres" || password == "password";
    !(password.is_empty()
        || password.starts_with('$')
        || is_placeholder(password)
        || (is_local && is_default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        let long = "abcdefghijkl0123456789";
        for (name, value, wanted) in [
            ("SECRET_KEY_BASE", "0123abcd", Some(Suspicion::Name)),
            ("API_TOKEN", "abcdefgh", Some(Suspicion::Name)),
            (
                "X",
                "postgres://u:p4ss@db.internal/x",
                Some(Suspicion::Value("a URL with a password")),
            ),
            ("X", &format!("ghp_{long}"), Some(Suspicion::Value("a GitHub token"))),
            ("X", "-----BEGIN RSA PRIVATE KEY-----\nx", Some(Suspicion::Value("a private key"))),
            ("KEYCLOAK_REALM", "shop", None),
            ("MONKEY", "banana", None),
            ("TOKEN_TTL", "3600", None),
            ("PRIVATE_NETWORK", "true", None),
            ("SECRET_FILE", "/run/secrets/x", None),
            ("AWS_ACCESS_KEY_ID", "AKIAXXXXXXXX", None),
            ("NEXT_PUBLIC_API_KEY", "abcdefgh", None),
            ("DATABASE_URL", "sqlite:///data/app.db", None),
            ("DATABASE_URL", "postgres://db.internal/app", None),
            ("DATABASE_URL", "postgres://u:$PASSWORD@db/app", None),
            ("API_KEY", "<your key>", None),
            ("API_KEY", "changeme", None),
            ("NODE_ENV", "production", None),
        ] {
            assert_eq!(suspicion(name, value), wanted, "{name}={value}");
        }
    }

    #[test]
    fn random_values_under_plain_names() {
        for (name, value, wanted) in [
            ("MAILER", "Jd83kLs0PqXz7Vb2Nm4Rt6Yw9Ac1Ef5H", true),
            ("SALT", "q9Zt1+Xk8/Ba7Lm3Pw0Rv6Ys2Nc4Ed5Fg==", true),
            ("RELEASE_ID", "Jd83kLs0PqXz7Vb2Nm4Rt6Yw9Ac1Ef5H", false),
            ("VITE_MAP", "Jd83kLs0PqXz7Vb2Nm4Rt6Yw9Ac1Ef5H", false),
            ("IMAGE", "6a09e667f3bcc908b2fb1366ea957d3e3adec17512775099da2f590b0667322a", false),
            ("SERVICE", "My-Shop-Production-Frankfurt-Cluster-01", false),
            ("FOLDER", "/app/Public/Assets2/Images/Originals", false),
            ("SHORT", "aB3dE5", false),
        ] {
            assert_eq!(is_random(name, value), wanted, "{name}={value}");
        }
    }
}
