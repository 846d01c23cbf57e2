//! A deploy request as people write it, checked as a whole: every mistake is reported, not only the first.
//!
//! Regions, sizes and image references are checked against data and grammar, not against a frozen list of choices. Must
//! not know: files, HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::image::ImageReference;
use crate::region;
use crate::size::Size;
use crate::wire::RegionList;
use crate::{AppName, RegionCode};

/// A bound against slips of the finger; the platform publishes none.
pub const MOST_MIN_MACHINES: u64 = 1000;

/// What to deploy where.
// Made by `from_json` only, so it is always valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Deploy request")]
pub struct DeployRequest {
    /// Name of the app.
    #[schemars(with = "String", regex(pattern = r"^[a-z0-9-]{1,63}$"))]
    app_name: AppName,
    /// Regions, each once, in order of preference.
    #[schemars(with = "Vec<String>", length(min = 1), inner(regex(pattern = r"^[a-z]{3}$")), extend("uniqueItems" = true))]
    regions: Vec<RegionCode>,
    /// Image reference: any registry, with a tag, a digest, both or neither.
    #[schemars(with = "String", length(min = 1))]
    #[serde(serialize_with = "as_text")]
    image: ImageReference,
    /// Preset size. Without it, the smallest: shared-cpu-1x.
    #[schemars(with = "Option<String>", extend("examples" = ["shared-cpu-1x", "performance-2x"]))]
    #[serde(serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
    vm_size: Option<Size>,
    /// Memory in MB instead of the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 256))]
    memory_mb: Option<u32>,
    /// How many Machines stay running in the primary region.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    min_machines: Option<u32>,
}

fn as_text<T: fmt::Display, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

#[expect(clippy::ref_option, reason = "the shape that the derive asks for")]
fn as_optional_text<S: serde::Serializer>(value: &Option<Size>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(size) => to.collect_str(&size.preset().unwrap_or_else(|| size.to_string())),
        None => to.serialize_none(),
    }
}

/// Every mistake of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployErrors(pub Vec<DeployError>);

/// One mistake: where, what was found, which rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployError {
    /// Path of the field, e.g. `regions[1]`.
    pub at: String,
    /// The value as given, in JSON; none when the field is missing.
    pub value: Option<String>,
    /// The rule, as a phrase.
    pub rule: String,
}

impl fmt::Display for DeployError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} {value}: {}", self.at, self.rule),
            None => write!(f, "{}: {}", self.at, self.rule),
        }
    }
}

impl fmt::Display for DeployErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "the deploy request has {} mistakes: {}", lines.len(), lines.join("; "))
    }
}

impl std::error::Error for DeployErrors {}

/// The regions that a request may name, with their date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCatalog {
    /// When the list was true, for messages.
    pub as_of: String,
    current: Vec<String>,
    /// Withdrawn regions and where to go instead, when that is known.
    withdrawn: BTreeMap<String, Option<String>>,
}

impl RegionCatalog {
    /// The embedded list.
    pub fn embedded() -> Self {
        let suggested = |info: &region::RegionInfo| info.deprecated.map(|d| d.suggested.to_owned());
        Self {
            as_of: region::AS_OF.to_owned(),
            current: region::CURRENT.iter().map(|info| info.code.to_owned()).collect(),
            withdrawn: region::WITHDRAWN
                .iter()
                .map(|info| (info.code.to_owned(), suggested(info)))
                .collect(),
        }
    }

    /// What the platform answers now.
    pub fn from_answer(list: &RegionList, as_of: impl Into<String>) -> Self {
        let mut catalog =
            Self { as_of: as_of.into(), current: Vec::new(), withdrawn: BTreeMap::new() };
        for row in list.regions() {
            let code = row.code.as_str().to_owned();
            if row.deprecated.copied() == Some(true) {
                let known = region::find(&code).and_then(|info| info.deprecated);
                catalog.withdrawn.insert(code, known.map(|known| known.suggested.to_owned()));
            } else {
                catalog.current.push(code);
            }
        }
        catalog
    }

    fn check(&self, code: &RegionCode) -> Result<(), String> {
        if self.current.iter().any(|current| current == code.as_str()) {
            return Ok(());
        }
        Err(match self.withdrawn.get(code.as_str()) {
            Some(Some(instead)) => {
                format!("the region was withdrawn; the nearest one is {instead}")
            }
            Some(None) => "the region was withdrawn".to_owned(),
            None => format!(
                "there is no such region; as of {} there are {}",
                self.as_of,
                self.current.join(", ")
            ),
        })
    }
}

const FIELDS: [&str; 6] = ["app_name", "regions", "image", "vm_size", "memory_mb", "min_machines"];

impl DeployRequest {
    /// Reads and checks a request. Reports every mistake at once.
    pub fn from_json(value: &Value, regions: &RegionCatalog) -> Result<Self, DeployErrors> {
        let Value::Object(object) = value else {
            return Err(DeployErrors(vec![mistake(
                "request",
                Some(value),
                "it must be a JSON object",
            )]));
        };
        let mut reader = Reader { object, errors: Vec::new() };
        reader.unknown_fields();
        let app_name = reader.parsed::<AppName>("app_name", true);
        let regions = reader.regions(regions);
        let image = reader.parsed::<ImageReference>("image", true);
        let vm_size = reader.parsed::<Size>("vm_size", false);
        let memory_mb = reader.number("memory_mb", u64::from(u32::MAX));
        let min_machines = reader.number("min_machines", MOST_MIN_MACHINES);
        if let Some(memory) = memory_mb {
            reader.memory(vm_size.as_ref(), memory);
        }
        match (app_name, image) {
            (Some(app_name), Some(image)) if reader.errors.is_empty() => {
                Ok(Self { app_name, regions, image, vm_size, memory_mb, min_machines })
            }
            _ => Err(DeployErrors(reader.errors)),
        }
    }

    /// Name of the app.
    pub fn app_name(&self) -> &AppName {
        &self.app_name
    }

    /// Regions, in order of preference; at least one.
    pub fn regions(&self) -> &[RegionCode] {
        &self.regions
    }

    /// The image.
    pub fn image(&self) -> &ImageReference {
        &self.image
    }

    /// The size with its memory; without one given, the smallest preset.
    pub fn size(&self) -> Size {
        let size = self.vm_size.clone().unwrap_or_else(Size::smallest);
        // Checked when the request was made.
        self.memory_mb.and_then(|memory| size.with_memory_mb(memory).ok()).unwrap_or(size)
    }

    /// How many Machines stay running in the primary region, when given.
    pub fn min_machines(&self) -> Option<u32> {
        self.min_machines
    }

    /// The JSON Schema of a request, as committed in `schemas/deploy-request.schema.json`.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    }
}

struct Reader<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<DeployError>,
}

fn mistake(at: &str, value: Option<&Value>, rule: impl Into<String>) -> DeployError {
    let shown = value.map(|value| {
        let text = value.to_string();
        if text.chars().count() > 80 {
            text.chars().take(80).collect::<String>() + "…"
        } else {
            text
        }
    });
    DeployError { at: at.to_owned(), value: shown, rule: rule.into() }
}

impl Reader<'_> {
    fn report(&mut self, at: &str, value: Option<&Value>, rule: impl Into<String>) {
        self.errors.push(mistake(at, value, rule));
    }

    fn unknown_fields(&mut self) {
        let unknown: Vec<&String> =
            self.object.keys().filter(|key| !FIELDS.contains(&key.as_str())).collect();
        for key in unknown {
            let rule = match key.as_str() {
                "name" | "app" => {
                    "there is no such field; the app's name goes into app_name".to_owned()
                }
                "region" => "there is no such field; regions takes a list".to_owned(),
                "size" | "vm" => "there is no such field; the size goes into vm_size".to_owned(),
                _ => format!("there is no such field; the fields are {}", FIELDS.join(", ")),
            };
            self.report(key, None, rule);
        }
    }

    fn present(&mut self, key: &str, required: bool) -> Option<&'_ Value> {
        let object = self.object;
        match object.get(key) {
            Some(value) if !value.is_null() => Some(value),
            _ => {
                if required {
                    self.report(key, None, "it is required");
                }
                None
            }
        }
    }

    fn parsed<T>(&mut self, key: &str, required: bool) -> Option<T>
    where
        T: FromStr,
        T::Err: Rule,
    {
        let value = self.present(key, required)?.clone();
        match value.as_str().map(T::from_str) {
            Some(Ok(parsed)) => Some(parsed),
            Some(Err(error)) => {
                self.report(key, Some(&value), error.rule());
                None
            }
            None => {
                self.report(key, Some(&value), "it must be a text");
                None
            }
        }
    }

    fn number(&mut self, key: &str, most: u64) -> Option<u32> {
        let value = self.present(key, false)?.clone();
        let number = value.as_u64().filter(|number| *number <= most);
        let number = number.and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            let rule = format!("it must be a whole number from 0 to {most}");
            self.report(key, Some(&value), rule);
        }
        number
    }

    fn memory(&mut self, size: Option<&Size>, memory: u32) {
        let base = size.cloned().unwrap_or_else(Size::smallest);
        if let Err(error) = base.with_memory_mb(memory) {
            self.report("memory_mb", Some(&Value::from(memory)), error.rule);
        }
    }

    fn regions(&mut self, catalog: &RegionCatalog) -> Vec<RegionCode> {
        let Some(value) = self.present("regions", true).cloned() else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.report("regions", Some(&value), "it must be a list of region codes");
            return Vec::new();
        };
        if items.is_empty() {
            self.report("regions", Some(&value), "it must name at least one region");
        }
        let mut codes: Vec<RegionCode> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("regions[{index}]");
            let code = match item.as_str().map(RegionCode::from_str) {
                Some(Ok(code)) => code,
                Some(Err(error)) => {
                    self.report(&at, Some(item), error.rule);
                    continue;
                }
                None => {
                    self.report(&at, Some(item), "it must be a text");
                    continue;
                }
            };
            if let Err(rule) = catalog.check(&code) {
                self.report(&at, Some(item), rule);
            } else if codes.contains(&code) {
                self.report(&at, Some(item), "it is named twice");
            } else {
                codes.push(code);
            }
        }
        codes
    }
}

/// The rule that a parse error names.
trait Rule {
    fn rule(&self) -> String;
}

impl Rule for crate::IdError {
    fn rule(&self) -> String {
        self.rule.to_owned()
    }
}

impl Rule for crate::image::ImageReferenceError {
    fn rule(&self) -> String {
        self.rule.to_owned()
    }
}

impl Rule for crate::size::SizeError {
    fn rule(&self) -> String {
        self.rule.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: &Value) -> Result<DeployRequest, Vec<String>> {
        DeployRequest::from_json(value, &RegionCatalog::embedded())
            .map_err(|errors| errors.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_good_request() {
        let digest = format!("registry.fly.io/shop@sha256:{}", "0".repeat(64));
        let value = json!({
            "app_name": "shop", "regions": ["arn", "jnb"], "image": digest, "vm_size": "performance-4x",
            "memory_mb": 16384, "min_machines": 40,
        });
        let request = check(&value).unwrap();
        assert_eq!(request.size().memory_mb(), 16_384);
        assert_eq!(request.regions().len(), 2);
        assert_eq!(serde_json::to_value(&request).unwrap(), value);
        let least =
            check(&json!({"app_name": "a", "regions": ["iad"], "image": "nginx:alpine"})).unwrap();
        assert_eq!(least.size().to_string(), "shared-cpu-1x");
    }

    #[test]
    fn every_mistake_at_once() {
        let errors = check(&json!({
            "app_name": "My_App", "regions": ["yul", "mars", "xyz", "fra", "fra", 7], "image": "nginx:",
            "vm_size": "shared-cpu-3x", "memory_mb": -1, "min_machines": 5000, "region": "fra",
        }))
        .unwrap_err();
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn missing_fields_wrong_types_and_memory_beyond_the_size() {
        let errors = check(&json!({"regions": [], "image": 5, "memory_mb": 4096})).unwrap_err();
        insta::assert_snapshot!(errors.join("\n"));
        assert_eq!(check(&json!([])).unwrap_err(), ["request []: it must be a JSON object"]);
    }

    #[test]
    fn the_platforms_own_list_wins_when_it_is_at_hand() {
        let list: RegionList = serde_json::from_value(
            json!({"Regions": [{"code": "xyz"}, {"code": "fra", "deprecated": true}]}),
        )
        .unwrap();
        let catalog = RegionCatalog::from_answer(&list, "2026-11-01");
        let value = |region: &str| json!({"app_name": "a", "regions": [region], "image": "x"});
        assert!(DeployRequest::from_json(&value("xyz"), &catalog).is_ok());
        let error = DeployRequest::from_json(&value("fra"), &catalog).unwrap_err();
        assert!(error.to_string().contains("withdrawn"), "{error}");
        let error = DeployRequest::from_json(&value("iad"), &catalog).unwrap_err();
        assert!(error.to_string().contains("as of 2026-11-01 there are xyz"), "{error}");
    }

    #[test]
    fn the_committed_schema_is_current() {
        let committed = include_str!("../../../schemas/deploy-request.schema.json");
        assert_eq!(
            DeployRequest::schema(),
            committed,
            "run `cargo xtask gen` and commit the result"
        );
    }
}
