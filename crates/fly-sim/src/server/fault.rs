//! Which call a scripted fault hits. Doing it to the connection is the server's part.

use crate::world::fault::{EffectKind, FaultFile};

#[derive(Debug)]
pub(crate) struct Faults {
    faults: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    file: FaultFile,
    on: bool,
    matched: u64,
    landed: u64,
}

impl Faults {
    pub(crate) fn new(files: &[FaultFile]) -> Self {
        let armed =
            |file: &FaultFile| Armed { file: file.clone(), on: file.on, matched: 0, landed: 0 };
        Self { faults: files.iter().map(armed).collect() }
    }

    /// The fault that hits this call, after counting it for all that match.
    pub(crate) fn hit(&mut self, method: &str, path: &str, fields: &[String]) -> Option<FaultFile> {
        let mut hit = None;
        for fault in &mut self.faults {
            if !fault.on || !fault.matches(method, path, fields) {
                continue;
            }
            fault.matched += 1;
            let end = fault.file.count.map_or(u64::MAX, |n| fault.file.from.saturating_add(n));
            if hit.is_none() && (fault.file.from..end).contains(&fault.matched) {
                hit = Some(fault.file.clone());
            }
        }
        hit
    }

    /// Switches all faults of this name; false when there is none.
    pub(crate) fn switch(&mut self, name: &str, on: bool) -> bool {
        let mut found = false;
        for fault in self.faults.iter_mut().filter(|fault| fault.file.name == name) {
            fault.on = on;
            fault.matched = 0;
            found = true;
        }
        found
    }

    pub(crate) fn add(&mut self, file: FaultFile) {
        self.faults.push(Armed { on: file.on, file, matched: 0, landed: 0 });
    }

    /// A call was hit, and what it still has of an effect is there.
    pub(crate) fn land(&mut self, name: &str) {
        if let Some(fault) = self.faults.iter_mut().find(|fault| fault.file.name == name) {
            fault.landed += 1;
        }
    }

    /// How often the fault of this name landed.
    pub(crate) fn landed(&self, name: &str) -> u64 {
        self.faults.iter().filter(|fault| fault.file.name == name).map(|fault| fault.landed).sum()
    }

    /// Names of all faults, and whether each is on.
    pub(crate) fn list(&self) -> Vec<(String, bool)> {
        self.faults.iter().map(|fault| (fault.file.name.clone(), fault.on)).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }
}

impl Armed {
    fn matches(&self, method: &str, path: &str, fields: &[String]) -> bool {
        method_matches(&self.file.method, method)
            && path_matches(&self.file.path, path)
            && self.file.graphql.as_ref().is_none_or(|field| fields.contains(field))
    }
}

/// Whether a request with this fault still has its effect.
pub(crate) fn has_effect(kind: EffectKind) -> bool {
    !matches!(
        kind,
        EffectKind::Status | EffectKind::Hang | EffectKind::Refuse | EffectKind::Garbage
    )
}

fn method_matches(pattern: &str, method: &str) -> bool {
    match pattern.strip_prefix('!') {
        Some(other) => !other.eq_ignore_ascii_case(method),
        None => pattern == "*" || pattern.eq_ignore_ascii_case(method),
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        if wanted == "**" {
            return true;
        }
        match segments.next() {
            Some(segment) if wanted == "*" || wanted == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/v1/apps/*/machines", "/v1/apps/a/machines", true),
            ("/v1/apps/*/machines", "/v1/apps/a/machines/1", false),
            ("/v1/**", "/v1/apps/a/machines/1", true),
            ("/v1/apps/*/machines", "/v1/apps/a", false),
            ("/graphql", "/graphql", true),
        ] {
            assert_eq!(path_matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn methods() {
        for (pattern, method, expected) in [
            ("*", "GET", true),
            ("get", "GET", true),
            ("!GET", "GET", false),
            ("!GET", "POST", true),
        ] {
            assert_eq!(method_matches(pattern, method), expected, "{pattern} {method}");
        }
    }

    #[test]
    fn the_nth_call_is_hit() {
        let text = "path = '/x'\neffect = 'hang'\nfrom = 2\ncount = 2\nname = 'h'";
        let mut faults = Faults::new(&[toml::from_str(text).unwrap()]);
        let hits: Vec<bool> = (0..5).map(|_| faults.hit("GET", "/x", &[]).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.switch("h", false));
        assert!(faults.hit("GET", "/x", &[]).is_none());
        assert!(!faults.switch("other", false));
    }
}
