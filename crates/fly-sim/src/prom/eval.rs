//! Computes an expression at one moment.

use std::collections::BTreeMap;

use super::parse::{Expr, Matching};
use super::series::Series;
use super::value::{Labels, Outcome, Vector};

pub(crate) fn at(expr: &Expr, series: &[Series], now: f64) -> Result<Outcome, String> {
    Ok(match expr {
        Expr::Number(number) => Outcome::Scalar(*number),
        Expr::Text => return Err("a text has no value".to_owned()),
        Expr::Negate(inner) => map(at(inner, series, now)?, |number| -number)?,
        Expr::Select { selector, range, offset } => {
            let found = series.iter().filter(|series| selector.fits(&series.labels));
            let now = now - offset;
            match range {
                None => Outcome::Vector(
                    found.filter_map(|s| Some((s.labels.clone(), s.at(now)?))).collect(),
                ),
                Some(range) => Outcome::Range(
                    found
                        .map(|s| (s.labels.clone(), s.window(now, *range)))
                        .filter(|(_, points)| !points.is_empty())
                        .collect(),
                ),
            }
        }
        Expr::Aggregate { name, args, labels, without } => {
            aggregate(name, args, (labels, *without), series, now)?
        }
        Expr::Call { name, args } => call(name, args, series, now)?,
        Expr::Binary { op, left, right, matching } => {
            binary(op, at(left, series, now)?, at(right, series, now)?, matching)?
        }
    })
}

fn map(outcome: Outcome, change: impl Fn(f64) -> f64) -> Result<Outcome, String> {
    Ok(match outcome {
        Outcome::Scalar(number) => Outcome::Scalar(change(number)),
        Outcome::Vector(vector) => Outcome::Vector(
            vector.into_iter().map(|(l, number)| (l.without_name(), change(number))).collect(),
        ),
        Outcome::Range(_) => return Err("a range vector is only taken by functions".to_owned()),
    })
}

fn vector(outcome: Outcome) -> Result<Vector, String> {
    match outcome {
        Outcome::Vector(vector) => Ok(vector),
        Outcome::Scalar(number) => Ok(vec![(Labels::default(), number)]),
        Outcome::Range(_) => Err("expected an instant vector".to_owned()),
    }
}

fn number(expr: Option<&Expr>, series: &[Series], now: f64) -> Result<f64, String> {
    match at(expr.ok_or("missing an argument")?, series, now)? {
        Outcome::Scalar(number) => Ok(number),
        _ => Err("expected a number".to_owned()),
    }
}

fn aggregate(
    name: &str,
    args: &[Expr],
    (labels, without): (&[String], bool),
    series: &[Series],
    now: f64,
) -> Result<Outcome, String> {
    let last = args.last().ok_or_else(|| format!("{name} needs an argument"))?;
    let parameter = match name {
        "topk" | "bottomk" | "quantile" => number(args.first(), series, now)?,
        _ => 0.0,
    };
    let mut groups: BTreeMap<Labels, Vector> = BTreeMap::new();
    for (own, number) in vector(at(last, series, now)?)? {
        groups.entry(own.grouped(labels, without)).or_default().push((own, number));
    }
    let mut out = Vec::new();
    for (group, mut members) in groups {
        if matches!(name, "topk" | "bottomk") {
            members.sort_by(|a, b| a.1.total_cmp(&b.1));
            if name == "topk" {
                members.reverse();
            }
            let kept = members.into_iter().enumerate();
            out.extend(kept.filter(|(n, _)| below(*n, parameter)).map(|(_, member)| member));
            continue;
        }
        let numbers: Vec<f64> = members.iter().map(|(_, number)| *number).collect();
        out.push((group, fold(name, &numbers, parameter)));
    }
    Ok(Outcome::Vector(out))
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn below(n: usize, limit: f64) -> bool {
    (n as f64) < limit
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn fold(name: &str, numbers: &[f64], parameter: f64) -> f64 {
    let sum: f64 = numbers.iter().sum();
    match name {
        "min" => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "avg" => sum / numbers.len() as f64,
        "count" => numbers.len() as f64,
        "quantile" => quantile(numbers, parameter),
        "last" => numbers.last().copied().unwrap_or(f64::NAN),
        _ => sum,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a short list"
)]
fn quantile(numbers: &[f64], q: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return f64::NAN;
    }
    let rank = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (low, high) = (rank.floor() as usize, rank.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (rank - rank.floor())
}

/// What a counter gained in a window, resets counted in.
fn gained(points: &[(f64, f64)]) -> f64 {
    points.windows(2).map(|p| if p[1].1 >= p[0].1 { p[1].1 - p[0].1 } else { p[1].1 }).sum()
}

fn over(name: &str, points: &[(f64, f64)], range: f64, parameter: f64) -> Option<f64> {
    let numbers: Vec<f64> = points.iter().map(|point| point.1).collect();
    let spans = points.last()?.0 - points.first()?.0;
    Some(match name {
        // Extrapolated to the window, as Prometheus does for a series that covers it.
        "rate" if spans > 0.0 => gained(points) / spans,
        "increase" if spans > 0.0 => gained(points) / spans * range,
        "irate" => {
            let last = points.get(points.len().checked_sub(2)?..)?;
            gained(last) / (last[1].0 - last[0].0)
        }
        "delta" => numbers.last()? - numbers.first()?,
        "deriv" if spans > 0.0 => (numbers.last()? - numbers.first()?) / spans,
        "quantile_over_time" => quantile(&numbers, parameter),
        name => match name.strip_suffix("_over_time")? {
            fold_name @ ("min" | "max" | "avg" | "sum" | "count" | "last") => {
                fold(fold_name, &numbers, 0.0)
            }
            _ => return None,
        },
    })
}

const OVER: [&str; 12] = [
    "rate",
    "increase",
    "irate",
    "delta",
    "deriv",
    "quantile_over_time",
    "min_over_time",
    "max_over_time",
    "avg_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
];

fn call(name: &str, args: &[Expr], series: &[Series], now: f64) -> Result<Outcome, String> {
    let argument = |n: usize| args.get(n).ok_or_else(|| format!("{name} needs more arguments"));
    if OVER.contains(&name) {
        let last = args.len().saturating_sub(1);
        let parameter =
            if name == "quantile_over_time" { number(args.first(), series, now)? } else { 0.0 };
        let Expr::Select { range: Some(range), .. } = argument(last)? else {
            return Err(format!("{name} needs a range vector"));
        };
        let Outcome::Range(found) = at(argument(last)?, series, now)? else {
            return Err(format!("{name} needs a range vector"));
        };
        let computed = found.iter().filter_map(|(labels, points)| {
            let keeps = matches!(name, "last_over_time");
            let labels = if keeps { labels.clone() } else { labels.without_name() };
            Some((labels, over(name, points, *range, parameter)?))
        });
        return Ok(Outcome::Vector(computed.collect()));
    }
    match name {
        "time" => Ok(Outcome::Scalar(now)),
        "vector" | "scalar" | "sort" | "sort_desc" => {
            let mut found = vector(at(argument(0)?, series, now)?)?;
            match name {
                "scalar" if found.len() == 1 => return Ok(Outcome::Scalar(found[0].1)),
                "scalar" => return Ok(Outcome::Scalar(f64::NAN)),
                "sort" => found.sort_by(|a, b| a.1.total_cmp(&b.1)),
                "sort_desc" => found.sort_by(|a, b| b.1.total_cmp(&a.1)),
                _ => {}
            }
            Ok(Outcome::Vector(found))
        }
        "absent" => {
            let none = vector(at(argument(0)?, series, now)?)?.is_empty();
            let found = none.then(|| (Labels::default(), 1.0));
            Ok(Outcome::Vector(found.into_iter().collect()))
        }
        "abs" => map(at(argument(0)?, series, now)?, f64::abs),
        "ceil" => map(at(argument(0)?, series, now)?, f64::ceil),
        "floor" => map(at(argument(0)?, series, now)?, f64::floor),
        "round" => map(at(argument(0)?, series, now)?, f64::round),
        "clamp_min" | "clamp_max" => {
            let limit = number(args.get(1), series, now)?;
            let least = name == "clamp_min";
            map(at(argument(0)?, series, now)?, |n| if least { n.max(limit) } else { n.min(limit) })
        }
        "histogram_quantile" => {
            let q = number(args.first(), series, now)?;
            Ok(Outcome::Vector(histogram(q, vector(at(argument(1)?, series, now)?)?)))
        }
        other => Err(format!("unknown function {other:?}")),
    }
}

/// Straight lines inside each bucket.
fn histogram(q: f64, buckets: Vector) -> Vector {
    let mut groups: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (labels, count) in buckets {
        let Some(le) = labels.0.get("le").and_then(|le| match le.as_str() {
            "+Inf" | "Inf" => Some(f64::INFINITY),
            text => text.parse().ok(),
        }) else {
            continue;
        };
        groups.entry(labels.grouped(&["le".to_owned()], true)).or_default().push((le, count));
    }
    let value = |mut buckets: Vec<(f64, f64)>| {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total = buckets.last().map_or(0.0, |bucket| bucket.1);
        let wanted = q * total;
        let place = buckets.iter().position(|bucket| bucket.1 >= wanted)?;
        let (from, below) = place.checked_sub(1).map_or((0.0, 0.0), |before| buckets[before]);
        let (to, count) = buckets[place];
        if to.is_infinite() || count <= below {
            return Some(from);
        }
        Some(from + (to - from) * (wanted - below) / (count - below))
    };
    groups.into_iter().filter_map(|(labels, buckets)| Some((labels, value(buckets)?))).collect()
}

fn operate(op: &str, left: f64, right: f64) -> f64 {
    match op {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => left % right,
    }
}

fn compare(op: &str, left: f64, right: f64) -> Option<bool> {
    #[expect(clippy::float_cmp, reason = "the language compares exactly")]
    Some(match op {
        "==" => left == right,
        "!=" => left != right,
        ">" => left > right,
        "<" => left < right,
        ">=" => left >= right,
        "<=" => left <= right,
        _ => return None,
    })
}

/// The number that stays, if any: comparison keeps the left side.
fn one(op: &str, left: f64, right: f64, bool_result: bool) -> Option<f64> {
    match compare(op, left, right) {
        None => Some(operate(op, left, right)),
        Some(holds) if bool_result => Some(f64::from(u8::from(holds))),
        Some(holds) => holds.then_some(left),
    }
}

fn binary(op: &str, left: Outcome, right: Outcome, matching: &Matching) -> Result<Outcome, String> {
    let flag = matching.bool_result;
    // Comparison without `bool` keeps the series as it is.
    let renamed = |labels: &Labels| {
        let keeps = compare(op, 0.0, 0.0).is_some() && !flag;
        if keeps { labels.clone() } else { labels.without_name() }
    };
    Ok(match (left, right) {
        (Outcome::Scalar(left), Outcome::Scalar(right)) => {
            Outcome::Scalar(match compare(op, left, right) {
                Some(holds) => f64::from(u8::from(holds)),
                None => operate(op, left, right),
            })
        }
        (Outcome::Vector(left), Outcome::Scalar(right)) => Outcome::Vector(
            left.into_iter()
                .filter_map(|(l, number)| Some((renamed(&l), one(op, number, right, flag)?)))
                .collect(),
        ),
        (Outcome::Scalar(left), Outcome::Vector(right)) => Outcome::Vector(
            right
                .into_iter()
                .filter_map(|(l, number)| {
                    // The series' own number stays, whichever side it is on.
                    let kept = one(op, left, number, flag)?;
                    let kept = if compare(op, 0.0, 0.0).is_some() && !flag { number } else { kept };
                    Some((renamed(&l), kept))
                })
                .collect(),
        ),
        (Outcome::Vector(left), Outcome::Vector(right)) => {
            Outcome::Vector(paired(op, left, right, matching)?)
        }
        _ => return Err("operators do not take range vectors".to_owned()),
    })
}

fn paired(op: &str, left: Vector, right: Vector, matching: &Matching) -> Result<Vector, String> {
    let key = |labels: &Labels| match &matching.labels {
        Some((on, names)) => labels.grouped(names, !on),
        None => labels.without_name(),
    };
    let mut known: BTreeMap<Labels, f64> = BTreeMap::new();
    for (labels, number) in &right {
        known.insert(key(labels), *number);
    }
    if !matching.many && matching.labels.is_some() && !matches!(op, "and" | "or" | "unless") {
        let mut seen = std::collections::BTreeSet::new();
        if !left.iter().all(|(labels, _)| seen.insert(key(labels))) {
            return Err("several series on the left match: use group_left".to_owned());
        }
    }
    let flag = matching.bool_result;
    let keeps = compare(op, 0.0, 0.0).is_some() && !flag;
    Ok(match op {
        "and" => left.into_iter().filter(|(l, _)| known.contains_key(&key(l))).collect(),
        "unless" => left.into_iter().filter(|(l, _)| !known.contains_key(&key(l))).collect(),
        "or" => {
            let own: std::collections::BTreeSet<Labels> =
                left.iter().map(|(l, _)| key(l)).collect();
            let others = right.into_iter().filter(|(labels, _)| !own.contains(&key(labels)));
            left.iter().cloned().chain(others).collect()
        }
        _ => left
            .into_iter()
            .filter_map(|(labels, number)| {
                let kept = one(op, number, *known.get(&key(&labels))?, flag)?;
                let shown = match (&matching.labels, matching.many) {
                    _ if keeps => labels,
                    (Some(_), false) => key(&labels),
                    _ => labels.without_name(),
                };
                Some((shown, kept))
            })
            .collect(),
    })
}
