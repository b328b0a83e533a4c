//! The configuration file: TOML, YAML or JSON, by its name. What it says is `evenkeel::config`; what is here finds the line that an
//! error is about.

mod file;
mod json;
mod lines;
mod syntax_error;
mod toml_text;
mod yaml;
mod yaml_scalar;

pub(crate) use file::{ConfigFile, one_line, read};
#[cfg(test)]
pub(crate) use yaml::parse as parse_yaml;
