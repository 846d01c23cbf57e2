//! The command as a person runs it, against the simulator, in this process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod archive;
mod arguments;
mod broken;
mod redact;
mod worlds;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use debug_bundle::Args;
use debug_bundle::manifest::{CollectorRecord, Manifest};
use fly_sim::{Options, Sim, World};
use ops_cli::{Captured, Context, Env, Exit, Terminal, Ui};

/// A simulator and a directory to work in.
pub(crate) struct Bench {
    pub(crate) sim: Sim,
    pub(crate) directory: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

/// What one run gave.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Archives in the directory.
    pub(crate) archives: Vec<PathBuf>,
}

/// An unpacked archive.
pub(crate) struct Unpacked {
    /// Directories and files in their order, without the top-level directory.
    pub(crate) order: Vec<String>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) manifest: Manifest,
}

impl Bench {
    pub(crate) async fn new(world: &str) -> Self {
        Self::with(world, "").await
    }

    /// A world with lines appended, e.g. faults.
    pub(crate) async fn with(world: &str, extra: &str) -> Self {
        let path = format!("{}/../fly-sim/worlds/{world}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap() + extra;
        let world = World::parse(&text, world).unwrap();
        let sim = Sim::start(world, Options::default()).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("tmp")).unwrap();
        std::fs::create_dir(directory.path().join("out")).unwrap();
        let mut variables: BTreeMap<String, String> =
            sim.env().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        variables.insert("FLY_OPS_LOOPBACK_ONLY".to_owned(), "1".to_owned());
        variables.insert("HOME".to_owned(), directory.path().display().to_string());
        variables.insert("TMPDIR".to_owned(), directory.path().join("tmp").display().to_string());
        // Its answer must not depend on what is installed here.
        variables.insert("PATH".to_owned(), "/nowhere".to_owned());
        Self { sim, directory, variables }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// A context, and what is printed into it.
    pub(crate) fn context(&self, args: &Args) -> (Context, Captured) {
        let pairs = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let environment = Env::from_pairs(pairs);
        let output = ops_cli::Arguments::output(args);
        let (ui, captured) = Ui::captured(output, &environment, Terminal::default(), "");
        let now = self.sim.now();
        (
            Context::new(environment, self.directory.path().join("out"), ui, Arc::new(move || now)),
            captured,
        )
    }

    /// Runs the command in the directory.
    pub(crate) async fn run(&self, words: &[&str]) -> Ran {
        self.run_after(words, |_| {}).await
    }

    /// The same, after something happened to the context.
    pub(crate) async fn run_after(&self, words: &[&str], before: impl FnOnce(&Context)) -> Ran {
        let args = Args::parse_from(["fly-debug-bundle"].iter().chain(words));
        let (mut context, captured) = self.context(&args);
        context.typed = words.iter().map(|word| (*word).to_owned()).collect();
        before(&context);
        let exit = match Box::pin(debug_bundle::run(args, context.clone())).await {
            Ok(exit) => exit,
            Err(error) => {
                context.ui.error(&error);
                error.exit()
            }
        };
        let archives = listing(&self.directory.path().join("out"));
        // Whatever happened: no working directory, no draft is left.
        let leftovers: Vec<PathBuf> = listing(&self.directory.path().join("tmp"))
            .into_iter()
            .chain(listing(&self.directory.path().join(".cache/fly-ops")))
            .chain(archives.iter().filter(|it| it.to_string_lossy().ends_with(".partial")).cloned())
            .collect();
        assert_eq!(leftovers, Vec::<PathBuf>::new());
        Ran { exit, stdout: captured.stdout(), stderr: captured.stderr(), archives }
    }
}

impl Ran {
    /// The only archive, unpacked and checked.
    pub(crate) fn unpack(&self) -> Unpacked {
        let [archive] = &self.archives[..] else {
            panic!("one archive, not {:?}: {}", self.archives, self.stderr)
        };
        unpack(archive)
    }
}

impl Unpacked {
    pub(crate) fn collector(&self, id: &str) -> &CollectorRecord {
        self.manifest.collectors.iter().find(|it| it.id == id).unwrap()
    }

    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_slice(self.files.get(path).unwrap_or_else(|| panic!("no {path}"))).unwrap()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8(self.files[path].clone()).unwrap()
    }
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Reads an archive and checks what holds for every one: one top directory, plain entries, hashes, JSON that parses.
pub(crate) fn unpack(path: &Path) -> Unpacked {
    let reader = flate2::read::MultiGzDecoder::new(File::open(path).unwrap());
    let mut archive = tar::Archive::new(reader);
    let (mut order, mut files) = (Vec::new(), BTreeMap::new());
    let mut stem = None;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let (top, rest) = path.split_once('/').unwrap();
        assert_eq!(*stem.get_or_insert_with(|| top.to_owned()), top);
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        if header.entry_type().is_dir() {
            assert_eq!(header.mode().unwrap(), 0o700);
        } else {
            assert!(header.entry_type().is_file());
            assert_eq!(header.mode().unwrap(), 0o600);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(rest.to_owned(), content);
        }
        order.push(rest.to_owned());
    }
    let manifest = Manifest::parse(&files["manifest.json"]).unwrap();
    assert_eq!(manifest.stem, stem.unwrap());
    let mut known: Vec<&str> = vec!["manifest.json"];
    for record in manifest.all_files() {
        let content = files.get(&record.path).unwrap_or_else(|| panic!("no {}", record.path));
        let described = debug_bundle::staging::describe(&record.path, content);
        assert_eq!(
            (record.bytes, record.lines, &record.sha256),
            (described.bytes, described.lines, &described.sha256),
            "{}",
            record.path
        );
        known.push(&record.path);
    }
    for (path, content) in &files {
        assert!(known.contains(&path.as_str()), "{path} is not in the manifest");
        let extension = path.rsplit('.').next();
        if extension == Some("json") {
            serde_json::from_slice::<serde_json::Value>(content)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        if extension == Some("ndjson") {
            for line in String::from_utf8_lossy(content).lines() {
                serde_json::from_str::<serde_json::Value>(line)
                    .unwrap_or_else(|error| panic!("{path}: {error}: {line}"));
            }
        }
    }
    Unpacked { order, files, manifest }
}
