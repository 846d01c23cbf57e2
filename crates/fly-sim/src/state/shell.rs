//! A very small shell over the files of mounted volumes, so that `exec` can show what survived a fork, a restore or a
//! move: `cat`, `ls`, `find`, `df`, `sha256sum`, `sort`, `wc`, `echo`, `test`, `rm`, `sync`, joined by `;`, `&&` and `|`; and `tar`
//! into `nc`, by which one Machine sends its files to another that listens.
//!
//! Nothing is executed on the host. A program that is not listed is not found, as in an image without it.

use sha2::{Digest, Sha256};

use super::volume::Files;

/// A mounted volume.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub(crate) volume: String,
    /// Where it is mounted, without a final slash.
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
    /// What `nc` sends to another Machine.
    pub(crate) sent: Option<Sent>,
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
    sent: Option<Sent>,
}

/// One program's end: code, output, errors.
type Done = (i64, String, String);

/// Runs a command line as the guest's `exec` would.
pub(crate) fn run(command: &str, mounts: &mut [Mount]) -> Output {
    let words = words(command);
    let script = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [shell, "-c" | "-lc" | "-ec", script, ..] if is_shell(shell) => script.to_owned(),
        _ => command.to_owned(),
    };
    let mut shell = Shell { mounts, folder: "/".to_owned(), synced: false, sent: None };
    let mut output = Output::default();
    for (joined, pipeline) in split_list(&script) {
        if joined && output.code != 0 {
            continue;
        }
        let (code, out, err) = shell.pipeline(pipeline);
        output.code = code;
        output.stdout += &out;
        output.stderr += &err;
    }
    output.synced = shell.synced;
    output.sent = shell.sent;
    output
}

/// What `tar -C FOLDER -xf -` does with a stream.
pub(crate) fn unpack(folder: &str, stream: &str, mounts: &mut [Mount]) -> bool {
    let mut shell = Shell { mounts, folder: "/".to_owned(), synced: false, sent: None };
    shell.tar(&["-C", folder, "-xf", "-"], stream).0 == 0
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"))
}

impl Shell<'_> {
    fn pipeline(&mut self, text: &str) -> Done {
        let mut done: Done = (0, String::new(), String::new());
        for part in split_unquoted(text, &["|"]) {
            let (code, out, err) = self.program(part.1, &done.1);
            done = (code, out, done.2 + &err);
        }
        done
    }

    fn program(&mut self, text: &str, stdin: &str) -> Done {
        let (text, target) = redirection(text);
        let words = words(&text);
        let Some((name, args)) = words.split_first() else {
            return (0, String::new(), String::new());
        };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (code, out, err) = match name.rsplit('/').next().unwrap_or_default() {
            "cat" if args.is_empty() => ok(stdin),
            "cat" => self.each(&args, |_, content| content.to_owned()),
            "sha256sum" if args.is_empty() => ok(format!("{}  -\n", sha256(stdin))),
            "sha256sum" => {
                self.each(&args, |path, content| format!("{}  {path}\n", sha256(content)))
            }
            "find" => self.find(&args),
            "ls" => self.list(&args),
            "sort" => ok(sorted(stdin)),
            "wc" => ok(count(stdin, args.first().copied().unwrap_or("-c"))),
            "echo" => ok(args.join(" ") + "\n"),
            "test" | "[" => (i64::from(!self.exists(&args)), String::new(), String::new()),
            "rm" => self.remove(&args),
            "df" => self.df(&args),
            "tar" => self.tar(&args, stdin),
            "nc" => {
                // Options and their values come first, then address and port.
                if let [.., address, port] = args[..] {
                    let (address, port) = (address.to_owned(), port.to_owned());
                    self.sent = Some(Sent { address, port, stream: stdin.to_owned() });
                }
                ok("")
            }
            "sync" => {
                self.synced = true;
                ok("")
            }
            "cd" => {
                self.folder = self.absolute(args.first().copied().unwrap_or("/"));
                ok("")
            }
            "true" | ":" | "mkdir" | "set" => ok(""),
            "false" => (1, String::new(), String::new()),
            other => (127, String::new(), format!("sh: {other}: not found\n")),
        };
        match target {
            None => (code, out, err),
            Some((append, path)) if self.write(&path, &out, append) => (code, String::new(), err),
            Some((_, path)) => {
                (1, String::new(), format!("sh: can't create {path}: nonexistent directory\n"))
            }
        }
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

    /// `find DIR [-type f] [-exec sha256sum {} +]`.
    fn find(&self, args: &[&str]) -> Done {
        let folder = args.first().filter(|arg| !arg.starts_with('-')).copied().unwrap_or(".");
        let Some(paths) = self.below(folder) else {
            return (1, String::new(), format!("find: {folder}: No such file or directory\n"));
        };
        let exec = args.iter().position(|arg| *arg == "-exec").and_then(|at| args.get(at + 1));
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        match exec {
            Some(&"sha256sum") => {
                self.each(&paths, |path, content| format!("{}  {path}\n", sha256(content)))
            }
            Some(other) => (127, String::new(), format!("find: {other}: not found\n")),
            None if args.contains(&"-print0") => ok(paths.join("\0")),
            None => ok(lines(&paths)),
        }
    }

    fn list(&self, args: &[&str]) -> Done {
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
        let line = match self.place(folder) {
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
        match serde_json::from_str::<Files>(stdin) {
            Ok(files) => {
                self.mounts[mount].files.extend(files);
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

/// Cuts a final `> file` or `>> file`.
fn redirection(text: &str) -> (String, Option<(bool, String)>) {
    let parts = split_unquoted(text, &["2>&1", "2>/dev/null", ">>", ">"]);
    let command = parts.first().map_or("", |part| part.1).to_owned();
    let target = parts.iter().skip(1).find(|part| part.0.starts_with('>'));
    let target =
        target.and_then(|(sign, path)| Some((*sign == ">>", words(path).first()?.clone())));
    (command, target)
}

/// (Whether the part before must have succeeded, pipeline).
fn split_list(text: &str) -> Vec<(bool, &str)> {
    let parts = split_unquoted(text, &["&&", ";", "\n"]);
    parts.into_iter().map(|(sign, part)| (sign == "&&", part)).collect()
}

/// Parts between separators outside quotes, each with the separator before it.
fn split_unquoted<'t>(text: &'t str, separators: &[&'static str]) -> Vec<(&'static str, &'t str)> {
    let mut parts = Vec::new();
    let (mut quote, mut start, mut before, mut at) = (None, 0, "", 0);
    while let Some(c) = text[at..].chars().next() {
        let found = separators.iter().find(|s| quote.is_none() && text[at..].starts_with(**s));
        if let Some(separator) = found.filter(|_| !text[..at].ends_with('\\')) {
            parts.push((before, text[start..at].trim()));
            before = separator;
            at += separator.len();
            start = at;
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push((before, text[start..].trim()));
    parts
}

/// One line that `words` takes apart into the same words.
pub(crate) fn quoted(words: &[&str]) -> String {
    let quote = |word: &&str| match (word.contains('\''), word.contains('"')) {
        _ if !word.contains(|c: char| c.is_whitespace() || "|;&><'\"".contains(c))
            && !word.is_empty() =>
        {
            (*word).to_owned()
        }
        (true, _) => format!("\"{word}\""),
        _ => format!("'{word}'"),
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Words with quotes removed.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut any) = (String::new(), None, false);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.push(c),
            None if c == '\'' || c == '"' => (quote, any) = (Some(c), true),
            None if c.is_whitespace() => {
                if any {
                    words.push(std::mem::take(&mut word));
                    any = false;
                }
            }
            None if c == '\\' => {}
            None => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Vec<Mount> {
        let files = [("a.txt", "one\n"), ("sub/b.txt", "two\n")];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let (volume, path) = ("vol_1".to_owned(), "/data".to_owned());
        vec![Mount { volume, path, size_gb: 1, used_bytes: 2048, files }]
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
        let sent =
            run("sh -c 'tar -C /data -cf - . | nc -w 5 fdaa::3 7400'", &mut mounts()).sent.unwrap();
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
