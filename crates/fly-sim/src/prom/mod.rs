//! Metrics: Prometheus' HTTP interface over the series of a world, with a small part of its query language.
//!
//! `parse` reads expressions, `eval` computes them, `series` knows the samples. The names are the platform's; values a
//! world does not give follow from its Machines and volumes.

mod eval;
mod parse;
pub(crate) mod series;
pub(crate) mod value;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::server::auth;
use crate::server::http::{Answer, Reply, parse_query};
use crate::server::routes::Call;
use series::{Series, all};
use value::{Labels, Vector};

/// More points than this are refused, as Prometheus does.
const MOST_POINTS: i64 = 11_000;

/// Parameters come in the query or in a form.
fn parameter(call: &Call<'_>, name: &str) -> Option<String> {
    let form = parse_query(&String::from_utf8_lossy(&call.request.body));
    let sent = call.request.query(name).map(str::to_owned);
    sent.or_else(|| form.into_iter().find(|(key, _)| key == name).map(|(_, value)| value))
}

fn parameters(call: &Call<'_>, name: &str) -> Vec<String> {
    let form = parse_query(&String::from_utf8_lossy(&call.request.body));
    let form = form.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    call.request.query_all(name).map(str::to_owned).chain(form).collect()
}

fn bad(message: impl Into<String>) -> Reply {
    let text: String = message.into();
    Reply::json(json!({ "status": "error", "errorType": "bad_data", "error": text }))
        .with_status(422)
}

/// The series of the organization of the path, for callers that may see it.
fn known(call: &Call<'_>) -> Result<Vec<Series>, Reply> {
    let Some(org) = call.state.org(call.request.param("org")) else {
        return Err(Reply::text(404, "organization not found\n"));
    };
    if !call.caller.may_see_org(&org.slug) {
        return Err(auth::forbidden());
    }
    Ok(all(call.state, &org.slug))
}

/// Unix seconds with a fraction, RFC 3339, or a duration before now.
fn moment(text: &str, now: Timestamp) -> Result<f64, Reply> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(seconds);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(value::seconds(at));
    }
    let back = text.strip_prefix("now").unwrap_or(text).trim_start_matches('-');
    match parse::duration(back) {
        Some(back) => Ok(value::seconds(now) - back),
        None if back.is_empty() => Ok(value::seconds(now)),
        None => Err(bad(format!("cannot parse time {text:?}"))),
    }
}

pub(crate) fn query(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    let now = call.state.now;
    let text = parameter(call, "query").ok_or_else(|| bad("missing `query` arg"))?;
    let at = match parameter(call, "time") {
        Some(text) => moment(&text, now)?,
        None => value::seconds(now),
    };
    let expression = parse::parse(&text).map_err(bad)?;
    let result = match eval::at(&expression, &series, at).map_err(bad)? {
        value::Outcome::Scalar(number) => json!([sample(&Labels::default(), at, number)]),
        value::Outcome::Vector(vector) => {
            vector.iter().map(|(labels, number)| sample(labels, at, *number)).collect::<Value>()
        }
        value::Outcome::Range(ranges) => {
            let result: Vec<Value> = ranges.iter().map(|(l, points)| matrix(l, points)).collect();
            return Ok(success("matrix", &json!(result)));
        }
    };
    Ok(success("vector", &result))
}

pub(crate) fn query_range(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    let now = call.state.now;
    let text = parameter(call, "query").ok_or_else(|| bad("missing `query` arg"))?;
    let time =
        |name: &str, or: f64| parameter(call, name).map_or(Ok(or), |text| moment(&text, now));
    let end = time("end", value::seconds(now))?;
    let start = time("start", end - 300.0)?;
    let step = match parameter(call, "step") {
        Some(text) => match text.parse().ok().or_else(|| parse::duration(&text)) {
            Some(step) if step > 0.0 => step,
            _ => return Err(bad(format!("cannot parse step {text:?}"))),
        },
        None => 300.0,
    };
    if end < start {
        return Err(bad("end timestamp must not be before start time"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a count of steps; too large ones are refused"
    )]
    let points = ((end - start) / step) as i64 + 1;
    if points > MOST_POINTS {
        return Err(bad("exceeded maximum resolution of 11,000 points per timeseries"));
    }
    let expression = parse::parse(&text).map_err(bad)?;
    let mut found = std::collections::BTreeMap::<Labels, Vec<(f64, f64)>>::new();
    let mut at = start;
    for _ in 0..points {
        let vector: Vector = match eval::at(&expression, &series, at).map_err(bad)? {
            value::Outcome::Scalar(number) => vec![(Labels::default(), number)],
            value::Outcome::Vector(vector) => vector,
            value::Outcome::Range(_) => return Err(bad("a range vector has no single value")),
        };
        for (labels, number) in vector {
            found.entry(labels).or_default().push((at, number));
        }
        at += step;
    }
    let result: Vec<Value> = found.iter().map(|(l, points)| matrix(l, points)).collect();
    Ok(success("matrix", &json!(result)))
}

pub(crate) fn series(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    let wanted = parameters(call, "match[]");
    if wanted.is_empty() {
        return Err(bad("missing `match[]` arg"));
    }
    let found = matching(&series, &wanted)?;
    Ok(list(&found.iter().map(|series| json!(series.labels.0)).collect::<Vec<_>>()))
}

fn matching<'s>(series: &'s [Series], wanted: &[String]) -> Result<Vec<&'s Series>, Reply> {
    let mut selectors = Vec::new();
    for text in wanted {
        selectors.push(parse::selector(text).map_err(bad)?);
    }
    let fits = |series: &&Series| {
        selectors.is_empty() || selectors.iter().any(|selector| selector.fits(&series.labels))
    };
    Ok(series.iter().filter(fits).collect())
}

pub(crate) fn labels(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    let found = matching(&series, &parameters(call, "match[]"))?;
    let names: std::collections::BTreeSet<&String> =
        found.iter().flat_map(|series| series.labels.0.keys()).collect();
    Ok(list(&names.into_iter().map(|name| json!(name)).collect::<Vec<_>>()))
}

pub(crate) fn label_values(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    let name = call.request.param("label");
    let found = matching(&series, &parameters(call, "match[]"))?;
    let values: std::collections::BTreeSet<&String> =
        found.iter().filter_map(|series| series.labels.0.get(name)).collect();
    Ok(list(&values.into_iter().map(|value| json!(value)).collect::<Vec<_>>()))
}

/// `/federate`: the text format, newest sample of each.
pub(crate) fn federate(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    let at = value::seconds(call.state.now);
    let mut text = String::new();
    for series in matching(&series, &parameters(call, "match[]"))? {
        let Some(number) = series.at(at) else { continue };
        let inner: Vec<String> = series
            .labels
            .0
            .iter()
            .filter(|(name, _)| *name != "__name__")
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        let name = series.labels.0.get("__name__").map_or("", String::as_str);
        let millis = call.state.now.as_millisecond();
        let (labels, number, millis) = (inner.join(","), number.to_string(), millis.to_string());
        text += &[name, "{", &labels, "} ", &number, " ", &millis, "\n"].concat();
    }
    Ok(Reply::text(200, text))
}

pub(crate) fn tsdb(call: &mut Call<'_>) -> Answer {
    let series = known(call)?;
    Ok(Reply::json(json!({ "status": "success", "data": { "totalSeries": series.len() } })))
}

fn sample(labels: &Labels, at: f64, number: f64) -> Value {
    json!({ "metric": labels.0, "value": [at, value::text(number)] })
}

fn matrix(labels: &Labels, points: &[(f64, f64)]) -> Value {
    let values: Vec<Value> =
        points.iter().map(|(at, number)| json!([at, value::text(*number)])).collect();
    json!({ "metric": labels.0, "values": values })
}

fn list(items: &[Value]) -> Reply {
    Reply::json(json!({ "status": "success", "isPartial": false, "data": items }))
}

fn success(kind: &str, result: &Value) -> Reply {
    Reply::json(json!({
        "status": "success", "isPartial": false,
        "data": { "resultType": kind, "result": result },
    }))
}
