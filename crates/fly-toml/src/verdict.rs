//! What flyctl validates once a file is loaded.

use crate::diag::Diagnostic;
use crate::schema::Config;

/// Everything that validation refuses or warns about.
pub(crate) fn validate(_config: &Config) -> Vec<Diagnostic> {
    Vec::new()
}
