//! What `v2` found, as data and as text.

use fly_toml::migrate::{Change, Open};
use serde::Serialize;

/// What the platform says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Platform {
    /// Nobody was asked.
    NotAsked,
    /// It could not be asked, or did not say.
    Unknown {
        /// Why.
        why: String,
        /// Number of Machines, where known.
        machines: Option<usize>,
    },
    /// `platformVersion` of GraphQL, which `fly status --json` shows as `PlatformVersion`.
    Says {
        /// `machines`, `nomad` or `detached`, as it was given.
        word: String,
        /// Number of Machines, where known.
        machines: Option<usize>,
    },
}

/// A converted fly.toml.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Whether it differs.
    pub changed: bool,
    /// The new text.
    pub text: String,
    /// What was changed, in order.
    pub changes: Vec<Change>,
    /// What a person has to decide.
    pub open: Vec<Open>,
}

/// What is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Todo {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// Commands of today.
    pub commands: Vec<String>,
}

/// The whole answer.
#[derive(Debug, Clone, Serialize)]
pub struct V2Report {
    /// Which app.
    pub app: Option<String>,
    /// What the platform says.
    pub platform: Platform,
    /// One sentence.
    pub verdict: String,
    /// Changes of the file.
    pub changes: Vec<Change>,
    /// Questions about the file.
    pub open: Vec<Open>,
    /// What is left to do, in order.
    pub todo: Vec<Todo>,
}

/// Puts everything together.
pub fn judge(app: Option<&str>, platform: &Platform, file: Option<&Converted>) -> V2Report {
    let name = app.unwrap_or("APP");
    let empty = matches!(
        platform,
        Platform::Says { machines: Some(0), .. } | Platform::Unknown { machines: Some(0), .. }
    );
    let v1 = matches!(platform, Platform::Says { word, .. } if word.eq_ignore_ascii_case("nomad"));
    let detached =
        matches!(platform, Platform::Says { word, .. } if word.eq_ignore_ascii_case("detached"));
    let verdict = match platform {
        Platform::NotAsked => "the platform was not asked".to_owned(),
        Platform::Unknown { why, .. } => {
            format!("the platform did not say what app {name} runs on: {why}")
        }
        Platform::Says { machines, .. } if v1 => format!(
            "app {name} is marked as Apps v1 (nomad){}",
            if *machines == Some(0) { ", and has no Machine" } else { ", and yet has Machines" }
        ),
        Platform::Says { .. } if detached => format!(
            "app {name} is detached: it has never been deployed, or everything of it was removed"
        ),
        Platform::Says { word, .. } if word.eq_ignore_ascii_case("machines") => {
            format!("app {name} runs on Machines: it is on v2")
        }
        Platform::Says { word, .. } => {
            format!("the platform calls app {name} '{word}', which this tool does not know")
        }
    };
    let mut todo = Vec::new();
    let mut add = |what: &str, why: &str, commands: Vec<String>| {
        todo.push(Todo { what: what.to_owned(), why: why.to_owned(), commands });
    };
    if let Some(file) = file {
        if file.changed {
            add(
                "replace fly.toml by the converted one",
                "flyctl still reads old spellings, but drops dead keys without a word",
                vec![
                    "fly-migrate v2 --out fly.v2.toml".to_owned(),
                    "diff -u fly.toml fly.v2.toml".to_owned(),
                    "fly config validate --strict -c fly.v2.toml".to_owned(),
                ],
            );
        }
        // What v1 did otherwise only matters to a file that comes from there.
        for open in file.open.iter().filter(|_| file.changed || v1) {
            add(&format!("decide about {}", open.path), open.question, Vec::new());
        }
    }
    if v1 || (empty && !detached) {
        add(
            "save what can still be read",
            "secrets cannot be read back from the platform: only their names and digests; values are in your own store, or in the environment of an instance that runs",
            vec![
                format!("fly secrets list -a {name}"),
                format!("fly ips list -a {name}"),
                format!("fly certs list -a {name}"),
                format!("fly volumes list -a {name}"),
            ],
        );
        add(
            "make a new app beside the old one, or deploy under the old name if it has no Machine",
            "`fly migrate-to-v2` no longer exists (removed from flyctl in February 2024), and nothing turns an app over in place",
            vec![
                format!("fly apps create {name}-v2 --org ORG"),
                format!("fly secrets import -a {name}-v2 < secrets.env"),
            ],
        );
        add(
            "bring the data over",
            "volumes belong to one app and one region; snapshots can be restored into another app of the same organization",
            vec![
                format!("fly volumes snapshots list VOLUME -a {name}"),
                format!(
                    "fly volumes create NAME --snapshot-id SNAPSHOT --size GB --region REGION -a {name}-v2"
                ),
            ],
        );
        add(
            "deploy",
            "this makes the Machines",
            vec![
                format!("fly deploy -c fly.v2.toml -a {name}-v2"),
                format!("fly status -a {name}-v2"),
                format!("fly machine list -a {name}-v2"),
            ],
        );
        add(
            "move names",
            "addresses and certificates belong to an app: the new one gets its own, then DNS is changed",
            vec![
                format!("fly certs add HOSTNAME -a {name}-v2"),
                format!("fly certs check HOSTNAME -a {name}-v2"),
                format!("fly ips list -a {name}-v2"),
            ],
        );
        add(
            "remove the old app, much later",
            "not in the same evening: it is the way back",
            vec![format!("fly apps destroy {name}")],
        );
    } else if detached {
        add(
            "deploy",
            "this makes the first Machines",
            vec![format!("fly deploy -a {name}"), format!("fly status -a {name}")],
        );
    } else if file.is_some_and(|file| file.changed) {
        add(
            "deploy the converted file",
            "it changes nothing until then",
            vec![format!("fly deploy -c fly.v2.toml -a {name}"), format!("fly status -a {name}")],
        );
    }
    V2Report {
        app: app.map(str::to_owned),
        platform: platform.clone(),
        verdict,
        changes: file.map(|file| file.changes.clone()).unwrap_or_default(),
        open: file.map(|file| file.open.clone()).unwrap_or_default(),
        todo,
    }
}

impl V2Report {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            self.verdict.clone(),
            "read from GraphQL platformVersion; the same by hand: fly status --json | jq -r .PlatformVersion (the text of `fly status` has no such line)".to_owned(),
        ];
        if !self.changes.is_empty() {
            lines.push("\nfly.toml:".to_owned());
            for change in &self.changes {
                let lost = if change.has_counterpart { "" } else { " [v2 has nothing like it]" };
                lines.push(format!(
                    "  {}: {}{lost}\n      {}",
                    change.path, change.title, change.why
                ));
            }
        }
        if self.todo.is_empty() {
            lines.push("\nnothing is left to do".to_owned());
        } else {
            lines.push("\nleft to do:".to_owned());
        }
        for (number, todo) in self.todo.iter().enumerate() {
            lines.push(format!("  {}. {}\n      {}", number + 1, todo.what, todo.why));
            lines.extend(todo.commands.iter().map(|command| format!("      $ {command}")));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
