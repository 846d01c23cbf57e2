//! References to container images: any registry, tag, digest, both or neither.
//!
//! The grammar is that of the OCI distribution specification as container tools apply it. Must not know: registries.

use std::fmt;
use std::str::FromStr;

/// A reference to an image, e.g. `nginx:alpine` or `registry.fly.io/shop:deployment-01@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    registry: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// A text that is not an image reference; names the text and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid image reference '{value}': {rule}")]
pub struct ImageReferenceError {
    /// The text as given.
    pub value: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl ImageReference {
    /// The registry's host and port, when the reference names one.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The path within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, when the reference has one. Without tag and digest, `latest` is meant.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, when the reference has one: only then does it always mean the same image.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl FromStr for ImageReference {
    type Err = ImageReferenceError;

    fn from_str(text: &str) -> Result<Self, ImageReferenceError> {
        parse(text).map_err(|rule| ImageReferenceError { value: text.to_owned(), rule })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<ImageReference, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(check_digest(digest)?)),
        None => (text, None),
    };
    let last_slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[last_slash..].rfind(':') {
        Some(colon) => {
            let (name, tag) = rest.split_at(last_slash + colon);
            (name, Some(check_tag(&tag[1..])?))
        }
        None => (rest, None),
    };
    if name.len() > 255 {
        return Err("its name is longer than 255 characters");
    }
    let (registry, repository) = match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(check_registry(first)?), path)
        }
        _ => (None, name),
    };
    if !repository.split('/').all(is_component) {
        return Err(
            "each part of its path must be lower-case letters and digits, joined by '.', '_', '__' or dashes",
        );
    }
    Ok(ImageReference { registry, repository: repository.to_owned(), tag, digest })
}

fn check_digest(digest: &str) -> Result<String, &'static str> {
    let rule = "its digest must look like sha256: and 64 hexadecimal digits";
    let (algorithm, hex) = digest.split_once(':').ok_or(rule)?;
    let lower_hex = hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let length = match algorithm {
        "sha256" => hex.len() == 64,
        "sha512" => hex.len() == 128,
        _ => false,
    };
    if lower_hex && length { Ok(digest.to_owned()) } else { Err(rule) }
}

fn check_tag(tag: &str) -> Result<String, &'static str> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let good = (1..=128).contains(&tag.len())
        && word(tag.as_bytes()[0])
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'));
    if good {
        Ok(tag.to_owned())
    } else {
        Err(
            "its tag must have 1 to 128 letters, digits, '_', '.' or '-', and not start with '.' or '-'",
        )
    }
}

fn check_registry(host: &str) -> Result<String, &'static str> {
    let rule = "its registry must be a host name, with or without a port";
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let good = name.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok());
    if good { Ok(host.to_owned()) } else { Err(rule) }
}

/// Letters and digits with single separators between them: `.`, `_`, `__` or any number of dashes.
fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    plain(*first)
        && plain(*last)
        && text
            .split(|c: char| c.is_ascii() && plain(u8::try_from(c).unwrap_or_default()))
            .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|byte| byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_kind() {
        let sha = format!("sha256:{}", "a".repeat(64));
        let cases = [
            ("nginx:alpine".to_owned(), None, "nginx", Some("alpine"), None),
            ("nginx".to_owned(), None, "nginx", None, None),
            (
                "registry.fly.io/shop:deployment-01HV".to_owned(),
                Some("registry.fly.io"),
                "shop",
                Some("deployment-01HV"),
                None,
            ),
            (
                "localhost:5000/a/b__c/d--e".to_owned(),
                Some("localhost:5000"),
                "a/b__c/d--e",
                None,
                None,
            ),
            ("org/repo:v0".to_owned(), None, "org/repo", Some("v0"), None),
            (
                format!("flyio/postgres-flex@{sha}"),
                None,
                "flyio/postgres-flex",
                None,
                Some(sha.as_str()),
            ),
            (
                format!("ghcr.io/a/b:1.2_3@{sha}"),
                Some("ghcr.io"),
                "a/b",
                Some("1.2_3"),
                Some(sha.as_str()),
            ),
        ];
        for (text, registry, repository, tag, digest) in cases {
            let image: ImageReference = text.parse().unwrap();
            assert_eq!(
                (image.registry(), image.repository(), image.tag(), image.digest()),
                (registry, repository, tag, digest)
            );
            assert_eq!(image.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_reference_names_the_rule() {
        let long = format!("a/{}", "b".repeat(260));
        for (text, rule) in [
            ("", "empty"),
            ("Nginx", "lower-case"),
            ("a//b", "lower-case"),
            ("a/", "lower-case"),
            ("/a", "lower-case"),
            ("a___b", "lower-case"),
            ("a..b", "lower-case"),
            ("nginx:", "tag"),
            ("nginx:-x", "tag"),
            ("nginx:a b", "tag"),
            ("nginx@sha256:abc", "digest"),
            ("nginx@md5:abc", "digest"),
            ("-bad.io/x", "registry"),
            ("a.io:99999/x", "registry"),
            ("nginx latest", "lower-case"),
            ("nginxé", "lower-case"),
            (&long, "255"),
        ] {
            let error = text.parse::<ImageReference>().unwrap_err();
            assert!(error.rule.contains(rule), "{text}: {error}");
        }
    }
}
