//! JSON that is too large: never cut in the middle, but with fewer items in its longest list, so that it still parses.

use serde_json::Value;

use crate::manifest::{Cut, Truncation};

/// Largest JSON document of one answer, in bytes.
pub const CAP: usize = 8 << 20;

/// The document with the middle of its longest list left out until it fits; `None` when it fits as it is or has no list to cut.
pub fn sample(body: &[u8], cap: usize) -> Option<(Vec<u8>, Truncation)> {
    if body.len() <= cap {
        return None;
    }
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let items = longest(&mut value)?;
    let all = items.len();
    // Items of one list are of about one size.
    let fit = (all as u128 * cap as u128 / body.len() as u128 / 2) as usize;
    let each = fit.clamp(1, all / 2);
    let tail = items.split_off(all - each);
    items.truncate(each);
    items.extend(tail);
    let text = serde_json::to_vec(&value).ok()?;
    let cut = Truncation {
        kind: Cut::Sampled,
        kept_head: each as u64,
        kept_tail: each as u64,
        cut_bytes: body.len().saturating_sub(text.len()) as u64,
        cut_lines: (all - 2 * each) as u64,
        cap: cap as u64,
        note: Some("counted in items of the longest list".to_owned()),
    };
    Some((text, cut))
}

/// The list with the most items, the document itself or anywhere up to three levels below.
fn longest(value: &mut Value) -> Option<&mut Vec<Value>> {
    fn path(value: &Value, depth: u32) -> (usize, Vec<String>) {
        match value {
            Value::Array(items) => (items.len(), Vec::new()),
            Value::Object(map) if depth > 0 => {
                let below = map.iter().map(|(key, value)| {
                    let (count, mut rest) = path(value, depth - 1);
                    rest.push(key.clone());
                    (count, rest)
                });
                below.max_by_key(|(count, _)| *count).unwrap_or_default()
            }
            _ => (0, Vec::new()),
        }
    }
    let (count, keys) = path(value, 4);
    if count < 2 {
        return None;
    }
    let list = keys.iter().rev().try_fold(value, |value, key| value.get_mut(key))?;
    list.as_array_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_longest_list_loses_its_middle() {
        let items: Vec<u32> = (0..1000).collect();
        let body = json!({ "data": { "few": [1], "many": items } }).to_string();
        assert!(sample(body.as_bytes(), 1 << 20).is_none());
        let (text, cut) = sample(body.as_bytes(), 1000).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        let kept = value["data"]["many"].as_array().unwrap();
        assert_eq!((kept[0].as_u64(), kept[kept.len() - 1].as_u64()), (Some(0), Some(999)));
        assert_eq!(kept.len() as u64, cut.kept_head + cut.kept_tail);
        assert_eq!(cut.cut_lines, 1000 - kept.len() as u64);
        assert!(text.len() < 1100);
    }
}
