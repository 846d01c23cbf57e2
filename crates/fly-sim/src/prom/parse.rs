//! The part of PromQL that is understood: selectors with matchers, ranges and offsets, numbers, arithmetic and comparison,
//! aggregations with `by` and `without`, and function calls.

use regex_automata::meta::Regex;

use super::value::Labels;

#[derive(Debug)]
pub(crate) enum Expr {
    Number(f64),
    /// Understood as an argument that no function here takes.
    Text,
    Select {
        selector: Selector,
        range: Option<f64>,
        offset: f64,
    },
    Call {
        name: String,
        args: Vec<Expr>,
    },
    Aggregate {
        name: String,
        args: Vec<Expr>,
        labels: Vec<String>,
        without: bool,
    },
    Binary {
        op: String,
        left: Box<Expr>,
        right: Box<Expr>,
        matching: Matching,
    },
    Negate(Box<Expr>),
}

/// How the sides of an operation between vectors are paired.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// `on(…)` and `ignoring(…)`.
    pub(crate) labels: Option<(bool, Vec<String>)>,
    pub(crate) bool_result: bool,
    /// `group_left`: several on the left find the same on the right.
    pub(crate) many: bool,
}

#[derive(Debug)]
pub(crate) struct Selector {
    matchers: Vec<Matcher>,
}

#[derive(Debug)]
struct Matcher {
    label: String,
    equal: bool,
    text: String,
    regex: Option<Regex>,
}

impl Selector {
    pub(crate) fn fits(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = labels.0.get(&matcher.label).map_or("", String::as_str);
            let same = match &matcher.regex {
                Some(regex) => regex.is_match(value),
                None => value == matcher.text,
            };
            same == matcher.equal
        })
    }
}

pub(crate) const AGGREGATIONS: [&str; 8] =
    ["sum", "min", "max", "avg", "count", "topk", "bottomk", "quantile"];

/// `90`, `5m`, `1h30m`, in seconds.
pub(crate) fn duration(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_end =
            rest[end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| end + at);
        total += number
            * match &rest[end..unit_end] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                "w" => 604_800.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.binary(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.error("unparsed data left"));
    }
    Ok(expression)
}

/// `name{label="value"}` alone.
pub(crate) fn selector(text: &str) -> Result<Selector, String> {
    match parse(text)? {
        Expr::Select { selector, range: None, .. } => Ok(selector),
        _ => Err(format!("{text:?} is no series selector")),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

/// Operators by how tightly they bind.
const LEVELS: [&[&str]; 5] = [
    &["or", "unless"],
    &["and"],
    &["==", "!=", ">=", "<=", ">", "<"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Brackets nested deeper than this are refused.
const DEEPEST: usize = 50;

impl<'t> Parser<'t> {
    fn error(&self, what: &str) -> String {
        format!("cannot parse query: {what} at position {} of {:?}", self.at, self.text)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let rest = self.rest();
        let word = token.chars().all(char::is_alphanumeric);
        let found = rest.starts_with(token)
            && !(word
                && rest[token.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if found {
            self.at += token.len();
        }
        found
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(self.error(&format!("missing {token:?}"))) }
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(op) = operators.iter().find(|op| self.take(op)) {
            let matching = self.matching()?;
            let right = Box::new(self.binary(level + 1)?);
            left = Expr::Binary { op: (*op).to_owned(), left: Box::new(left), right, matching };
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Matching, String> {
        let mut matching = Matching { bool_result: self.take("bool"), ..Matching::default() };
        for (word, on) in [("on", true), ("ignoring", false)] {
            if self.take(word) {
                matching.labels = Some((on, self.names()?));
            }
        }
        if self.take("group_left") {
            matching.many = true;
            self.space();
            if self.rest().starts_with('(') {
                self.names()?;
            }
        }
        Ok(matching)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("too deeply nested"));
        }
        let expression = if self.take("-") {
            Expr::Negate(Box::new(self.unary()?))
        } else if self.take("(") {
            let inner = self.binary(0)?;
            self.need(")")?;
            inner
        } else {
            self.space();
            match self.rest().chars().next() {
                Some(c) if c.is_ascii_digit() || c == '.' => self.number()?,
                Some('"' | '\'') => {
                    self.quoted()?;
                    Expr::Text
                }
                Some(c) if c.is_alphabetic() || c == '_' || c == '{' => self.named()?,
                _ => return Err(self.error("missing an expression")),
            }
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn number(&mut self) -> Result<Expr, String> {
        let end = self
            .rest()
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != 'e')
            .unwrap_or(self.rest().len());
        let number = self.rest()[..end].parse().map_err(|_| self.error("bad number"))?;
        self.at += end;
        Ok(Expr::Number(number))
    }

    fn name(&mut self) -> String {
        self.space();
        let end = self
            .rest()
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
            .unwrap_or(self.rest().len());
        let name = self.rest()[..end].to_owned();
        self.at += end;
        name
    }

    fn names(&mut self) -> Result<Vec<String>, String> {
        self.need("(")?;
        let mut names = Vec::new();
        while !self.take(")") {
            let name = self.name();
            if name.is_empty() {
                return Err(self.error("missing a label name"));
            }
            names.push(name);
            self.take(",");
        }
        Ok(names)
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.space();
        let mut chars = self.rest().char_indices();
        let Some((_, quote @ ('"' | '\''))) = chars.next() else {
            return Err(self.error("missing a quoted text"));
        };
        let mut out = String::new();
        let mut escaped = false;
        for (place, c) in chars {
            match c {
                _ if escaped => {
                    out.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    });
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == quote => {
                    self.at += place + 1;
                    return Ok(out);
                }
                c => out.push(c),
            }
        }
        Err(self.error("text without an end"))
    }

    fn named(&mut self) -> Result<Expr, String> {
        let name = self.name();
        self.space();
        if AGGREGATIONS.contains(&name.as_str()) {
            return self.aggregate(name);
        }
        if self.rest().starts_with('(') {
            return Ok(Expr::Call { name, args: self.args()? });
        }
        let mut matchers = Vec::new();
        if !name.is_empty() {
            let label = "__name__".to_owned();
            matchers.push(Matcher { label, equal: true, text: name, regex: None });
        }
        if self.take("{") {
            while !self.take("}") {
                matchers.push(self.matcher()?);
                self.take(",");
            }
        }
        let mut range = None;
        if self.take("[") {
            let end = self.rest().find(']').ok_or_else(|| self.error("missing \"]\""))?;
            // A subquery's step after the colon makes no difference for the functions here.
            let text = self.rest()[..end].split(':').next().unwrap_or_default().trim();
            range = Some(duration(text).ok_or_else(|| self.error("bad duration"))?);
            self.at += end + 1;
        }
        let mut offset = 0.0;
        if self.take("offset") {
            let text = self.name();
            offset = duration(&text).ok_or_else(|| self.error("bad offset"))?;
        }
        Ok(Expr::Select { selector: Selector { matchers }, range, offset })
    }

    fn matcher(&mut self) -> Result<Matcher, String> {
        let label = self.name();
        let (equal, regex) = if self.take("=~") {
            (true, true)
        } else if self.take("!~") {
            (false, true)
        } else if self.take("!=") {
            (false, false)
        } else {
            self.need("=")?;
            (true, false)
        };
        let text = self.quoted()?;
        let regex = if regex {
            let whole = format!("^(?:{text})$");
            Some(Regex::new(&whole).map_err(|_| self.error("bad regular expression"))?)
        } else {
            None
        };
        if label.is_empty() {
            return Err(self.error("missing a label name"));
        }
        Ok(Matcher { label, equal, text, regex })
    }

    fn aggregate(&mut self, name: String) -> Result<Expr, String> {
        let mut grouping = self.grouping()?;
        let args = self.args()?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let (without, labels) = grouping.unwrap_or_default();
        Ok(Expr::Aggregate { name, args, labels, without })
    }

    fn grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, String> {
        if self.take("by") {
            return Ok(Some((false, self.names()?)));
        }
        if self.take("without") {
            return Ok(Some((true, self.names()?)));
        }
        Ok(None)
    }

    fn args(&mut self) -> Result<Vec<Expr>, String> {
        self.need("(")?;
        let mut args = Vec::new();
        while !self.take(")") {
            args.push(self.binary(0)?);
            if !self.take(",") {
                self.need(")")?;
                break;
            }
        }
        Ok(args)
    }
}
