//! Finding programs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use exec::{FindError, Program};
use test_kit::Sandbox;

#[test]
fn a_program_at_a_path_is_checked() {
    let sandbox = Sandbox::new().unwrap();
    let path = sandbox.script("tool", "exit 0").unwrap();
    assert_eq!(Program::at(&path).unwrap().path(), path);
    let link = sandbox.path("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(Program::at(&link).unwrap().path(), link);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Program::at(&path).unwrap_err();
    assert!(matches!(error, FindError::NotExecutable { .. }));
    let wanted = format!("{0} may not be executed (try: chmod +x {0})", path.display());
    assert_eq!(error.to_string(), wanted);
    assert!(matches!(Program::at(&sandbox.bin()), Err(FindError::NotAFile { .. })));
    let missing = Program::at(&sandbox.path("missing"));
    assert!(matches!(missing, Err(FindError::Unreadable { .. })));
}

#[test]
fn the_search_path_is_searched_in_order() {
    let sandbox = Sandbox::new().unwrap();
    fs::create_dir(sandbox.path("second")).unwrap();
    let first = sandbox.script("tool", "exit 0").unwrap();
    let second = sandbox.script("second/tool", "exit 0").unwrap();
    let other = sandbox.script("second/other", "exit 0").unwrap();
    let search = std::env::join_paths([sandbox.bin(), sandbox.path("second")]).unwrap();
    let paths = |names: &[&str]| {
        let found = Program::find_all(names, Some(&search));
        found.iter().map(|program| program.path().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&["other", "tool"]), [other, first.clone(), second.clone()]);
    fs::set_permissions(&first, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(Program::find("tool", Some(&search)).unwrap().path(), second);
    let error = Program::find("no-such-tool", Some(&search)).unwrap_err();
    assert_eq!(error.to_string(), "no program named no-such-tool in any directory of PATH");
}

#[test]
fn relative_directories_are_not_searched() {
    for search in [None, Some(""), Some("."), Some("bin:../bin:")] {
        let found = Program::find_all(&["sh"], search.map(AsRef::as_ref));
        assert!(found.is_empty(), "{search:?}");
    }
    let found = Program::find_all(&["sh"], Some(".:/bin".as_ref()));
    assert_eq!(found[0].path(), std::path::Path::new("/bin/sh"));
}
