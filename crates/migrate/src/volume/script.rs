//! What helper Machines run: lines of `sh`, as busybox and coreutils both understand them. They hold no quotes, so that they can be
//! put into others.
//!
//! A Machine mounts one volume, so files go from one helper to another over the organization's private network: `tar` into `nc` on
//! one side, `nc` into `tar` on the other. `exec` answers for 30 s only; what may take longer runs as a job in the background,
//! and its files say how it ended.

/// Where a helper keeps what is not data: on its root file system, gone with it.
pub const SCRATCH: &str = "/tmp";

/// What every `find` leaves out: the folder that each ext4 file system has of its own, and what is mounted below.
const OWN: &str = "-xdev -path ./lost+found -prune -o";

/// The first process of the helper that receives: unpacks one stream after another below `root`.
///
/// `nc` ends when its input ends, and the first process of a Machine has none; a pipe that it could write to itself never ends.
pub fn receive(root: &str, scratch: &str, port: u16) -> String {
    format!(
        "mkfifo {scratch}/in; while true; do nc -l -p {port} <>{scratch}/in | tar -C {root} -xf - 2>>{scratch}/receive.err; done"
    )
}

/// Sends everything below `root`. The minute is for the reader's last words, not for the whole.
pub fn send(root: &str, address: &str, port: u16) -> String {
    format!("tar -C {root} -cf - . | nc -w 60 {address} {port}")
}

/// What [`probe`] prints when all is well.
pub const PROBED: &str = "written\n";

/// Writes a file below `root`, reads it back from the disk's cache, removes it.
pub fn probe(root: &str) -> String {
    let file = format!("{root}/.flyops-probe");
    format!("echo written >{file} && sync && cat {file} && rm {file} && sync")
}

/// What `sha256sum` says when it is given nothing.
pub const SUM_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// One line for all that is below `root`: contents and times of files; kinds, modes, owners, names and link targets of everything.
pub fn manifest(root: &str, scratch: &str) -> String {
    let list = format!("{scratch}/list");
    [
        format!("cd {root}"),
        format!("find . {OWN} -type f -exec sha256sum {{}} + >{list}"),
        format!("find . {OWN} -type f -exec stat -c %Y:%n {{}} + >>{list}"),
        format!("find . {OWN} -exec stat -c %f:%u:%g:%N {{}} + >>{list}"),
        format!("sort {list} | sha256sum"),
    ]
    .join(" && ")
}

/// Starts a script in the background; [`end`], [`out`] and [`err`] tell what became of it.
pub fn job(name: &str, script: &str, scratch: &str) -> String {
    let file = format!("{scratch}/{name}");
    format!(
        "( ( {script} ) >{file}.out 2>{file}.err; echo $? >{file}.end ) </dev/null >/dev/null 2>&1 &"
    )
}

/// Prints the exit status of a job; fails as long as it runs.
pub fn end(name: &str, scratch: &str) -> String {
    format!("cat {scratch}/{name}.end")
}

/// Prints what a job printed.
pub fn out(name: &str, scratch: &str) -> String {
    format!("cat {scratch}/{name}.out")
}

/// Prints what a job complained about.
pub fn err(name: &str, scratch: &str) -> String {
    format!("cat {scratch}/{name}.err")
}
