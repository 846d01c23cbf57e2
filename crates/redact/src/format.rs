//! What the bytes are, as far as the caller knows.

/// Shape of the input. A wrong hint costs precision, never safety: the text rules run in every format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Looked up in the name and the first bytes.
    #[default]
    Auto,
    /// One JSON document; what comes out is valid JSON if the input was.
    Json,
    /// One JSON document a line; other lines are treated as text.
    Ndjson,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
    /// INI, `.pgpass`, netrc and the like.
    Ini,
    /// `KEY=value` lines: every key that is not known to be harmless is masked.
    Env,
    /// HTTP headers.
    Headers,
    /// Anything else.
    Text,
}
