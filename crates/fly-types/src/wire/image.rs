//! What a Machine really runs.

use std::collections::BTreeMap;

use super::body;

body! {
    /// The image that a Machine runs, resolved.
    ImageRef {
        registry: String,
        repository: String,
        tag: String,
        digest: String,
        /// Labels of the image, e.g. `fly.version` of Postgres images; null in some lists.
        labels: BTreeMap<String, String>,
    }
}

impl ImageRef {
    /// `registry/repository:tag@digest`, leaving out what is not known.
    pub fn reference(&self) -> String {
        let mut text = String::new();
        if let Some(registry) = self.registry.text() {
            text.push_str(registry);
            text.push('/');
        }
        text.push_str(self.repository.text().unwrap_or_default());
        for (mark, part) in [(':', &self.tag), ('@', &self.digest)] {
            if let Some(part) = part.text() {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }
}
