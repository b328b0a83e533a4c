//! HTML elements that all sections share.

use super::{
    super::play::BoxError,
    canvas::{NARROW, PlotSize, WIDE},
};

/// A section with a heading.
pub(super) fn section(id: &str, heading: &str, inner: &str) -> String {
    format!("<section id=\"{id}\">\n<h2>{heading}</h2>\n{inner}</section>\n")
}

/// The text beside a plot: the name of the client and one figure with its meaning.
pub(super) fn aside(name: &str, figure: &str, meaning: &str) -> String {
    format!("<h3>{name}</h3><p><b>{figure}</b> {meaning}</p>", name = escape(name))
}

/// A plot with the text beside it.
pub(super) fn row(aside: &str, plots: &str) -> String {
    format!(
        "<div class=\"row\"><div class=\"aside\">{aside}</div><div class=\"plot\">{plots}</div></div>\n"
    )
}

/// The same plot for wide and for narrow windows, because the text of a plot shrinks with the plot.
pub(super) fn both_sizes(
    draw: impl Fn(PlotSize) -> Result<String, BoxError>,
) -> Result<String, BoxError> {
    Ok(draw(WIDE)? + &draw(NARROW)?)
}

/// The text with the characters of HTML escaped and control characters replaced by spaces.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
