//! The rules of one tool, found by id or by an id under which another catalogue lists them.

use std::collections::BTreeMap;

use crate::model::Rule;

/// A set of rules.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    rules: Vec<Rule>,
    by_name: BTreeMap<&'static str, usize>,
}

impl Catalogue {
    /// The catalogue of these rules, in this order. Where two claim a name, the first has it; [`Catalogue::problems`] tells.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules: Vec<Rule> = rules.into_iter().collect();
        let mut by_name = BTreeMap::new();
        // Ids first: an alias never hides a rule of that id.
        for (index, rule) in rules.iter().enumerate() {
            by_name.entry(rule.id).or_insert(index);
        }
        for (index, rule) in rules.iter().enumerate() {
            for alias in rule.aliases {
                by_name.entry(alias).or_insert(index);
            }
        }
        Self { rules, by_name }
    }

    /// All rules, in the catalogue's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this id or alias.
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.position(name).map(|index| &self.rules[index])
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// What is wrong with the catalogue itself, for a test to assert that nothing is: names claimed twice, ids that are not
    /// lower-case words joined by dots and hyphens, texts missing.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut claimed: BTreeMap<&str, &str> = BTreeMap::new();
        for rule in &self.rules {
            for name in rule.names() {
                if let Some(other) = claimed.insert(name, rule.id) {
                    problems.push(format!("{}: the name '{name}' belongs to {other}", rule.id));
                }
            }
            let is_word = |word: &str| {
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                !word.is_empty() && word.chars().all(allowed)
            };
            if !rule.id.split(['.', '-']).all(is_word) {
                problems
                    .push(format!("{}: an id is lower-case words with dots or hyphens", rule.id));
            }
            for (what, text) in
                [("title", rule.title), ("explanation", rule.explanation), ("basis", rule.basis)]
            {
                if text.trim().is_empty() {
                    problems.push(format!("{}: no {what}", rule.id));
                }
            }
            if rule.tags.is_empty() {
                problems.push(format!("{}: no tags, so no selection finds it", rule.id));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    const OOM: Rule = Rule {
        id: "machine.oom",
        title: "killed for memory",
        severity: Severity::Error,
        tags: &["memory"],
        aliases: &["pg.oom"],
        explanation: "the kernel ended it",
        basis: "exit events",
    };

    #[test]
    fn rules_are_found_by_id_and_alias() {
        let catalogue = Catalogue::new([OOM]);
        assert_eq!(catalogue.problems(), Vec::<String>::new());
        assert_eq!(catalogue.get("machine.oom"), Some(&OOM));
        assert_eq!(catalogue.get("pg.oom"), Some(&OOM));
        assert_eq!(catalogue.get("machine"), None);
    }

    #[test]
    fn every_kind_of_mistake_is_named() {
        let alias = Rule { id: "pg.oom", aliases: &[], ..OOM };
        let shouting = Rule { id: "Machine..OOM", aliases: &[], title: " ", tags: &[], ..OOM };
        let catalogue = Catalogue::new([OOM, alias, OOM, shouting]);
        assert_eq!(catalogue.get("pg.oom"), Some(&alias), "an id wins over an alias");
        let problems = catalogue.problems().join("\n");
        for expected in [
            "pg.oom: the name 'pg.oom' belongs to machine.oom",
            "machine.oom: the name 'machine.oom' belongs to machine.oom",
            "Machine..OOM: an id is",
            "Machine..OOM: no title",
            "Machine..OOM: no tags",
        ] {
            assert!(problems.contains(expected), "{expected} in {problems}");
        }
    }
}
