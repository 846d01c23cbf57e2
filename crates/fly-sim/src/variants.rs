//! Which of the documented shapes the Machines API answers in. Everything that the references only infer, or that
//! changed over time, is a knob here, so that a client is tested with each value.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::server::http::{Body, Reply};
use crate::state::ids::mix;

/// Shapes of answers. The default is what the live service is known to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Variants {
    /// `platform/regions` and `placements` in snake_case, as the OpenAPI document says, instead of `Regions`.
    pub snake_case_platform: bool,
    /// Lease answers without the `{status, data}` envelope, as recorded in 2023.
    /// For clients of our own: flyctl v0.4.87 panics on it when it takes a lease.
    pub flat_lease: bool,
    /// `services[].autostop` as `"off"`, `"stop"` instead of false, true.
    pub autostop_text: bool,
    /// Optional fields that are null, false or empty are left out.
    pub omit_empty: bool,
    /// Values outside the known enums: `host_status`, check status, volume type.
    pub unknown_enums: bool,
    /// Fields that nobody has heard of, in every object.
    pub extra_fields: bool,
    /// Errors as `{message}` instead of `{error}`, as older handlers send them.
    pub message_errors: bool,
    /// A 429 carries `Retry-After: 1`.
    pub retry_after: bool,
    /// Lists leave out a Machine for two seconds after its creation.
    pub list_lag: bool,
    /// A Machine answers 404 for one second after its creation.
    pub missing_after_create: bool,
}

/// Delays until a new Machine is seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lags {
    pub(crate) list: SignedDuration,
    pub(crate) get: SignedDuration,
}

impl Variants {
    /// A selection that depends on the seed only. Seed 0 is the default.
    pub fn from_seed(seed: u64) -> Self {
        if seed == 0 {
            return Self::default();
        }
        Self::from_bits(mix(seed))
    }

    /// How many combinations of the knobs there are.
    pub const COMBINATIONS: u64 = 1 << 10;

    /// One combination of the knobs; all of them are [`Self::COMBINATIONS`] in number, 0 the default.
    pub fn from_bits(bits: u64) -> Self {
        let bit = |n: u32| bits >> n & 1 == 1;
        Self {
            snake_case_platform: bit(0),
            flat_lease: bit(1),
            autostop_text: bit(2),
            omit_empty: bit(3),
            unknown_enums: bit(4),
            extra_fields: bit(5),
            message_errors: bit(6),
            retry_after: bit(7),
            list_lag: bit(8),
            missing_after_create: bit(9),
        }
    }

    /// How long a new Machine is missing from lists, and from everywhere.
    pub(crate) fn lags(self) -> Lags {
        let seconds = |on: bool, seconds| SignedDuration::from_secs(if on { seconds } else { 0 });
        Lags { list: seconds(self.list_lag, 2), get: seconds(self.missing_after_create, 1) }
    }

    pub(crate) fn rate_limited(self, reply: Reply) -> Reply {
        if self.retry_after { reply.with_header("retry-after", "1") } else { reply }
    }

    pub(crate) fn shape(self, pattern: &str, mut reply: Reply) -> Reply {
        if self == Self::default() {
            return reply;
        }
        let Body::Json(value) = &mut reply.body else { return reply };
        if self.message_errors && reply.status.as_u16() >= 400 {
            if let Some(object) = value.as_object_mut()
                && let Some(error) = object.remove("error")
            {
                object.insert("message".to_owned(), error);
            }
            return reply;
        }
        if self.flat_lease
            && pattern.ends_with("/lease")
            && let Some(data) = value.get_mut("data").map(Value::take)
        {
            *value = data;
        }
        if self.snake_case_platform && pattern.starts_with("/v1/platform/") {
            snake_case(value);
        }
        self.walk(value);
        reply
    }

    fn walk(self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(object) => self.object(object),
            _ => {}
        }
    }

    fn object(self, object: &mut Map<String, Value>) {
        for (key, value) in object.iter_mut() {
            // What people wrote is not the platform's to change.
            if !matches!(key.as_str(), "metadata" | "env" | "labels") {
                self.walk(value);
            }
            if self.autostop_text && key == "autostop" {
                match value.as_bool() {
                    Some(true) => *value = "stop".into(),
                    Some(false) => *value = "off".into(),
                    None => {}
                }
            }
            if self.unknown_enums {
                let unknown = match (key.as_str(), value.as_str()) {
                    ("geo_region", _) => Some("antarctica"),
                    ("type", Some("local")) => Some("remote"),
                    ("source", Some("flyd")) => Some("flyd2"),
                    _ => None,
                };
                if let Some(unknown) = unknown {
                    *value = unknown.into();
                }
            }
        }
        if self.omit_empty {
            object.retain(|key, value| {
                matches!(key.as_str(), "config" | "message")
                    || !(value.is_null()
                        || *value == Value::Bool(false)
                        || value.as_array().is_some_and(Vec::is_empty)
                        || value.as_str() == Some(""))
            });
        }
        if self.extra_fields {
            object.insert("zz_new_field".to_owned(), serde_json::json!({ "added": ["later"] }));
        }
    }
}

fn snake_case(value: &mut Value) {
    if let Value::Object(object) = value {
        let old = std::mem::take(object);
        for (key, mut value) in old {
            if let Value::Array(items) = &mut value {
                items.iter_mut().for_each(snake_case);
            }
            object.insert(key.to_lowercase(), value);
        }
    }
}
