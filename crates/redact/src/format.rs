//! What the bytes are: as far as the caller knows, by name, by the first bytes.

/// Shape of the input. A wrong hint costs precision, never safety: the text rules run in every format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Looked up in the name and the first bytes.
    #[default]
    Auto,
    /// One JSON document; what comes out is valid JSON if the input was.
    Json,
    /// One JSON document a line; other lines are treated as text.
    Ndjson,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
    /// INI, `.pgpass`, netrc and the like.
    Ini,
    /// `KEY=value` lines: every key that is not known to be harmless is masked.
    Env,
    /// HTTP headers.
    Headers,
    /// Anything else.
    Text,
}

/// Archives that are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Archive {
    Gzip,
    Tar,
}

/// What the first bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    Text(Format),
    Archive(Archive),
    /// Nothing that can be redacted; why.
    Unreadable(&'static str),
}

/// Looks at the name, the hint and the first bytes.
pub(crate) fn sniff(name: &str, hint: Format, head: &[u8]) -> Sniffed {
    if head.starts_with(&[0x1f, 0x8b]) {
        return Sniffed::Archive(Archive::Gzip);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Sniffed::Archive(Archive::Tar);
    }
    for (magic, reason) in [
        (&b"PK\x03\x04"[..], "zip archives are not looked into"),
        (b"PK\x05\x06", "zip archives are not looked into"),
        (b"\x28\xb5\x2f\xfd", "zstd data is not unpacked"),
        (b"BZh", "bzip2 data is not unpacked"),
        (b"\xfd7zXZ", "xz data is not unpacked"),
        (b"7z\xbc\xaf", "7z archives are not looked into"),
        (b"\xff\xfe", "text in UTF-16 is not read"),
        (b"\xfe\xff", "text in UTF-16 is not read"),
    ] {
        // Text may begin with the letters of bzip2.
        if head.starts_with(magic)
            && (magic != b"BZh"
                || head.get(3).is_some_and(u8::is_ascii_digit) && head.get(4) == Some(&b'1'))
        {
            return Sniffed::Unreadable(reason);
        }
    }
    let odd = head.iter().filter(|byte| matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f)).count();
    if head.contains(&0) || odd * 20 > head.len() {
        return Sniffed::Unreadable("binary data of a type that is not read");
    }
    Sniffed::Text(if hint == Format::Auto { guess(name, head) } else { hint })
}

fn guess(name: &str, head: &[u8]) -> Format {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "json" => return Format::Json,
        "ndjson" | "jsonl" => return Format::Ndjson,
        "toml" => return Format::Toml,
        "yaml" | "yml" => return Format::Yaml,
        "ini" | "cfg" | "conf" | "pgpass" | "netrc" => return Format::Ini,
        "env" => return Format::Env,
        "headers" => return Format::Headers,
        _ => {}
    }
    if file.starts_with(".env") {
        return Format::Env;
    }
    let start = head.trim_ascii_start();
    if matches!(start.first(), Some(b'{' | b'[')) {
        let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
        let whole = start.len() > line.len() + 1
            && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
        return if whole { Format::Ndjson } else { Format::Json };
    }
    if is_env(head) { Format::Env } else { Format::Text }
}

/// Whether every line sets a variable, and there are at least two.
fn is_env(head: &[u8]) -> bool {
    // The last line may be cut.
    let whole = memchr::memrchr(b'\n', head).map_or(head, |end| &head[..end]);
    let mut sets = 0;
    for line in whole.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let name = line
            .iter()
            .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_')
            .count();
        if name < 2 || line.get(name) != Some(&b'=') {
            return false;
        }
        sets += 1;
    }
    sets >= 2
}
