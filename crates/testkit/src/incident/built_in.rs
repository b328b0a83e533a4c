//! The incidents that are built in.

use crate::incident::Incident;

/// The names of the built-in incidents.
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
    /// ChatGPT on 4 June 2024: down twice, for four hours and for two hours, with a ramp at the end. The secondary is overloaded
    /// during the first outage. 708 minutes.
    pub fn openai_2024_06_04() -> Self {
        read(OPENAI_2024_06_04)
    }

    /// OpenAI's API on 11 December 2024: down for two hours, with half of the connections refused, then a ramp of two hours.
    /// 352 minutes.
    pub fn openai_2024_12_11() -> Self {
        read(OPENAI_2024_12_11)
    }

    /// An unavailable tool: from minute 10 to minute 50 the primary answers 500 to every attempt with `web_search`, and all
    /// other attempts succeed. 60 minutes, invented.
    pub fn tool_gone() -> Self {
        read(TOOL_GONE)
    }

    /// The names of the built-in incidents, for [`named`](Self::named).
    pub const BUILT_IN: [&str; 10] = NAMES;

    /// The built-in incident of that name.
    pub fn named(name: &str) -> Option<Self> {
        text(name).map(read)
    }
}

/// The text of the file of that name.
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
