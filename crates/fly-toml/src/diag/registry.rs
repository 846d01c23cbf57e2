//! Every code there is.

use std::fmt::Write as _;

use super::Code;

/// All codes: those of reading and validation first, then the lints.
pub fn all() -> Vec<&'static Code> {
    let mut codes = crate::schema::codes::ALL.to_vec();
    codes.extend(crate::verdict::codes::ALL);
    codes.extend(crate::convert::codes::ALL);
    codes.extend(crate::lint::ALL.iter().map(|lint| lint.code));
    codes.extend(crate::dockerfile::ALL.iter().map(|lint| lint.code));
    codes
}

/// The code of an id.
pub fn by_id(id: &str) -> Option<&'static Code> {
    all().into_iter().find(|code| code.id == id)
}

/// The list of all codes in Markdown, by grade, each linked to its page.
pub fn index_page() -> String {
    let mut page = String::from(
        "# Codes of fly-toml\n\nWhat `fly-toml check` can say. `fly-toml explain CODE` prints the page of a code.\n",
    );
    let mut codes = all();
    codes.sort_by_key(|code| (code.grade as u8, code.id));
    let mut grade = None;
    for code in codes {
        if grade != Some(code.grade) {
            grade = Some(code.grade);
            let _ = write!(page, "\n## {}\n\n", code.grade.name());
        }
        let _ = writeln!(page, "- [{0}]({0}.md): {1}", code.id, code.title);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_pages_complete() {
        let codes = all();
        let mut ids: Vec<&str> = codes.iter().map(|code| code.id).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for code in codes {
            let kebab =
                code.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(kebab, "{}", code.id);
            assert!(!code.why.is_empty() && !code.source.is_empty(), "{}", code.id);
            assert!(code.page().starts_with(&format!("# {}\n", code.id)));
        }
    }
}
