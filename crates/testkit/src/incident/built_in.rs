//! The incidents that are built in.

use crate::incident::Incident;

/// The names of the built-in incidents.
pub(super) const NAMES: [&str; 10] = [
    "openai-2024-06-04",
    "openai-2024-12-11",
    "tool-gone",
    "brownout-10",
    "brownout-20",
    "brownout-30",
    "slow-but-well",
    "quiet-bot",
    "noisy-neighbour",
    "node-replaced",
];

pub(super) const OPENAI_2024_06_04: &str = include_str!("../incidents/openai-2024-06-04.json");
pub(super) const OPENAI_2024_12_11: &str = include_str!("../incidents/openai-2024-12-11.json");
pub(super) const TOOL_GONE: &str = include_str!("../incidents/tool-gone.json");

/// The text of the file of that name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        "openai-2024-06-04" => OPENAI_2024_06_04,
        "openai-2024-12-11" => OPENAI_2024_12_11,
        "tool-gone" => TOOL_GONE,
        "brownout-10" => include_str!("../incidents/brownout-10.json"),
        "brownout-20" => include_str!("../incidents/brownout-20.json"),
        "brownout-30" => include_str!("../incidents/brownout-30.json"),
        "slow-but-well" => include_str!("../incidents/slow-but-well.json"),
        "quiet-bot" => include_str!("../incidents/quiet-bot.json"),
        "noisy-neighbour" => include_str!("../incidents/noisy-neighbour.json"),
        "node-replaced" => include_str!("../incidents/node-replaced.json"),
        _ => return None,
    })
}

pub(super) fn read(json: &str) -> Incident {
    Incident::parse(json).expect("the built-in incidents are parsed by a test")
}
