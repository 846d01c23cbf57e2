//! New apps: fly.toml and what belongs beside it, from templates that pass the lints of this crate.
//!
//! The shapes follow the reference architecture of this project: a web tier that is always warm, workers in an app of
//! their own, secrets outside the file, a development app beside the real one. Must not know: files, terminals.

mod config;
mod scripts;
mod setup;

use fly_types::AppName;

use crate::document::Document;
use crate::overlay;

/// What kind of app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// A web app in one region.
    Web,
    /// A background worker without a service.
    Worker,
    /// A web app in several regions.
    MultiRegionWeb,
    /// A web app with a Postgres database and migrations.
    PostgresWeb,
    /// Files served by the proxy.
    Static,
}

/// How development commands are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// `package.json`.
    Npm,
    /// `Makefile`.
    Make,
    /// `justfile`.
    Just,
}

/// What a template is filled with.
#[derive(Debug, Clone)]
pub struct Params {
    /// Name of the app.
    pub app: AppName,
    /// Region of the first Machines.
    pub region: String,
    /// Further regions, for [`Template::MultiRegionWeb`].
    pub more_regions: Vec<String>,
    /// Port on which the app listens.
    pub port: u16,
    /// Command of the worker, or of migrations.
    pub command: Option<String>,
    /// How development commands are written down.
    pub scripts: Scripts,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// A new app.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// Files, fly.toml first.
    pub files: Vec<NewFile>,
    /// Commands that make the app, in order; comments begin with `#`.
    pub setup: Vec<String>,
}

impl Template {
    /// All templates.
    pub const ALL: [Self; 5] =
        [Self::Web, Self::Worker, Self::MultiRegionWeb, Self::PostgresWeb, Self::Static];

    fn has_service(self) -> bool {
        self != Self::Worker
    }
}

/// Fills a template.
pub fn new_app(template: Template, params: &Params) -> NewApp {
    let config = config::base(template, params);
    let development = config::development(template, params);
    let (base, over) = (Document::parse(config.as_str()), Document::parse(development));
    let mut files = vec![NewFile { name: "fly.toml", text: config }];
    // Both come from here, so they fit; a test lays every template over.
    if let Ok(merged) = overlay::overlay(&base, &over) {
        files.push(NewFile { name: "fly.dev.toml", text: merged.text });
    }
    files.push(NewFile { name: ".env.example", text: setup::env_example(template, params) });
    files.push(scripts::file(template, params));
    NewApp { files, setup: setup::commands(template, params) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(scripts: Scripts) -> Params {
        Params {
            app: "shop".parse().unwrap(),
            region: "iad".to_owned(),
            more_regions: vec!["lhr".to_owned(), "nrt".to_owned()],
            port: 3000,
            command: None,
            scripts,
        }
    }

    #[test]
    fn every_template_passes_the_lints() {
        for template in Template::ALL {
            let app = new_app(template, &params(Scripts::Npm));
            let names: Vec<&str> = app.files.iter().map(|file| file.name).collect();
            assert_eq!(names, ["fly.toml", "fly.dev.toml", ".env.example", "package.json"]);
            for file in &app.files[..2] {
                let report = crate::check(&file.text);
                let found: Vec<_> = report.diagnostics.iter().map(|it| it.code.id).collect();
                assert_eq!(found, Vec::<&str>::new(), "{template:?} {}:\n{}", file.name, file.text);
                let formatted = crate::format(&report.document).unwrap();
                assert_eq!(formatted, file.text, "{template:?} {}", file.name);
            }
            let apps: Vec<_> = app.files[..2]
                .iter()
                .map(|file| crate::check(&file.text).config.app.unwrap().value)
                .collect();
            assert_eq!(apps, ["shop", "shop-dev"]);
        }
    }

    #[test]
    fn each_kind_of_scripts_says_the_same() {
        for (scripts, name) in [
            (Scripts::Npm, "package.json"),
            (Scripts::Make, "Makefile"),
            (Scripts::Just, "justfile"),
        ] {
            let app = new_app(Template::PostgresWeb, &params(scripts));
            let file = app.files.last().unwrap();
            assert_eq!(file.name, name);
            for words in ["docker build -t shop", "fly deploy -c fly.dev.toml", "fly ssh console"] {
                assert!(file.text.contains(words), "{words}: {}", file.text);
            }
        }
        let npm = new_app(Template::Web, &params(Scripts::Npm)).files.pop().unwrap();
        let json: serde_json::Value = serde_json::from_str(&npm.text).unwrap();
        assert!(json["scripts"]["fly:dev"].is_string());
    }

    #[test]
    fn setup_commands_name_the_app_and_its_regions() {
        let app = new_app(Template::MultiRegionWeb, &params(Scripts::Just));
        for command in [
            "fly apps create shop",
            "fly scale count 1 --region lhr -a shop",
            "fly scale count 1 --region nrt -a shop",
        ] {
            assert!(app.setup.iter().any(|line| line == command), "{command}: {:?}", app.setup);
        }
        assert!(app.setup.iter().all(|line| !line.contains('\n')));
    }
}
