//! Why a file could not be redacted. Every variant means: the output so far must be thrown away and the stub written instead.

/// A file that was not redacted. The text never quotes the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The sink refused bytes.
    #[error("{name}: cannot write the redacted output")]
    Sink {
        /// Redacted name of the file.
        name: String,
        /// What the sink said.
        #[source]
        source: std::io::Error,
    },
    /// The input cannot be read as text and no handler for its type exists.
    #[error("{name}: {reason}")]
    Unreadable {
        /// Redacted name of the file.
        name: String,
        /// Short fixed text: what it is.
        reason: &'static str,
    },
    /// A limit was reached: nesting depth, compression ratio, entries of an archive.
    #[error("{name}: {limit}")]
    Limit {
        /// Redacted name of the file.
        name: String,
        /// Short fixed text: which limit.
        limit: &'static str,
    },
    /// The rule tables could not be built. A defect of this crate.
    #[error("rule tables cannot be built: {what}")]
    Rules {
        /// Which table.
        what: String,
    },
    /// The system gave no randomness for a key.
    #[error("no randomness for a pseudonym key: {what}")]
    Random {
        /// What the system said.
        what: String,
    },
    /// An unknown rule id was named in the options.
    #[error("no redaction rule is called `{id}`")]
    NoSuchRule {
        /// The id as given.
        id: String,
    },
}

impl RedactError {
    /// Code for manifests: `sink`, `unreadable`, `limit`, `rules`, `random`, `no_such_rule`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sink { .. } => "sink",
            Self::Unreadable { .. } => "unreadable",
            Self::Limit { .. } => "limit",
            Self::Rules { .. } => "rules",
            Self::Random { .. } => "random",
            Self::NoSuchRule { .. } => "no_such_rule",
        }
    }
}
