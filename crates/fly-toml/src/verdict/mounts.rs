//! Volumes: sizes, snapshots, growth.

use super::codes;
use crate::diag::Diagnostic;
use crate::schema::{Config, Located, Mount, VolumeSize};

pub(super) fn validate(config: &Config, out: &mut Vec<Diagnostic>) {
    for mount in config.mounts.iter().flat_map(|mounts| mounts.iter()) {
        size("initial_size", mount.initial_size.as_ref(), out);
        if let Some(days) = &mount.snapshot_retention
            && !(1..=60).contains(&days.value)
        {
            let message = format!("snapshots cannot be kept for {} days", days.value);
            out.push(Diagnostic::new(&codes::SNAPSHOT_RETENTION, message).at(days.span, "1 to 60"));
        }
        growth(mount, out);
    }
}

/// Whole GB of a size; 0 when it is unset or no size. Reports what is no size or below one GB.
fn size(name: &str, size: Option<&Located<VolumeSize>>, out: &mut Vec<Diagnostic>) -> i64 {
    let Some(size) = size.filter(|size| !size.0.is_empty()) else { return 0 };
    let diagnostic = match size.gb() {
        None => {
            Diagnostic::new(&codes::VOLUME_SIZE, format!("{name} \"{}\" is not a size", size.0))
                .at(size.span, "write a number of GB or a size such as \"10gb\"")
        }
        Some(gb) if gb < 1 => {
            Diagnostic::new(&codes::VOLUME_SIZE, format!("{name} \"{}\" is below 1 GB", size.0))
                .at(size.span, "rounded down to whole GB")
        }
        Some(gb) => return gb,
    };
    out.push(diagnostic);
    size.gb().unwrap_or(0)
}

fn growth(mount: &Mount, out: &mut Vec<Diagnostic>) {
    let increment =
        size("auto_extend_size_increment", mount.auto_extend_size_increment.as_ref(), out);
    let limit = size("auto_extend_size_limit", mount.auto_extend_size_limit.as_ref(), out);
    let threshold = mount.auto_extend_size_threshold.as_ref().map_or(0, |percent| percent.value);
    if threshold == 0 && increment == 0 && limit == 0 {
        return;
    }
    let threshold_span = mount.auto_extend_size_threshold.as_ref().map(|percent| percent.span);
    let increment_span = mount.auto_extend_size_increment.as_ref().map(|size| size.span);
    let limit_span = mount.auto_extend_size_limit.as_ref().map(|size| size.span);
    let any = threshold_span.or(increment_span).or(limit_span);
    let mut report = |message: String, span: Option<crate::Span>, label: &str| {
        let diagnostic = Diagnostic::new(&codes::AUTO_EXTEND, message);
        out.push(match span {
            Some(span) => diagnostic.at(span, label),
            None => diagnostic,
        });
    };
    if !(50..=99).contains(&threshold) {
        let message = if threshold == 0 {
            "auto_extend_size_threshold is missing".to_owned()
        } else {
            format!("the volume cannot grow from {threshold} % of use on")
        };
        report(message, threshold_span.or(any), "the threshold is 50 to 99 percent");
    }
    if !(1..=100).contains(&increment) {
        let message = if increment == 0 {
            "auto_extend_size_increment is missing".to_owned()
        } else {
            format!("the volume cannot grow by {increment} GB at once")
        };
        report(message, increment_span.or(any), "the increment is 1 to 100 GB");
    }
    if limit != 0 && !(1..=500).contains(&limit) {
        let message = format!("the volume cannot grow to {limit} GB");
        report(message, limit_span.or(any), "the limit is 1 to 500 GB");
    }
}
