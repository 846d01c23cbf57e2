//! Tables under construction.

use super::index::Index;
use super::mistake::{Mistake, MistakeKind};
use super::tree::{Entry, Key, Kind, Origin, Table, Value};
use crate::span::Span;

/// A table under construction. Nodes refer to each other by number, so that a header can find its parent anywhere.
pub(super) struct Node {
    /// How the table is written, as far as is known.
    pub(super) origin: Origin,
    /// Places of the names.
    pub(super) keys: Index,
    /// Keys with what they hold and the range that defines them.
    pub(super) slots: Vec<(Key, Slot, Span)>,
}

/// What a key holds.
pub(super) enum Slot {
    /// A value of its own.
    Value(Value),
    /// Another node, and its header.
    Table(usize, Span),
    /// Nodes of an array of tables, and their headers.
    Tables(Vec<(usize, Span)>),
}

impl Node {
    /// An empty one.
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, keys: Index::default(), slots: Vec::new() }
    }

    /// The place of a name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.keys.find(name, self.slots.len(), |at| &self.slots[at].0.name)
    }

    /// Adds a name that is not there.
    pub(super) fn push(&mut self, key: Key, slot: Slot, whole: Span) {
        if self.slots.is_empty() {
            // Many tables hold one key only; growing starts at four.
            self.slots.reserve_exact(1);
        }
        self.slots.push((key, slot, whole));
        let slots = &self.slots;
        self.keys.pushed(slots.len(), |at| &slots[at].0.name);
    }
}

/// Adds a key to an inline table, which may not be reopened.
pub(super) fn put_inline(
    table: &mut Table,
    mut path: Vec<Key>,
    value: Value,
    whole: Span,
    mistakes: &mut Vec<Mistake>,
) {
    let first = path.remove(0);
    let known = table.get(&first.name).map(|entry| entry.key.span);
    if path.is_empty() {
        match known {
            Some(other) => mistakes.push(Mistake {
                kind: MistakeKind::Duplicate,
                message: format!("`{}` is defined twice", first.name),
                span: first.span,
                context: Some(other),
            }),
            None => table.insert(Entry { key: first, value, span: whole }),
        }
        return;
    }
    if known.is_none() {
        let value = Value { kind: Kind::Table(Table::new(Origin::Dotted)), span: whole };
        table.insert(Entry { key: first.clone(), value, span: whole });
    }
    match table.value_mut(&first.name).map(|value| &mut value.kind) {
        Some(Kind::Table(child)) if child.origin == Origin::Dotted => {
            put_inline(child, path, value, whole, mistakes);
        }
        _ => mistakes.push(Mistake {
            kind: MistakeKind::TableConflict,
            message: format!("`{}` already has a value of another kind", first.name),
            span: first.span,
            context: known,
        }),
    }
}
