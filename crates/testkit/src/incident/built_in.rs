//! The incidents that are built in.

use crate::incident::Incident;

/// Their names.
const NAMES: [&str; 10] = [
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

const OPENAI_2024_06_04: &str = include_str!("../incidents/openai-2024-06-04.json");
const OPENAI_2024_12_11: &str = include_str!("../incidents/openai-2024-12-11.json");
const TOOL_GONE: &str = include_str!("../incidents/tool-gone.json");

// === impl Incident ===

impl Incident {
    /// ChatGPT on 4 June 2024: down twice, for four hours and for two, with a ramp at the end; the secondary is overloaded
    /// in between. 708 minutes.
    pub fn openai_2024_06_04() -> Self {
        read(OPENAI_2024_06_04)
    }

    /// OpenAI's API on 11 December 2024: down for two hours, with half of the connections refused, and a slow ramp of two
    /// hours. 352 minutes.
    pub fn openai_2024_12_11() -> Self {
        read(OPENAI_2024_12_11)
    }

    /// A tool of the primary that is gone: from minute 10 to 50 every attempt that brings `web_search` gets 500, all others
    /// are well. 60 minutes, made up.
    pub fn tool_gone() -> Self {
        read(TOOL_GONE)
    }

    /// The names of those that are built in, for [`named`](Self::named).
    pub const BUILT_IN: [&str; 10] = NAMES;

    /// The built-in one of that name.
    pub fn named(name: &str) -> Option<Self> {
        text(name).map(read)
    }
}

/// The file of that name.
fn text(name: &str) -> Option<&'static str> {
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

fn read(json: &str) -> Incident {
    Incident::parse(json).expect("the built-in incidents are parsed by a test")
}
