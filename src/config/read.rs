//! A configuration as it was read.

use std::fmt;

use http::Uri;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

use super::{
    reading_error::reading_error,
    settings::Settings,
    source::Source,
    tree::{check_tables, read_tree, without_nulls},
    values::{One, Parsed, ProfileName, origin_of},
};
use crate::{ClientBuilder, ConfigError};

/// A configuration of a client: profile, targets, fallbacks, limits. See the [module](crate::config) for its format.
///
/// It holds no secrets: the variables of the environment that it names are read by [`builder`](Self::builder) and
/// [`settings`](Self::settings).
#[derive(Clone, Default)]
pub struct Config(Source);

// === impl Config ===

impl Config {
    /// The JSON Schema of a configuration, for editors and checks of files that are not read by this process.
    pub const SCHEMA: &str = include_str!("schema.json");

    /// Reads a configuration from a tree, such as `toml::from_str` and `serde_json::from_str` return. Like [`Deserialize`], but
    /// with an error whose [`field`](ConfigError::field) is the path of the key: `target[1].base_url`.
    ///
    /// # Errors
    ///
    /// If a key is unknown or missing, or a value is not allowed by itself. The error is one line and shows no value that may be a
    /// key.
    pub fn from_value(value: Value) -> Result<Self, ConfigError> {
        let tree = without_nulls(value);
        check_tables(&tree, "", "")?;
        let file =
            serde_path_to_error::deserialize(&tree).map_err(|error| reading_error(&error))?;
        let Value::Object(tree) = tree else { return Ok(Self::default()) };
        Ok(Self(Source { file, tree }))
    }

    /// Replaces the profile.
    #[must_use]
    pub fn profile(mut self, name: ProfileName) -> Self {
        self.0.file.profile = Some(One(name));
        self.0.tree.insert("profile".into(), name.as_str().into());
        self
    }

    /// Replaces `upstream`: where requests are sent before any target.
    ///
    /// # Errors
    ///
    /// If it is not scheme, host and port of an HTTP server.
    pub fn upstream(mut self, origin: &Uri) -> Result<Self, ConfigError> {
        let text = origin.to_string();
        let origin = origin_of(&text).map_err(|what| ConfigError::because("upstream", what))?;
        self.0.file.upstream = Some(Parsed(origin));
        self.0.tree.insert("upstream".into(), text.into());
        Ok(self)
    }

    /// Creates the builder of a client with these settings. `env` looks up a variable of the environment, for the keys of targets:
    /// `|name| std::env::var(name).ok()`.
    ///
    /// # Errors
    ///
    /// If a variable is not set, or a value is not allowed together with others. The field is the path of the key.
    pub fn builder(
        &self,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<ClientBuilder, ConfigError> {
        Ok(self.settings(env)?.builder())
    }

    /// The settings one by one, for what is not a client of one profile. See [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// Those of [`builder`](Self::builder).
    pub fn settings(&self, env: impl Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
        Settings::new(&self.0, &env)
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.0.tree == other.0.tree
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(read_tree(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Config {
    /// Writes the keys that are set, as they were read.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.tree.serialize(serializer)
    }
}

impl fmt::Debug for Config {
    /// The texts of replies and the URLs stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.file.target.iter().map(|target| &target.name.0.0);
        f.debug_struct("Config")
            .field("keys", &self.0.tree.keys().collect::<Vec<_>>())
            .field("targets", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
