//! Labels, numbers and results.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Label name → value; the metric's name is `__name__`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels(pub(crate) BTreeMap<String, String>);

pub(crate) type Vector = Vec<(Labels, f64)>;

/// What an expression is at one moment.
#[derive(Debug)]
pub(crate) enum Outcome {
    Scalar(f64),
    Vector(Vector),
    /// Samples of a window: only functions and a bare query take it.
    Range(Vec<(Labels, Vec<(f64, f64)>)>),
}

impl Labels {
    pub(crate) fn without_name(&self) -> Self {
        let mut labels = self.clone();
        labels.0.remove("__name__");
        labels
    }

    /// Only these labels, or all but these and the name.
    pub(crate) fn grouped(&self, names: &[String], without: bool) -> Self {
        let kept = self
            .0
            .iter()
            .filter(|(name, _)| *name != "__name__" && (names.contains(name) != without));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 fit; this is what Prometheus does"
)]
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// As Prometheus writes numbers.
pub(crate) fn text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{number}")
    }
}
