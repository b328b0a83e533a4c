//! The names of the keys that changed, for the log. Values are not named: one may be a key.

use std::collections::BTreeSet;

use evenkeel::config::Config;
use serde_json::Value;

use crate::config_file::one_line;

/// Keys that only a restart changes: the sockets are bound, and their limits are in use.
const ONLY_AT_START: [&str; 6] =
    ["listen", "admin", "edges", "tls", "limits.connections", "limits.drain"];

/// The most names in the log.
const SHOWN: usize = 16;

/// The keys in which two configurations differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// All of them, by their paths: `target[1].model`.
    keys: Vec<String>,
}

// === impl Changes ===

impl Changes {
    pub(super) fn between(before: &Config, after: &Config) -> Self {
        let mut keys = Vec::new();
        // A configuration is made of tables, lists and plain values: it can be written.
        let [before, after] =
            [before, after].map(|it| serde_json::to_value(it).unwrap_or_default());
        compare("", &before, &after, &mut keys);
        Self { keys }
    }

    /// The names of the changed keys, or that there are none.
    pub(super) fn shown(&self) -> String {
        if self.keys.is_empty() {
            return "no key has changed".to_owned();
        }
        let shown = self.keys.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        match self.keys.len().saturating_sub(SHOWN) {
            0 => one_line(format!("changed: {shown}")),
            more => one_line(format!("changed: {shown} and {more} more")),
        }
    }

    /// The keys among them that only a restart changes.
    pub(super) fn only_at_start(&self) -> impl Iterator<Item = &str> {
        let fixed = |key: &&str| {
            let is_in = |fixed: &str| {
                key.strip_prefix(fixed)
                    .is_some_and(|it| it.is_empty() || it.starts_with(['.', '[']))
            };
            ONLY_AT_START.iter().any(|fixed| is_in(fixed))
        };
        self.keys.iter().map(String::as_str).filter(fixed)
    }
}

/// Adds the paths at which two values differ, as deep as both have tables or lists of tables.
fn compare(path: &str, before: &Value, after: &Value, keys: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let [before, after] =
                    [before, after].map(|it| it.get(name).unwrap_or(&Value::Null));
                compare(&path, before, after, keys);
            }
        }
        (Value::Array(before), Value::Array(after)) if is_tables(before) && is_tables(after) => {
            for at in 0..before.len().max(after.len()) {
                let [before, after] = [before, after].map(|it| it.get(at).unwrap_or(&Value::Null));
                compare(&format!("{path}[{at}]"), before, after, keys);
            }
        }
        _ => keys.push(path.to_owned()),
    }
}

fn is_tables(list: &[Value]) -> bool {
    list.iter().all(Value::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(before: Value, after: Value) -> Changes {
        let [before, after] = [before, after].map(|it| Config::from_value(it).unwrap());
        Changes::between(&before, &after)
    }

    #[test]
    fn changed_keys_are_named_without_their_values() {
        let target = |url: &str| json!({"name": "a", "base_url": url, "key_env": "A_KEY"});
        let before = json!({"listen": "127.0.0.1:1", "target": [target("http://a/v1")]});
        let mut after = json!({"target": [target("http://secret/v1"), {
            "name": "b", "base_url": "http://b/v1", "key_env": "B_KEY",
        }]});
        after["limits"] = json!({"deadline": "5s", "drain": 3});
        let changes = changes(before, after);
        assert_eq!(changes.shown(), "changed: limits, listen, target[0].base_url, target[1]");
        assert_eq!(changes.only_at_start().collect::<Vec<_>>(), ["listen"]);
    }

    #[test]
    fn a_key_that_only_a_restart_changes_is_found_in_its_table() {
        let table = |drain: u32| json!({"limits": {"deadline": 5, "drain": drain}});
        let changes = changes(table(3), table(4));
        assert_eq!(changes.only_at_start().collect::<Vec<_>>(), ["limits.drain"]);
    }

    #[test]
    fn many_changes_are_counted() {
        let keys = (0..20).map(|n| format!("key{n}")).collect();
        assert!(Changes { keys }.shown().ends_with("key15 and 4 more"));
        assert_eq!(changes(json!({}), json!({})).shown(), "no key has changed");
    }
}
