//! The lines that helper Machines run, carried out by a real shell on folders of this host. With BUSYBOX_BIN all programs are
//! busybox's, as in the helper's image, and the stream goes through its `nc`.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use migrate::volume::script;
use test_kit::Sandbox;

struct Host {
    folder: Sandbox,
    /// Where `sh` finds programs.
    path: std::ffi::OsString,
}

impl Host {
    fn new() -> Self {
        let folder = Sandbox::new().unwrap();
        let path = match busybox() {
            Some(busybox) => {
                let programs = folder.path("programs");
                std::fs::create_dir(&programs).unwrap();
                let installed =
                    Command::new(busybox).args(["--install", "-s"]).arg(&programs).status();
                assert!(installed.unwrap().success());
                programs.into_os_string()
            }
            None => std::env::var_os("PATH").unwrap(),
        };
        for name in ["from", "to", "scratch"] {
            std::fs::create_dir(folder.path(name)).unwrap();
        }
        Self { folder, path }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path(name).to_str().unwrap().to_owned()
    }

    /// As the platform runs `exec` and first processes: no input.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        if busybox().is_some() {
            command = Command::new(self.folder.path("programs/sh"));
        }
        command.env_clear().env("PATH", &self.path).args(["-c", line]).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> (bool, String) {
        let output = self.command(line).output().unwrap();
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    fn manifest(&self, name: &str) -> String {
        let (good, line) = self.run(&script::manifest(&self.at(name), &self.at("scratch")));
        assert!(good && !line.starts_with(script::SUM_OF_NOTHING), "{line}");
        line
    }
}

fn busybox() -> Option<std::ffi::OsString> {
    std::env::var_os("BUSYBOX_BIN")
}

/// Names, kinds and modes that make trouble.
fn fill(root: &Path) {
    std::fs::create_dir_all(root.join("db/empty")).unwrap();
    std::fs::create_dir(root.join("lost+found")).unwrap();
    std::fs::write(root.join("db/one two"), "first").unwrap();
    std::fs::write(root.join("it's \"quoted\""), "second").unwrap();
    std::fs::write(root.join("run.sh"), "#!/bin/sh").unwrap();
    std::fs::set_permissions(root.join("run.sh"), Permissions::from_mode(0o750)).unwrap();
    symlink("db/one two", root.join("link")).unwrap();
}

#[test]
fn a_copy_by_tar_has_the_same_manifest_and_each_difference_another() {
    let host = Host::new();
    let (from, to) = (host.at("from"), host.at("to"));
    fill(Path::new(&from));
    let wanted = host.manifest("from");
    assert_ne!(host.manifest("to"), wanted, "an empty volume");
    host.run(&format!("tar -C {from} -cf - . | tar -C {to} -xf -"));
    assert_eq!(host.manifest("to"), wanted);
    std::fs::write(Path::new(&to).join("lost+found/rest"), "of the file system").unwrap();
    assert_eq!(host.manifest("to"), wanted, "what fsck found is no data");
    for damage in [
        "echo first >db/one\\ two",
        "chmod 700 run.sh",
        "touch -d @1000000000 run.sh",
        "rmdir db/empty",
        "rm link; ln -s db/one link",
        "touch new",
        "rm run.sh",
    ] {
        host.run(&format!("rm -rf {to}/*; tar -C {from} -cf - . | tar -C {to} -xf -"));
        assert_eq!(host.manifest("to"), wanted, "before {damage}");
        host.run(&format!("cd {to} && {damage}"));
        assert_ne!(host.manifest("to"), wanted, "{damage}");
    }
}

#[test]
fn a_job_goes_on_after_exec_and_tells_how_it_ended() {
    let host = Host::new();
    let tmp = host.at("scratch");
    host.run(&format!("mkfifo {tmp}/gate"));
    let script = format!("echo begun; cat {tmp}/gate; nothing-like-that");
    // The command ends, and closes its output, while the job waits at the gate.
    assert_eq!(host.run(&script::job("a", &script, &tmp)), (true, String::new()));
    assert!(!host.command(&script::end("a", &tmp)).output().unwrap().status.success());
    host.run(&format!("echo passed >{tmp}/gate"));
    while !Path::new(&format!("{tmp}/a.end")).exists() {
        std::thread::yield_now();
    }
    let end = std::iter::repeat_with(|| host.run(&script::end("a", &tmp)).1);
    assert_eq!(end.into_iter().find(|text| !text.is_empty()).unwrap(), "127\n");
    assert_eq!(host.run(&script::out("a", &tmp)).1, "begun\npassed\n");
    assert!(host.run(&script::err("a", &tmp)).1.contains("nothing-like-that"));
}

/// Ends the receiver with the test, `nc` and all.
struct Receiver(Child);

impl Drop for Receiver {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn a_stream_through_the_nc_of_busybox_arrives_whole() {
    if busybox().is_none() {
        println!("skipped: BUSYBOX_BIN names no busybox");
        return;
    }
    let host = Host::new();
    let (from, to, tmp) = (host.at("from"), host.at("to"), host.at("scratch"));
    fill(Path::new(&from));
    std::fs::write(Path::new(&from).join("big"), vec![7; 30_000_000]).unwrap();
    let port = std::net::TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap().port();
    let line = script::receive(&to, &tmp, port);
    let receiver = Receiver(host.command(&line).process_group(0).spawn().unwrap());
    let send = script::send(&from, "::1", port);
    let mut sent = false;
    for _ in 0..10_000 {
        sent = host.command(&send).stderr(Stdio::null()).status().unwrap().success();
        if sent {
            break;
        }
    }
    assert!(sent, "nobody listened");
    let wanted = host.manifest("from");
    let mut tries = 0;
    while host.manifest("to") != wanted {
        tries += 1;
        assert!(tries < 1_000, "the copy differs");
    }
    drop(receiver);
}
