//! Worlds that extend others: `extends = "healthy"` and then only what differs.
//!
//! The texts are laid one behind the other (each parsed behind as much white space as the ones before it are long), so
//! that every span of the merged table still says which file and which line it came from.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::WorldError;

/// A world's text and where it starts among the layers.
#[derive(Debug)]
pub(crate) struct Layer {
    name: String,
    /// The text behind `start` spaces.
    padded: String,
    start: usize,
}

/// The layers of a world, the outermost base first.
#[derive(Debug)]
pub(crate) struct Layers(Vec<Layer>);

/// What tables of one list are told apart by, in this order.
const IDENTITIES: [&str; 8] =
    ["id", "name", "slug", "hostname", "host", "address", "version", "code"];
/// Lists to which a world adds.
const ADDED: [&str; 3] = ["logs", "faults", "behaviors"];
/// Keys that say something about one world only.
const OWN: [&str; 3] = ["about", "expect", "extends"];
/// How many worlds may lie below one.
const DEEPEST: usize = 8;

impl Layers {
    /// Follows `extends`.
    pub(crate) fn of(text: &str, name: &str) -> Result<Self, WorldError> {
        let mut texts = vec![(name.to_owned(), text.to_owned())];
        while let Some((base, span)) = base(&texts[0].1, &texts[0].0)? {
            let Some(text) = super::embedded(&base).filter(|_| texts.len() < DEEPEST) else {
                let known = super::WORLD_NAMES.join(", ");
                let message = format!("no world '{base}' to extend; there are: {known}");
                return Err(WorldError::at(&texts[0].1, &texts[0].0, span, message));
            };
            texts.insert(0, (base, text.to_owned()));
        }
        let mut start = 0;
        let layers = texts.into_iter().map(|(name, text)| {
            let layer = Layer { name, padded: " ".repeat(start) + &text, start };
            start += text.len() + 1;
            layer
        });
        Ok(Self(layers.collect()))
    }

    /// All layers in one table.
    pub(crate) fn merged(&self) -> Result<Spanned<DeTable<'_>>, WorldError> {
        let mut whole: Option<Spanned<DeTable<'_>>> = None;
        for layer in &self.0 {
            let table = DeTable::parse(&layer.padded).map_err(|error| {
                let span = error.span().unwrap_or(layer.start..layer.start);
                self.error(span, error.message().to_owned())
            })?;
            match &mut whole {
                None => whole = Some(table),
                Some(whole) => {
                    let base = std::mem::take(whole.get_mut());
                    let kept = base.into_iter().filter(|(key, _)| !OWN.contains(&&**key.get_ref()));
                    *whole.get_mut() = kept.collect();
                    merge(whole.get_mut(), table.into_inner());
                }
            }
        }
        whole.ok_or_else(|| self.error(0..0, "no text".to_owned()))
    }

    /// The world that this one extends directly.
    pub(crate) fn parent(&self) -> Option<&str> {
        let count = self.0.len();
        (count > 1).then(|| self.0[count - 2].name.as_str())
    }

    /// An error at a place of the merged table.
    pub(crate) fn error(&self, span: Range<usize>, message: String) -> WorldError {
        // Without a place of its own a message is about the world itself, the last layer.
        let last = self.0.len() - 1;
        let index = match span {
            Range { start: 0, end: 0 } => last,
            _ => self.0.iter().rposition(|layer| layer.start <= span.start).unwrap_or(last),
        };
        let layer = &self.0[index];
        let start = span.start.saturating_sub(layer.start);
        let end = span.end.saturating_sub(layer.start);
        WorldError::at(&layer.padded[layer.start..], &layer.name, start..end, message)
    }
}

/// What a world extends, and where it says so.
fn base(text: &str, name: &str) -> Result<Option<(String, Range<usize>)>, WorldError> {
    let table = DeTable::parse(text).map_err(|error| {
        WorldError::at(text, name, error.span().unwrap_or(0..0), error.message().to_owned())
    })?;
    let found = table.get_ref().iter().find(|(key, _)| key.get_ref() == "extends");
    Ok(found.and_then(|(_, value)| Some((value.get_ref().as_str()?.to_owned(), value.span()))))
}

fn merge<'t>(base: &mut DeTable<'t>, over: DeTable<'t>) {
    for (key, value) in over {
        let name = key.get_ref().to_string();
        let Some(old) = base.remove(&key) else {
            base.insert(key, value);
            continue;
        };
        base.insert(key, merge_value(&name, old, value));
    }
}

fn merge_value<'t>(
    key: &str,
    old: Spanned<DeValue<'t>>,
    new: Spanned<DeValue<'t>>,
) -> Spanned<DeValue<'t>> {
    let span = new.span();
    match (old.into_inner(), new.into_inner()) {
        (DeValue::Table(mut old), DeValue::Table(new)) => {
            merge(&mut old, new);
            Spanned::new(span, DeValue::Table(old))
        }
        (DeValue::Array(old), DeValue::Array(new)) if new.iter().next().is_some() => {
            let (old, new) = (old.into_iter().collect(), new.into_iter().collect());
            let items = merge_lists(key, old, new);
            Spanned::new(span, DeValue::Array(items.into_iter().collect()))
        }
        (_, new) => Spanned::new(span, new),
    }
}

type Items<'t> = Vec<Spanned<DeValue<'t>>>;

/// By identity where the tables have one; otherwise the new list replaces the old one.
fn merge_lists<'t>(key: &str, mut old: Items<'t>, new: Items<'t>) -> Items<'t> {
    if ADDED.contains(&key) {
        old.extend(new);
        return old;
    }
    if !new.iter().all(|item| identity(item).is_some()) {
        return new;
    }
    for item in new {
        let place = old.iter().position(|other| {
            identity(&item).is_some_and(|(name, wanted)| field(other, name) == Some(wanted))
        });
        match place {
            Some(place) => {
                let base = std::mem::replace(&mut old[place], item.clone());
                old[place] = merge_value(key, base, item);
            }
            None => old.push(item),
        }
    }
    old
}

fn identity(item: &Spanned<DeValue<'_>>) -> Option<(&'static str, String)> {
    IDENTITIES.iter().find_map(|name| Some((*name, field(item, name)?)))
}

fn field(item: &Spanned<DeValue<'_>>, name: &str) -> Option<String> {
    let table = item.get_ref().as_table()?;
    let (_, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}
