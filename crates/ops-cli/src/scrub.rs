//! Keeps secrets out of what this process itself says: log lines, panic messages. The rules are those of `redact`.
//!
//! Addresses and names stay readable: this is for the operator. A bundle redacts the log once more, under its own key.

use std::sync::Arc;

use redact::{Identities, Kind, Options, PseudonymKey, Redactor};
use secrecy::{ExposeSecret, SecretString};

/// Stands in for a whole text when there is no redactor.
const WITHHELD: &str = "[withheld: the redactor could not be set up]";

/// Replaces secrets by pseudonyms that hold for this run. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Scrubber {
    redactor: Option<Arc<Redactor>>,
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Default for Scrubber {
    /// A key of its own. Without randomness from the system there is no key, and then nothing is shown at all.
    fn default() -> Self {
        let redactor = PseudonymKey::random()
            .and_then(|key| Redactor::new(Options::new(key).identities(Identities::KEEP)));
        Self { redactor: redactor.ok().map(Arc::new) }
    }
}

impl Scrubber {
    /// Adds a secret that must never be shown. Very short ones are ignored: they would eat ordinary words.
    pub fn learn(&self, secret: &SecretString) {
        if let Some(redactor) = &self.redactor {
            redactor.add_known(Kind::Secret, secret.expose_secret());
        }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        match &self.redactor {
            Some(redactor) => redactor.redact_str(text),
            None => WITHHELD.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_and_tokens_go_the_rest_stays() {
        let scrubber = Scrubber::default();
        scrubber.learn(&SecretString::from("quite-a-secret-9Zk"));
        scrubber.learn(&SecretString::from("the"));
        let token = format!("fm2_{}", "lJPECAAAAAAAAyFCxBDl".repeat(4));
        let text = format!(
            "the id=148e21ea7e4389 at 10.0.0.1; auth FlyV1 {token}; said quite-a-secret-9Zk; \
             db postgres://app:pa55w0rd-long@db.internal:5432/app"
        );
        let clean = scrubber.clone().clean(&text);
        for secret in [&token[4..], "quite-a-secret", "pa55w0rd"] {
            assert!(!clean.contains(secret), "{clean}");
        }
        for kept in ["the id=148e21ea7e4389 at 10.0.0.1", "db.internal:5432/app"] {
            assert!(clean.contains(kept), "{clean}");
        }
        assert_eq!(scrubber.clean("nothing to hide"), "nothing to hide");
        let blind = Scrubber { redactor: None };
        assert_eq!(blind.clean(&text), WITHHELD);
    }
}
