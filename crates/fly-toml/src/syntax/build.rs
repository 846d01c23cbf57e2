//! From parser events to the tree, going on after each mistake.

use std::borrow::Cow;

use toml_parser::Source;
use toml_parser::decoder::ScalarKind;
use toml_parser::parser::{Event, EventKind, RecursionGuard, ValidateWhitespace, parse_document};

use super::mistake::{Errors, MAX_MISTAKES, Mistake, MistakeKind, syntax_mistake};
use super::node::{Node, Slot, put_inline};
use super::tree::{Entry, Key, Kind, Origin, Table, Value};
use crate::span::Span;

/// Nesting of arrays and inline tables, and parts of one key. Far beyond any use; it keeps the stack safe.
const MAX_DEPTH: u32 = 64;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parses a text. The tree holds whatever could be understood.
pub fn parse(text: &str) -> (Table, Vec<Mistake>) {
    let mut errors = Errors::default();
    let events = parser_events(text, &mut errors);
    let source = Source::new(text);
    let mut builder = Builder {
        source,
        events: &events,
        at: 0,
        errors,
        mistakes: Vec::new(),
        nodes: vec![Node::new(Origin::Root)],
        current: 0,
    };
    if text.starts_with(BYTE_ORDER_MARK) {
        // The lexer skips it; the parser of flyctl does not.
        builder.complain(
            Span::new(0, BYTE_ORDER_MARK.len_utf8()),
            "the file begins with a byte order mark",
        );
    }
    builder.document();
    builder.finish(text.len())
}

/// What the text consists of, white space and comments included.
pub(crate) fn events(text: &str) -> Vec<Event> {
    parser_events(text, &mut Errors::default())
}

fn parser_events(text: &str, errors: &mut Errors) -> Vec<Event> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut checked = ValidateWhitespace::new(&mut events, source);
    let mut guarded = RecursionGuard::new(&mut checked, MAX_DEPTH);
    parse_document(&tokens, &mut guarded, errors);
    events
}

struct Builder<'s, 'e> {
    source: Source<'s>,
    events: &'e [Event],
    at: usize,
    errors: Errors,
    mistakes: Vec<Mistake>,
    nodes: Vec<Node>,
    current: usize,
}

fn span(event: &Event) -> Span {
    Span::new(event.span().start(), event.span().end())
}

impl Builder<'_, '_> {
    fn next(&mut self) -> Option<Event> {
        let event = self.events.get(self.at).copied();
        self.at += 1;
        event
    }

    fn peek(&self) -> Option<EventKind> {
        self.events.get(self.at).map(Event::kind)
    }

    fn document(&mut self) {
        while let Some(event) = self.next() {
            if self.full() {
                // No TOML at all: nothing that follows would be told.
                break;
            }
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => self.header(&event),
                EventKind::SimpleKey => {
                    let path = self.key(&event);
                    if let Some((value, whole)) = self.after_key(&path) {
                        self.put(self.current, path, value, whole);
                    }
                }
                _ => {}
            }
        }
    }

    /// The parts of a dotted key whose first part is `event`.
    fn key(&mut self, event: &Event) -> Vec<Key> {
        let mut path = vec![self.simple_key(event)];
        loop {
            let mut ahead = self.at;
            while self.events.get(ahead).is_some_and(|event| event.kind() == EventKind::Whitespace)
            {
                ahead += 1;
            }
            if self.events.get(ahead).map(Event::kind) != Some(EventKind::KeySep) {
                break;
            }
            self.at = ahead + 1;
            while self.peek() == Some(EventKind::Whitespace) {
                self.at += 1;
            }
            if self.peek() != Some(EventKind::SimpleKey) {
                break;
            }
            if let Some(event) = self.next() {
                let part = self.simple_key(&event);
                path.push(part);
            }
        }
        if path.len() > MAX_DEPTH as usize {
            let whole = path[0].span.join(path[path.len() - 1].span);
            self.note(Mistake {
                kind: MistakeKind::Depth,
                message: format!("this key has {} parts; at most {MAX_DEPTH} are read", path.len()),
                span: whole,
                context: None,
            });
            path.truncate(1);
        }
        path
    }

    fn simple_key(&mut self, event: &Event) -> Key {
        let mut name = Cow::Borrowed("");
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut name, &mut self.errors);
        }
        Key { name: name.into_owned(), span: span(event) }
    }

    /// The value after a key and the whole range of `key = value`; `None` when the line is cut short.
    fn after_key(&mut self, path: &[Key]) -> Option<(Value, Span)> {
        while self.peek() == Some(EventKind::Whitespace) {
            self.at += 1;
        }
        if self.peek() != Some(EventKind::KeyValSep) {
            return None;
        }
        self.at += 1;
        while self.peek() == Some(EventKind::Whitespace) {
            self.at += 1;
        }
        let value = self.value()?;
        let whole = path[0].span.join(value.span);
        Some((value, whole))
    }

    fn value(&mut self) -> Option<Value> {
        let ready = matches!(
            self.peek()?,
            EventKind::Scalar | EventKind::ArrayOpen | EventKind::InlineTableOpen
        );
        if !ready {
            return None;
        }
        let event = self.next()?;
        Some(match event.kind() {
            EventKind::ArrayOpen => self.array(&event),
            EventKind::InlineTableOpen => self.inline_table(&event),
            _ => self.scalar(&event),
        })
    }

    fn array(&mut self, open: &Event) -> Value {
        let mut items = Vec::new();
        let mut whole = span(open);
        while let Some(kind) = self.peek() {
            match kind {
                EventKind::ArrayClose => {
                    if let Some(event) = self.next() {
                        whole = whole.join(span(&event));
                    }
                    break;
                }
                EventKind::Scalar | EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    if let Some(item) = self.value() {
                        whole = whole.join(item.span);
                        items.push(item);
                    }
                }
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => break,
                _ => self.at += 1,
            }
        }
        Value { kind: Kind::Array(items), span: whole }
    }

    fn inline_table(&mut self, open: &Event) -> Value {
        let mut table = Table::new(Origin::Inline);
        let mut whole = span(open);
        while let Some(kind) = self.peek() {
            match kind {
                EventKind::InlineTableClose => {
                    if let Some(event) = self.next() {
                        whole = whole.join(span(&event));
                    }
                    break;
                }
                EventKind::SimpleKey => {
                    let Some(event) = self.next() else { break };
                    let path = self.key(&event);
                    if let Some((value, range)) = self.after_key(&path) {
                        whole = whole.join(range);
                        let mut mistakes = Vec::new();
                        put_inline(&mut table, path, value, range, &mut mistakes);
                        for mistake in mistakes {
                            self.note(mistake);
                        }
                    }
                }
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => break,
                _ => self.at += 1,
            }
        }
        Value { kind: Kind::Table(table), span: whole }
    }

    fn scalar(&mut self, event: &Event) -> Value {
        let range = span(event);
        let Some(raw) = self.source.get(event) else {
            return Value { kind: Kind::Null, span: range };
        };
        let mut text = Cow::Borrowed("");
        let before = self.errors.seen;
        let scalar = raw.decode_scalar(&mut text, &mut self.errors);
        // A literal that is wrong is reported by the decoder; it still needs some kind.
        let broken = self.errors.seen > before;
        let kind = match scalar {
            ScalarKind::String => Kind::String(text.into_owned()),
            ScalarKind::Boolean(value) => Kind::Boolean(value),
            ScalarKind::DateTime => {
                if !broken && text.parse::<toml_datetime::Datetime>().is_err() {
                    self.complain(range, "this date or time does not exist");
                }
                Kind::Datetime(text.into_owned())
            }
            ScalarKind::Float => {
                let number = text.parse::<f64>().unwrap_or(f64::NAN);
                if !broken && number.is_infinite() && !text.contains("inf") {
                    self.complain(range, "this number is too large");
                }
                Kind::Float(number)
            }
            ScalarKind::Integer(radix) => {
                let number = i64::from_str_radix(&text, radix.value());
                if number.is_err() && !broken {
                    self.complain(range, "this number does not fit into 64 bits");
                }
                Kind::Integer(number.unwrap_or(i64::MAX))
            }
        };
        Value { kind, span: range }
    }

    fn note(&mut self, mistake: Mistake) {
        if !self.full() {
            self.mistakes.push(mistake);
        }
    }

    fn complain(&mut self, span: Span, message: &str) {
        let message = message.to_owned();
        self.note(Mistake { kind: MistakeKind::Syntax, message, span, context: None });
    }

    fn header(&mut self, open: &Event) {
        let is_array = open.kind() == EventKind::ArrayTableOpen;
        let mut whole = span(open);
        let mut path = Vec::new();
        while let Some(kind) = self.peek() {
            match kind {
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    if let Some(event) = self.next() {
                        whole = whole.join(span(&event));
                    }
                    break;
                }
                EventKind::SimpleKey => {
                    let Some(event) = self.next() else { break };
                    path = self.key(&event);
                    if let Some(last) = path.last() {
                        whole = whole.join(last.span);
                    }
                }
                EventKind::Whitespace => self.at += 1,
                _ => break,
            }
        }
        let Some(last) = path.pop() else {
            // Keys below a header without a name belong nowhere.
            self.current = self.orphan();
            return;
        };
        let mut node = 0;
        for part in path {
            node = self.descend(node, part, Origin::Implicit, whole);
        }
        self.current = self.open(node, last, whole, is_array);
    }

    /// A node that hangs nowhere: what stands in it is still read, for the mistakes in it.
    fn orphan(&mut self) -> usize {
        self.nodes.push(Node::new(Origin::Header));
        self.nodes.len() - 1
    }

    /// The child `part` of a node, made when it is missing.
    fn descend(&mut self, node: usize, part: Key, origin: Origin, whole: Span) -> usize {
        if let Some(at) = self.nodes[node].find(&part.name) {
            let (first, slot, _) = &self.nodes[node].slots[at];
            let first = first.span;
            match slot {
                Slot::Table(child, _) => {
                    let child = *child;
                    let by_header =
                        matches!(self.nodes[child].origin, Origin::Header | Origin::Implicit);
                    let closed = origin == Origin::Dotted && by_header;
                    if closed {
                        self.duplicate(&part, first);
                    }
                    return child;
                }
                Slot::Tables(items) => {
                    let last = items.last().map(|(child, _)| *child);
                    if origin == Origin::Dotted {
                        self.duplicate(&part, first);
                    }
                    return last.unwrap_or(node);
                }
                Slot::Value(_) => {
                    self.conflict(&part, first);
                    // The later spelling is taken as the intended one.
                    let child = self.orphan();
                    self.nodes[child].origin = origin;
                    self.nodes[node].slots[at].1 = Slot::Table(child, whole);
                    return child;
                }
            }
        }
        self.nodes.push(Node::new(origin));
        let child = self.nodes.len() - 1;
        self.attach(node, part, Slot::Table(child, whole), whole);
        child
    }

    fn attach(&mut self, node: usize, key: Key, slot: Slot, whole: Span) {
        self.nodes[node].push(key, slot, whole);
    }

    /// The node that a header opens.
    fn open(&mut self, parent: usize, key: Key, whole: Span, is_array: bool) -> usize {
        let child = self.orphan();
        let Some(at) = self.nodes[parent].find(&key.name) else {
            let slot = if is_array {
                Slot::Tables(vec![(child, whole)])
            } else {
                Slot::Table(child, whole)
            };
            self.attach(parent, key, slot, whole);
            return child;
        };
        let first = self.nodes[parent].slots[at].0.span;
        match (&mut self.nodes[parent].slots[at].1, is_array) {
            (Slot::Tables(items), true) => {
                items.push((child, whole));
                child
            }
            (Slot::Table(old, _), false) => {
                let old = *old;
                let implicit = self.nodes[old].origin == Origin::Implicit;
                if implicit {
                    self.nodes[parent].slots[at].1 = Slot::Table(old, whole);
                    self.nodes[old].origin = Origin::Header;
                    self.nodes[parent].slots[at].0 = key;
                    self.nodes[parent].slots[at].2 = whole;
                } else {
                    self.duplicate(&key, first);
                }
                old
            }
            (Slot::Value(_), _) => {
                self.conflict(&key, first);
                self.nodes[parent].slots[at].1 = if is_array {
                    Slot::Tables(vec![(child, whole)])
                } else {
                    Slot::Table(child, whole)
                };
                child
            }
            (Slot::Tables(_), false) | (Slot::Table(..), true) => {
                self.conflict(&key, first);
                child
            }
        }
    }

    fn put(&mut self, node: usize, mut path: Vec<Key>, value: Value, whole: Span) {
        let Some(last) = path.pop() else { return };
        let mut node = node;
        for part in path {
            node = self.descend(node, part, Origin::Dotted, whole);
        }
        if let Some(at) = self.nodes[node].find(&last.name) {
            let first = self.nodes[node].slots[at].0.span;
            match self.nodes[node].slots[at].1 {
                Slot::Value(_) => self.duplicate(&last, first),
                _ => self.conflict(&last, first),
            }
            return;
        }
        self.attach(node, last, Slot::Value(value), whole);
    }

    /// Whether further mistakes would be dropped, so that their words need not be made.
    fn full(&self) -> bool {
        self.mistakes.len() >= 4 * MAX_MISTAKES
    }

    fn duplicate(&mut self, key: &Key, first: Span) {
        if self.full() {
            return;
        }
        self.note(Mistake {
            kind: MistakeKind::Duplicate,
            message: format!("`{}` is defined twice", key.name),
            span: key.span,
            context: Some(first),
        });
    }

    fn conflict(&mut self, key: &Key, first: Span) {
        if self.full() {
            return;
        }
        self.note(Mistake {
            kind: MistakeKind::TableConflict,
            message: format!("`{}` already has a value of another kind", key.name),
            span: key.span,
            context: Some(first),
        });
    }

    fn finish(mut self, length: usize) -> (Table, Vec<Mistake>) {
        for error in std::mem::take(&mut self.errors.kept) {
            self.note(syntax_mistake(&error, length));
        }
        self.mistakes.sort_by_key(|mistake| (mistake.span, mistake.context));
        self.mistakes.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        self.mistakes.truncate(MAX_MISTAKES);
        let root = self.table(0);
        (root, self.mistakes)
    }

    fn table(&mut self, node: usize) -> Table {
        let Node { origin, slots, keys } =
            std::mem::replace(&mut self.nodes[node], Node::new(Origin::Implicit));
        let mut entries = Vec::with_capacity(slots.len());
        for (key, slot, whole) in slots {
            let value = match slot {
                Slot::Value(value) => value,
                Slot::Table(child, place) => {
                    Value { kind: Kind::Table(self.table(child)), span: place }
                }
                Slot::Tables(items) => {
                    let items: Vec<Value> = items
                        .into_iter()
                        .map(|(child, place)| Value {
                            kind: Kind::Table(self.table(child)),
                            span: place,
                        })
                        .collect();
                    Value { kind: Kind::Array(items), span: whole }
                }
            };
            entries.push(Entry { key, value, span: whole });
        }
        Table::of(origin, entries, keys)
    }
}
