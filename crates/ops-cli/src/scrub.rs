//! Keeps secrets out of what this process itself says: log lines, panic messages.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// What stands in a secret's place.
const MASK: &str = "[redacted]";

/// Starts of token formats (Machines API reference 1.3).
const PREFIXES: [&str; 4] = ["fm2_", "fm1r_", "fm1a_", "fo1_"];

/// Removes known secrets and whatever looks like a token of Fly.io. Cheap to clone; clones share what they know.
#[derive(Clone, Default)]
pub struct Scrubber {
    known: Arc<Mutex<Vec<SecretString>>>,
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    /// Adds a secret that must never be shown. Very short ones are ignored: they would eat ordinary words.
    pub fn learn(&self, secret: &SecretString) {
        if secret.expose_secret().len() >= 6 {
            self.lock().push(secret.clone());
        }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.lock().iter() {
            text = text.replace(secret.expose_secret(), MASK);
        }
        for prefix in PREFIXES {
            text = mask_tokens(&text, prefix);
        }
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SecretString>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mask_tokens(text: &str, prefix: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(prefix) {
        let (before, token) = rest.split_at(start);
        let end = token
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_-+/=.".contains(c)))
            .unwrap_or(token.len());
        clean.push_str(before);
        clean.push_str(MASK);
        rest = &token[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_and_tokens_go_the_rest_stays() {
        let scrubber = Scrubber::default();
        scrubber.learn(&SecretString::from("hunter2hunter2"));
        scrubber.learn(&SecretString::from("the"));
        assert_eq!(
            scrubber
                .clone()
                .clean("the FlyV1 fm2_lJPEC/Q==,fo1_x; pw=hunter2hunter2 id=148e21ea7e4389"),
            "the FlyV1 [redacted],[redacted]; pw=[redacted] id=148e21ea7e4389"
        );
    }
}
