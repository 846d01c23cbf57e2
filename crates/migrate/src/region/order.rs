//! The order in which the apps of an organization move: what others need comes first, databases before what uses them.

use std::collections::{BTreeMap, BTreeSet};

/// An app with the apps that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Whether it is a database: among those that could be next, these are first.
    pub database: bool,
    /// Apps whose names are in its variables.
    pub needs: BTreeSet<String>,
}

/// The order, and what had to be given up for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// All apps.
    pub apps: Vec<String>,
    /// Needs that are not kept, because they are part of a ring: (app, the app that it needs and that comes later).
    pub broken: Vec<(String, String)>,
}

/// Orders apps. Needs of apps that are not among them do not count. Rings are broken where the fewest needs are given up, at a
/// database first, then by name, so that the same apps are always in the same order.
pub fn order(nodes: &BTreeMap<String, Node>) -> Order {
    let mut open: BTreeMap<&str, BTreeSet<&str>> = nodes
        .iter()
        .map(|(app, node)| {
            let needs = node.needs.iter().filter(|other| *other != app);
            let needs = needs.filter(|other| nodes.contains_key(*other)).map(String::as_str);
            (app.as_str(), needs.collect())
        })
        .collect();
    // Who waits for an app.
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (app, needs) in &open {
        for other in needs {
            waiting.entry(other).or_default().push(app);
        }
    }
    let rank = |app: &str, left: usize| {
        let database = nodes.get(app).is_some_and(|node| node.database);
        (left, !database, app.to_owned())
    };
    let mut queue: BTreeSet<(usize, bool, String)> =
        open.iter().map(|(app, needs)| rank(app, needs.len())).collect();
    let mut order = Order::default();
    while let Some((_, _, app)) = queue.pop_first() {
        let Some((name, left)) = open.remove_entry(app.as_str()) else { continue };
        order.broken.extend(left.iter().map(|other| (app.clone(), (*other).to_owned())));
        for waits in waiting.get(name).into_iter().flatten() {
            if let Some(needs) = open.get_mut(waits) {
                queue.remove(&rank(waits, needs.len()));
                needs.remove(name);
                queue.insert(rank(waits, needs.len()));
            }
        }
        order.apps.push(app);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(list: &[(&str, bool, &[&str])]) -> BTreeMap<String, Node> {
        list.iter()
            .map(|(app, database, needs)| {
                let needs = needs.iter().map(|one| (*one).to_owned()).collect();
                ((*app).to_owned(), Node { database: *database, needs })
            })
            .collect()
    }

    #[test]
    fn what_others_need_comes_first_and_databases_before_the_rest() {
        let found = order(&nodes(&[
            ("api", false, &["db", "auth", "elsewhere", "api"]),
            ("auth", false, &["db"]),
            ("blog", false, &[]),
            ("db", true, &[]),
            ("zdb", true, &[]),
        ]));
        assert_eq!(found.apps, ["db", "zdb", "auth", "api", "blog"]);
        assert_eq!(found.broken, []);
    }

    #[test]
    fn a_ring_is_broken_at_one_place_and_said() {
        let ring = nodes(&[("a", false, &["c"]), ("b", false, &["a"]), ("c", false, &["b", "a"])]);
        let found = order(&ring);
        assert_eq!(found.apps, ["a", "b", "c"]);
        assert_eq!(found.broken, [("a".to_owned(), "c".to_owned())]);
        assert_eq!(order(&ring), found);
        let with_database = nodes(&[("a", false, &["db"]), ("db", true, &["a"])]);
        assert_eq!(order(&with_database).apps, ["db", "a"]);
    }

    #[test]
    fn a_long_chain_is_ordered_at_once() {
        let mut all = BTreeMap::new();
        for number in 0..5_000 {
            let needs = BTreeSet::from([format!("app-{:05}", number + 1)]);
            all.insert(format!("app-{number:05}"), Node { database: false, needs });
        }
        let found = order(&all);
        assert_eq!(found.apps[0], "app-04999");
        assert_eq!(found.apps.len(), 5_000);
    }
}
