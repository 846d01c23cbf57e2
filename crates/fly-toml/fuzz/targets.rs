//! What the fuzz targets do with their bytes. The tests run the same functions on generated input, so that they cannot rot.
//!
//! Each function panics when a promise is broken; otherwise it only has to come back.

use fly_toml::convert::{Inputs, Observed, from_machines, machine_config, release_config};
use fly_toml::edit::{self, Path};
use fly_toml::migrate::{MigrateOptions, migrate};
use fly_toml::overlay::overlay;
use fly_toml::{Document, Options, check, check_bytes, diff, format};

/// Reading, checking and formatting.
pub(crate) fn parse(bytes: &[u8]) {
    let report = check_bytes(bytes, &Options::default());
    let text = report.document.text();
    for diagnostic in &report.diagnostics {
        for label in &diagnostic.labels {
            assert!(text.get(label.span.start..label.span.end).is_some(), "{}", diagnostic.code.id);
        }
        for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(text.get(edit.span.start..edit.span.end).is_some(), "{}", diagnostic.code.id);
        }
    }
    if std::str::from_utf8(bytes).is_ok() && bytes.len() <= fly_toml::MAX_BYTES {
        assert_eq!(text.as_bytes(), bytes);
    }
    if let Ok(once) = format(&report.document) {
        assert_eq!(format(&Document::parse(once.as_str())), Ok(once));
    }
    if let Some(fixed) = report.fixed() {
        check(&fixed);
    }
}

/// Setting and unsetting: the first two lines are a path and a value, the rest is the file.
pub(crate) fn edit(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.splitn(3, '\n');
    let (Some(path), Some(value), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let Ok(path) = path.parse::<Path>() else { return };
    let document = Document::parse(file);
    if let Ok(set) = edit::set(&document, &path, value) {
        let set = Document::parse(set);
        assert!(set.mistakes().is_empty());
        assert!(edit::get(&set, &path).is_ok());
        if edit::get(&document, &path).is_err() {
            let _ = edit::unset(&set, &path);
        }
    }
    if let Ok(rest) = edit::unset(&document, &path) {
        assert!(Document::parse(rest).mistakes().is_empty());
    }
    let _ = edit::set_input(&document, &path, value);
}

/// Conversions in all directions.
pub(crate) fn convert(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let report = check(text);
    let config = &report.config;
    let mut machines = Vec::new();
    for group in config.groups().into_iter().take(8) {
        if let Ok(converted) = machine_config(config, group, &Inputs::default()) {
            machines.push(Observed {
                id: group.to_owned(),
                region: "ams".to_owned(),
                config: converted.config,
            });
        }
    }
    let _ = release_config(config, &Inputs::default());
    let made = from_machines("app", &machines);
    assert!(Document::parse(made.text).mistakes().is_empty());
    if let Ok(migrated) = migrate(&report.document, MigrateOptions { fold_http_service: true }) {
        let after = check(&migrated.text);
        assert!(after.document.mistakes().is_empty());
        assert!(diff::diff(config, config).is_empty());
    }
    let _ = overlay(&report.document, &Document::parse("app = \"another\"\n[env]\nA = \"1\"\n"));
    let _ = overlay(&Document::parse("app = \"another\"\n[env]\nA = \"1\"\n"), &report.document);
}
