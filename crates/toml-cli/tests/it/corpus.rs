//! Over all real files: fixes change nothing the second time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::Folder;

fn texts(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

#[test]
fn fixes_are_idempotent() {
    let folder = Folder::new(&[]);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fly-toml/tests/corpus");
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "toml") {
            // The search finds files by this name.
            let name = format!("fly-{}", path.file_name().unwrap().to_string_lossy());
            fs::copy(&path, folder.path(&name)).unwrap();
        }
    }
    let before = texts(&folder);
    let fix = ["check", ".", "--fix", "--fail-on", "never", "--format", "table"];
    assert_eq!(folder.run(&fix).code, 0);
    let once = texts(&folder);
    assert_eq!(folder.run(&fix).code, 0);
    assert_eq!(texts(&folder), once);
    let fixed = before.iter().filter(|(name, text)| once[*name] != **text).count();
    println!("{} files, {fixed} fixed, none of them twice", before.len());
    assert!(fixed > 50, "{fixed}");
}
