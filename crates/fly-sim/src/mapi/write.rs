//! What the writing handlers share: refusals as answers, lease nonces, bodies as Go would read them.

use serde_json::Value;

use super::machine_not_found;
use crate::server::http::Reply;
use crate::server::routes::Call;
use crate::state::lifecycle::Platform;
use crate::state::refusal::Refusal;
use crate::state::{App, Machine, rfc3339};

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let text = match refusal.code.word() {
            Some(word) => format!("{word}: {}", refusal.text),
            None => refusal.text,
        };
        match refusal.word {
            Some(word) => Self::error_word(refusal.code.http(), text, word),
            None => Self::error(refusal.code.http(), text),
        }
    }
}

impl Call<'_> {
    /// The Machine of the path for a change, with the rest of its app. Its lease is checked.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Machine, &mut Platform<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Reply> {
        self.check_lease()?;
        let (app, id) = (self.request.param("app"), self.request.param("machine"));
        let (mut platform, apps) = self.state.parts();
        let machine = apps.get_mut(app).and_then(|app| app.machine_mut(id));
        Ok(change(machine.ok_or_else(machine_not_found)?, &mut platform)?)
    }

    /// A leased Machine changes only for the holder of the nonce, whoever asks.
    pub(crate) fn check_lease(&self) -> Result<(), Reply> {
        let machine = self.machine()?;
        let Some(lease) = machine.lease_at(self.state.now) else { return Ok(()) };
        if self.request.header("fly-machine-lease-nonce") == Some(lease.nonce.as_str()) {
            return Ok(());
        }
        Err(Reply::error(
            409,
            format!(
                "aborted: machine ID {} lease currently held by {}, expires at {}",
                machine.id,
                lease.owner,
                rfc3339(lease.expires)
            ),
        ))
    }

    pub(crate) fn app_mut(&mut self) -> Result<&mut App, Reply> {
        let name = self.request.param("app");
        self.state.apps.get_mut(name).ok_or_else(|| Reply::error(404, "app not found"))
    }
}

/// A text field: absent and null are the same.
pub(crate) fn text<'a>(body: &'a Value, key: &str) -> Result<Option<&'a str>, Reply> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(key, other, "string")),
    }
}

pub(crate) fn number(body: &Value, key: &str) -> Result<Option<i64>, Reply> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(key, value, "int")),
        },
    }
}

pub(crate) fn flag(body: &Value, key: &str) -> Result<Option<bool>, Reply> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(wrong_type(key, other, "bool")),
    }
}

pub(crate) fn wrong_type(key: &str, value: &Value, wanted: &str) -> Reply {
    let kind = match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    };
    Reply::error(
        400,
        format!("json: cannot unmarshal {kind} into Go struct field .{key} of type {wanted}"),
    )
}

/// A duration: Go text such as `10s`, or nanoseconds. A bare number in text is refused, as Go refuses it.
pub(crate) fn check_duration(body: &Value, key: &str) -> Result<(), Reply> {
    match body.get(key) {
        None | Some(Value::Null | Value::Number(_)) => Ok(()),
        Some(Value::String(text)) if text.is_empty() || text == "0" => Ok(()),
        Some(Value::String(text)) if crate::world::moment::duration(text).is_ok() => Ok(()),
        Some(Value::String(text)) => {
            Err(Reply::error(400, format!("time: missing unit in duration \"{text}\"")))
        }
        Some(other) => Err(wrong_type(key, other, "Duration")),
    }
}
