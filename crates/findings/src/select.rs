//! Which rules to judge: by id, alias or tag, with exceptions.

use std::str::FromStr;

use crate::catalogue::Catalogue;
use crate::model::Rule;

/// A choice of rules. Written as words separated by commas: an id or alias (`machine.oom`), a tag (`tag:postgres`), either
/// with `-` in front to leave it out. Without a positive word, everything not left out is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    only: Vec<Choice>,
    except: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    Name(String),
    Tag(String),
}

/// Why a selection makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// A word is empty.
    #[error("an empty word in the selection '{0}'")]
    Empty(String),
    /// No rule has this id, alias or tag; a selection that chooses nothing would look like a clean result.
    #[error("no rule has the {what} '{word}'")]
    Unknown {
        /// `id` or `tag`.
        what: &'static str,
        /// The word.
        word: String,
    },
}

impl Choice {
    fn matches(&self, rule: &Rule) -> bool {
        match self {
            Self::Name(name) => rule.names().any(|known| known == name),
            Self::Tag(tag) => rule.tags.contains(&tag.as_str()),
        }
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let mut selection = Self::default();
        for word in text.split(',').map(str::trim) {
            let (list, word) = match word.strip_prefix('-') {
                Some(rest) => (&mut selection.except, rest),
                None => (&mut selection.only, word),
            };
            let (choice, rest) = match word.strip_prefix("tag:") {
                Some(tag) => (Choice::Tag(tag.to_owned()), tag),
                None => (Choice::Name(word.to_owned()), word),
            };
            if rest.is_empty() {
                return Err(SelectionError::Empty(text.to_owned()));
            }
            list.push(choice);
        }
        Ok(selection)
    }
}

impl Selection {
    /// Whether a rule is chosen.
    pub fn chooses(&self, rule: &Rule) -> bool {
        let is_in = |choices: &[Choice]| choices.iter().any(|choice| choice.matches(rule));
        (self.only.is_empty() || is_in(&self.only)) && !is_in(&self.except)
    }

    /// Refuses a selection with a word that no rule of the catalogue answers to.
    pub fn check(&self, catalogue: &Catalogue) -> Result<(), SelectionError> {
        for choice in self.only.iter().chain(&self.except) {
            if !catalogue.rules().iter().any(|rule| choice.matches(rule)) {
                let (what, word) = match choice {
                    Choice::Name(word) => ("id", word),
                    Choice::Tag(word) => ("tag", word),
                };
                return Err(SelectionError::Unknown { what, word: word.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    const fn rule(id: &'static str, tags: &'static [&'static str]) -> Rule {
        let aliases: &[&str] = if tags.len() > 1 { &["other.name"] } else { &[] };
        Rule {
            id,
            title: "t",
            severity: Severity::Info,
            tags,
            aliases,
            explanation: "e",
            basis: "b",
        }
    }

    const RULES: [Rule; 3] =
        [rule("a.one", &["x"]), rule("a.two", &["x", "y"]), rule("b.three", &["z"])];

    fn chosen(text: &str) -> Vec<&'static str> {
        let selection: Selection = text.parse().unwrap();
        RULES.iter().filter(|rule| selection.chooses(rule)).map(|rule| rule.id).collect()
    }

    #[test]
    fn by_id_alias_and_tag_with_exceptions() {
        assert_eq!(chosen("a.one"), ["a.one"]);
        assert_eq!(chosen("other.name"), ["a.two"]);
        assert_eq!(chosen("tag:x"), ["a.one", "a.two"]);
        assert_eq!(chosen("tag:x, -a.one"), ["a.two"]);
        assert_eq!(chosen("-tag:y"), ["a.one", "b.three"]);
        assert_eq!(chosen("tag:z,a.one"), ["a.one", "b.three"]);
        assert!(RULES.iter().all(|rule| Selection::default().chooses(rule)));
    }

    #[test]
    fn words_that_choose_nothing_are_refused() {
        let catalogue = Catalogue::new(RULES);
        for text in ["tag:nothing", "a.zero", "-a.zero", "a.one,tag:nothing"] {
            let selection: Selection = text.parse().unwrap();
            assert!(selection.check(&catalogue).is_err(), "{text}");
        }
        for text in ["", "a.one,,b", "tag:", "-"] {
            assert_eq!(text.parse::<Selection>(), Err(SelectionError::Empty(text.to_owned())));
        }
        assert_eq!("other.name,-tag:z".parse::<Selection>().unwrap().check(&catalogue), Ok(()));
    }
}
