//! The schema of fly.toml: one typed model, read the way flyctl reads.
//!
//! Three steps, as in flyctl: [`patch`](mod@patch) rewrites old spellings in the tree, [`read`](mod@read) makes typed
//! values of it, and [`Config`] holds them with their places. One module a family of sections; each section is declared
//! once and gives its struct, its reader, its list of keys and its JSON Schema. Must not know: rules about values.

mod build;
pub mod codes;
mod config;
mod cx;
pub mod go;
mod groups;
mod lists;
mod machine;
mod patch;
mod read;
mod scalars;
mod service;
mod services;
mod unknown;
mod values;

pub use build::{Build, Compose, Deploy};
pub use config::Config;
pub use cx::Cx;
pub use lists::OneOrMany;
pub(crate) use lists::union;
pub use machine::{
    Attached, AttachedSecrets, Experimental, File, Metrics, Mount, Restart, Static, Vm,
};
pub use patch::patch;
pub use read::{KeyInfo, Located, Read, Section};
pub(crate) use read::{object, section};
pub use service::{
    Check, Concurrency, HttpCheck, HttpOptions, HttpResponse, HttpService, MachineCheck, Port,
    ProxyProtoOptions, ReplayCache, Service, TcpCheck, TlsOptions,
};
pub use services::AnyService;
pub use values::{Autostop, Free, LooseInt, Memory, PersistRootfs, Time, VolumeSize};

use std::collections::HashSet;

use crate::diag::Diagnostic;
use crate::document::Document;
use crate::span::Span;
use crate::syntax::{Kind, Value};

/// Reads a document into the typed model. The model holds whatever could be read; the diagnostics name the rest.
pub fn load(document: &Document, allowed: &[String]) -> (Config, Vec<Diagnostic>) {
    let mut cx = Cx::new(document.text(), allowed);
    patch::finite(document.root(), &mut cx);
    for entry in document.root().entries() {
        if !patch::is_known(&entry.key.name) {
            cx.unknown(entry, Config::KEYS);
        }
    }
    let root = patch(document.root(), &mut cx);
    let root = Value { kind: Kind::Table(root), span: Span::at(0) };
    let config = Config::read(&root, &mut cx).unwrap_or_default();
    let mut diagnostics = cx.diagnostics;
    // Sections that stand twice in different capitals are read twice.
    let mut seen = HashSet::new();
    diagnostics.retain(|found| seen.insert((found.code.id, found.span(), found.message.clone())));
    (config, diagnostics)
}

/// The JSON Schema of the file format, for editors.
pub fn json_schema() -> String {
    let mut schema = Config::schema();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        schema.insert("title".to_owned(), "fly.toml".into());
        let about = "Configuration of an app on Fly.io, as flyctl reads it; old spellings included where they still work.";
        schema.insert("description".to_owned(), about.into());
    }
    patch::extend_schema(&mut schema);
    let mut text = serde_json::to_string_pretty(&sorted(schema)).unwrap_or_default();
    text.push('\n');
    text
}

/// Keys in alphabetical order, so that the text does not depend on how `serde_json` was built.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.into_iter().collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}
