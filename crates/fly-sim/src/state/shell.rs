//! A very small shell over the files of mounted volumes, so that `exec` can show what survived a fork, a restore or a
//! move: `cat`, `ls`, `find`, `df`, `stat`, `sha256sum`, `sort`, `wc`, `echo`, `test`, `rm`, `sync`, joined by `;`, `&&`, `|` and
//! parentheses; and `tar` into `nc`, by which one Machine sends its files to another that listens.
//!
//! Nothing is executed on the host. A program that is not listed is not found, as in an image without it. What is put into the
//! background with a final `&` is over at once, and only its files tell how it ended.

mod parse;

use sha2::{Digest, Sha256};

use super::volume::Files;
pub(crate) use parse::quoted;
use parse::{Redirections, in_background, redirections, split_list, split_pipeline, words};

/// A mounted volume.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub(crate) volume: String,
    /// Where it is mounted, without a final slash. Without a volume it is a folder of the Machine itself.
    pub(crate) path: String,
    pub(crate) size_gb: i64,
    pub(crate) used_bytes: i64,
    pub(crate) files: Files,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) code: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `sync` ran.
    pub(crate) synced: bool,
}

/// A stream to another Machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) address: String,
    pub(crate) port: String,
    pub(crate) stream: String,
}

struct Shell<'a> {
    mounts: &'a mut [Mount],
    folder: String,
    synced: bool,
    /// What another Machine makes of a stream: whether somebody there took it.
    network: &'a mut dyn FnMut(&Sent) -> bool,
    /// `$?`
    last: i64,
}

/// One program's end: code, output, errors.
type Done = (i64, String, String);

/// Runs a command line as the guest's `exec` would. `network` is given what `nc` sends, and says whether it was taken.
pub(crate) fn run(
    command: &str,
    mounts: &mut [Mount],
    network: &mut dyn FnMut(&Sent) -> bool,
) -> Output {
    let words = words(command);
    let script = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [shell, "-c" | "-lc" | "-ec", script, ..] if is_shell(shell) => script.to_owned(),
        _ => command.to_owned(),
    };
    let mut shell = Shell::new(mounts, network);
    let (code, stdout, stderr) = match in_background(&script) {
        Some(job) => {
            shell.list(job);
            (0, String::new(), String::new())
        }
        None => shell.list(&script),
    };
    Output { code, stdout, stderr, synced: shell.synced }
}

/// What `tar -C FOLDER -xf -` does with a stream.
pub(crate) fn unpack(folder: &str, stream: &str, mounts: &mut [Mount]) -> bool {
    Shell::new(mounts, &mut |_| false).tar(&["-C", folder, "-xf", "-"], stream).0 == 0
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"))
}

impl<'a> Shell<'a> {
    fn new(mounts: &'a mut [Mount], network: &'a mut dyn FnMut(&Sent) -> bool) -> Self {
        Self { mounts, folder: "/".to_owned(), synced: false, network, last: 0 }
    }

    fn list(&mut self, text: &str) -> Done {
        let mut all: Done = ok("");
        for (joined, pipeline) in split_list(text) {
            if joined && all.0 != 0 {
                continue;
            }
            let (code, out, err) = self.pipeline(pipeline);
            self.last = code;
            all = (code, all.1 + &out, all.2 + &err);
        }
        all
    }

    fn pipeline(&mut self, text: &str) -> Done {
        let mut done: Done = ok("");
        for part in split_pipeline(text) {
            let (code, out, err) = self.command(part, &done.1);
            done = (code, out, done.2 + &err);
        }
        done
    }

    /// A program, or a list in parentheses, and where its output goes.
    fn command(&mut self, text: &str, stdin: &str) -> Done {
        let (text, Redirections { out: target, err: errors }) = redirections(text);
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let (mut code, mut out, mut err) = match inner {
            Some(inner) => self.list(inner),
            None => self.program(&text.replace("$?", &self.last.to_string()), stdin),
        };
        if let Some(path) = errors
            && self.write(&path, &err, false)
        {
            err.clear();
        }
        if let Some((append, path)) = target {
            if !self.write(&path, &out, append) {
                code = 1;
                err = format!("sh: can't create {path}: nonexistent directory\n");
            }
            out.clear();
        }
        (code, out, err)
    }

    fn program(&mut self, text: &str, stdin: &str) -> Done {
        let words = words(text);
        let Some((name, args)) = words.split_first() else { return ok("") };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match name.rsplit('/').next().unwrap_or_default() {
            "cat" if args.is_empty() => ok(stdin),
            "cat" => self.each(&args, |_, content| content.to_owned()),
            "sha256sum" if args.is_empty() => ok(format!("{}  -\n", sha256(stdin))),
            "sha256sum" => {
                self.each(&args, |path, content| format!("{}  {path}\n", sha256(content)))
            }
            "find" => self.find(&args),
            "ls" => self.ls(&args),
            "sort" if args.is_empty() => ok(sorted(stdin)),
            "sort" => {
                let (code, text, err) = self.each(&args, |_, content| content.to_owned());
                (code, sorted(&text), err)
            }
            "wc" => ok(count(stdin, args.first().copied().unwrap_or("-c"))),
            "echo" => ok(args.join(" ") + "\n"),
            "test" | "[" => (i64::from(!self.exists(&args)), String::new(), String::new()),
            "rm" => self.remove(&args),
            "df" => self.df(&args),
            "tar" => self.tar(&args, stdin),
            "nc" => self.nc(&args, stdin),
            "sync" => {
                self.synced = true;
                ok("")
            }
            "cd" => {
                self.folder = self.absolute(args.first().copied().unwrap_or("/"));
                ok("")
            }
            "true" | ":" | "mkdir" | "mkfifo" | "set" => ok(""),
            "false" => (1, String::new(), String::new()),
            other => (127, String::new(), format!("sh: {other}: not found\n")),
        }
    }

    /// `nc [-w SECONDS] ADDRESS PORT`
    fn nc(&mut self, args: &[&str], stdin: &str) -> Done {
        let [.., address, port] = args[..] else {
            return (1, String::new(), "nc: no address\n".to_owned());
        };
        let (address, port) = (address.to_owned(), port.to_owned());
        let sent = Sent { address, port, stream: stdin.to_owned() };
        if (self.network)(&sent) {
            return ok("");
        }
        (1, String::new(), format!("nc: can't connect to {}: Connection refused\n", sent.address))
    }

    fn absolute(&self, path: &str) -> String {
        let path = path.trim_end_matches('/');
        let whole = match path.strip_prefix("./").unwrap_or(path) {
            "." => self.folder.clone(),
            "" => "/".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("{}/{path}", self.folder.trim_end_matches('/')),
        };
        if whole.len() > 1 { whole.trim_end_matches('/').to_owned() } else { whole }
    }

    fn place(&self, path: &str) -> Option<(usize, String)> {
        let path = self.absolute(path);
        self.mounts.iter().enumerate().find_map(|(index, mount)| {
            let rest = path.strip_prefix(&mount.path)?;
            (rest.is_empty() || rest.starts_with('/'))
                .then(|| (index, rest.trim_start_matches('/').to_owned()))
        })
    }

    fn read(&self, path: &str) -> Option<&str> {
        let (mount, inside) = self.place(path)?;
        self.mounts[mount].files.get(&inside).map(String::as_str)
    }

    fn write(&mut self, path: &str, text: &str, append: bool) -> bool {
        if path == "/dev/null" {
            return true;
        }
        let Some((mount, inside)) = self.place(path).filter(|(_, inside)| !inside.is_empty())
        else {
            return false;
        };
        let content = self.mounts[mount].files.entry(inside).or_default();
        if !append {
            content.clear();
        }
        content.push_str(text);
        true
    }

    fn each(&self, paths: &[&str], shown: impl Fn(&str, &str) -> String) -> Done {
        let mut done: Done = ok("");
        for path in paths.iter().filter(|path| !path.starts_with('-')) {
            if let Some(content) = self.read(path) {
                done.1 += &shown(path, content);
            } else {
                done.0 = 1;
                done.2 += &["cat: can't open '", path, "': No such file or directory\n"].concat();
            }
        }
        done
    }

    /// Paths of the files below a folder, written as the folder was.
    fn below(&self, folder: &str) -> Option<Vec<String>> {
        let (mount, inside) = self.place(folder)?;
        let prefix = if inside.is_empty() { String::new() } else { format!("{inside}/") };
        let shown = folder.trim_end_matches('/');
        let files = self.mounts[mount].files.keys();
        Some(
            files.filter_map(|f| f.strip_prefix(&prefix)).map(|f| format!("{shown}/{f}")).collect(),
        )
    }

    /// `find DIR [-type f] [-exec sha256sum {} +]`, or `stat -c FORMAT`. Without `-type f` folders are found, too.
    fn find(&self, args: &[&str]) -> Done {
        let folder = args.first().filter(|arg| !arg.starts_with('-')).copied().unwrap_or(".");
        let Some(paths) = self.below(folder) else {
            return (1, String::new(), format!("find: {folder}: No such file or directory\n"));
        };
        let mut paths = paths;
        if !args.contains(&"-type") {
            let inside = |path: &String| {
                let ends = path.match_indices('/').map(|(at, _)| at);
                ends.filter(|at| *at > folder.len())
                    .map(|at| path[..at].to_owned())
                    .collect::<Vec<_>>()
            };
            let folders: Vec<String> = paths.iter().flat_map(inside).collect();
            paths.extend(folders);
            paths.push(folder.to_owned());
            paths.sort();
            paths.dedup();
        }
        let exec =
            args.iter().position(|arg| *arg == "-exec").map_or(&args[..0], |at| &args[at + 1..]);
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        match exec {
            ["sha256sum", ..] => {
                self.each(&paths, |path, content| format!("{}  {path}\n", sha256(content)))
            }
            ["stat", "-c", format, ..] => {
                ok(paths.iter().map(|path| stat(format, path, self.read(path))).collect::<String>())
            }
            [other, ..] => (127, String::new(), format!("find: {other}: not found\n")),
            [] if args.contains(&"-print0") => ok(paths.join("\0")),
            [] => ok(lines(&paths)),
        }
    }

    fn ls(&self, args: &[&str]) -> Done {
        let folder = args.iter().find(|arg| !arg.starts_with('-')).copied().unwrap_or(".");
        match self.below(folder) {
            Some(paths) => {
                let folder = format!("{}/", folder.trim_end_matches('/'));
                let mut names: Vec<&str> = paths
                    .iter()
                    .filter_map(|path| path.strip_prefix(&folder)?.split('/').next())
                    .collect();
                names.dedup();
                ok(lines(&names))
            }
            None => (1, String::new(), format!("ls: {folder}: No such file or directory\n")),
        }
    }

    fn exists(&self, args: &[&str]) -> bool {
        let path = args.iter().find(|arg| !arg.starts_with('-') && **arg != "]");
        path.is_some_and(|path| match args.first() {
            Some(&"-d") => self.place(path).is_some(),
            _ => self.read(path).is_some(),
        })
    }

    /// `df -Pk FOLDER`.
    fn df(&self, args: &[&str]) -> Done {
        let folder = args.iter().rfind(|arg| !arg.starts_with('-')).copied().unwrap_or("/");
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        let line = match self.place(folder).filter(|(at, _)| !self.mounts[*at].volume.is_empty()) {
            Some((mount, _)) => {
                let mount = &self.mounts[mount];
                let (all, used) = (mount.size_gb << 20, mount.used_bytes >> 10);
                let part = used * 100 / all.max(1);
                format!("/dev/vdc {all} {used} {} {part}% {}\n", all - used, mount.path)
            }
            None => "/dev/vda 8154588 1048576 7106012 13% /\n".to_owned(),
        };
        ok(head.to_owned() + &line)
    }

    /// `tar -C FOLDER -cf - .` and `tar -C FOLDER -xf -`; the archive is a JSON text here.
    fn tar(&mut self, args: &[&str], stdin: &str) -> Done {
        let folder = args.iter().position(|arg| *arg == "-C").and_then(|at| args.get(at + 1));
        let place = folder.and_then(|folder| self.place(folder));
        let Some((mount, inside)) = place.filter(|(_, inside)| inside.is_empty()) else {
            return (2, String::new(), "tar: no such folder\n".to_owned());
        };
        debug_assert!(inside.is_empty());
        if args.contains(&"-cf") {
            return ok(serde_json::to_string(&self.mounts[mount].files).unwrap_or_default());
        }
        let mount = &mut self.mounts[mount];
        match serde_json::from_str::<Files>(stdin) {
            Ok(files) => {
                let size = |files: &Files| files.values().map(String::len).sum::<usize>();
                let mut whole = mount.files.clone();
                whole.extend(files);
                if i64::try_from(size(&whole)).is_ok_and(|size| size > mount.size_gb << 30) {
                    return (
                        1,
                        String::new(),
                        "tar: write error: No space left on device\n".to_owned(),
                    );
                }
                mount.files = whole;
                ok("")
            }
            Err(_) => (2, String::new(), "tar: short read\n".to_owned()),
        }
    }

    fn remove(&mut self, args: &[&str]) -> Done {
        for path in args.iter().filter(|arg| !arg.starts_with('-')) {
            if let Some((mount, inside)) = self.place(path) {
                let folder = format!("{inside}/");
                self.mounts[mount].files.retain(|f, _| *f != inside && !f.starts_with(&folder));
            }
        }
        ok("")
    }
}

fn ok(text: impl Into<String>) -> Done {
    (0, text.into(), String::new())
}

/// `stat -c FORMAT` of a file that root made, or of a folder, which has no content.
fn stat(format: &str, path: &str, content: Option<&str>) -> String {
    let quoted = format!("'{path}'");
    let size = content.map_or(4096, str::len).to_string();
    let fields = [
        ("%f", content.map_or("41ed", |_| "81a4")),
        ("%u", "0"),
        ("%g", "0"),
        ("%Y", "0"),
        ("%s", &size),
        ("%n", path),
        ("%N", &quoted),
    ];
    fields.iter().fold(format.to_owned() + "\n", |text, (field, value)| text.replace(field, value))
}

pub(crate) fn sha256(text: &str) -> String {
    let digits = b"0123456789abcdef";
    let hex = |byte: &u8| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]];
    Sha256::digest(text.as_bytes()).iter().flat_map(hex).map(char::from).collect()
}

fn sorted(text: &str) -> String {
    let mut sorted: Vec<&str> = text.lines().collect();
    sorted.sort_unstable();
    lines(&sorted)
}

fn lines(texts: &[&str]) -> String {
    texts.iter().flat_map(|text| [*text, "\n"]).collect()
}

fn count(text: &str, flag: &str) -> String {
    let number = if flag == "-l" { text.matches('\n').count() } else { text.len() };
    format!("{number}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &str, mounts: &mut [Mount]) -> Output {
        super::run(command, mounts, &mut |_| false)
    }

    fn mounts() -> Vec<Mount> {
        let files = [("a.txt", "one\n"), ("sub/b.txt", "two\n")];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let (volume, path) = ("vol_1".to_owned(), "/data".to_owned());
        vec![Mount { volume, path, size_gb: 1, used_bytes: 2048, files }]
    }

    #[test]
    fn a_job_in_the_background_leaves_its_files() {
        let tmp = Mount {
            volume: String::new(),
            path: "/tmp".to_owned(),
            files: Files::new(),
            ..mounts().remove(0)
        };
        let mut all = [mounts(), vec![tmp]].concat();
        let started = run(
            "sh -c '( ( cd /data && find . -type f -exec stat -c %f:%N {} + ) >/tmp/out 2>/tmp/err; echo $? >/tmp/end ) </dev/null >/dev/null 2>&1 &'",
            &mut all,
        );
        assert_eq!(started, Output::default());
        let mut said = |command: &str| run(command, &mut all).stdout;
        assert_eq!(said("cat /tmp/end"), "0\n");
        assert_eq!(said("cat /tmp/out"), "81a4:'./a.txt'\n81a4:'./sub/b.txt'\n");
        assert_eq!(
            said("sh -c 'cd /data && find . -exec stat -c %f:%n {} +'"),
            "41ed:.\n81a4:./a.txt\n41ed:./sub\n81a4:./sub/b.txt\n"
        );
        assert_eq!(said("sort /tmp/out /tmp/end"), "0\n81a4:'./a.txt'\n81a4:'./sub/b.txt'\n");
        assert_eq!(said("cat /tmp/err"), "");
        assert_eq!(said("sh -c '(psql) 2>/tmp/err; echo $?'"), "127\n");
        assert_eq!(said("cat /tmp/err"), "sh: psql: not found\n");
        assert!(said("df -Pk /tmp").ends_with(" /\n"), "no volume is mounted there");
    }

    #[test]
    fn the_commands_that_verify_data() {
        let one = "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806";
        for (command, code, out) in [
            ("cat /data/a.txt", 0, "one\n".to_owned()),
            ("sha256sum /data/a.txt", 0, format!("{one}  /data/a.txt\n")),
            ("find /data -type f", 0, "/data/a.txt\n/data/sub/b.txt\n".to_owned()),
            ("sh -c 'cd /data && find . -type f | sort'", 0, "./a.txt\n./sub/b.txt\n".to_owned()),
            (
                "sh -c \"find /data -type f -exec sha256sum {} + | sort | wc -l\"",
                0,
                "2\n".to_owned(),
            ),
            ("ls /data", 0, "a.txt\nsub\n".to_owned()),
            ("sh -c 'echo x > /data/c; cat /data/c'", 0, "x\n".to_owned()),
            ("sh -c 'false && echo no; echo yes'", 0, "yes\n".to_owned()),
            ("test -f /data/none", 1, String::new()),
            ("echo a | cat", 0, "a\n".to_owned()),
            ("psql", 127, String::new()),
            (
                "df -Pk /data",
                0,
                "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vdc 1048576 2 1048574 0% /data\n"
                    .to_owned(),
            ),
        ] {
            let output = run(command, &mut mounts());
            assert_eq!((output.code, &output.stdout), (code, &out), "{command}");
        }
        assert!(run("sync", &mut mounts()).synced);
        assert_eq!(run("cat /data/none", &mut mounts()).code, 1);
        let mut taken = Vec::new();
        let send = "sh -c 'tar -C /data -cf - . | nc -w 5 fdaa::3 7400'";
        super::run(send, &mut mounts(), &mut |sent| {
            taken.push(sent.clone());
            true
        });
        assert_eq!(run(send, &mut mounts()).code, 1, "nobody listens");
        let sent = taken.pop().unwrap();
        assert_eq!((sent.address.as_str(), sent.port.as_str()), ("fdaa::3", "7400"));
        let mut other = mounts();
        other[0].files.clear();
        assert!(
            unpack("/data", &sent.stream, &mut other) && !unpack("/none", &sent.stream, &mut other)
        );
        assert_eq!(other[0].files, mounts()[0].files);
        let mut changed = mounts();
        run("sh -c 'echo more >> /data/a.txt; rm -rf /data/sub'", &mut changed);
        assert_eq!(changed[0].files["a.txt"], "one\nmore\n");
        assert_eq!(changed[0].files.len(), 1);
    }
}
