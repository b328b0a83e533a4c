//! Removes images. A text takes the place of each, so that no turn is left empty.

use super::{RequestEditor, spelled};
use crate::{Dialect, lazy_json::LazyJson};

// === impl RequestEditor ===

impl RequestEditor<'_> {
    /// Replaces every image by `placeholder`. Returns the number of images.
    pub fn drop_images(&mut self, placeholder: &str) -> usize {
        let dialect = self.dialect;
        let mut count = 0;
        if dialect == Dialect::Ollama {
            count += bare(&mut self.body, "prompt", placeholder);
        }
        let name = self.turns_name();
        let pictures = self.body.get(name).is_some_and(|turns| turns.contains("mage"));
        for turn in self.turns().filter(|_| pictures).into_iter().flatten() {
            count += match dialect {
                Dialect::Ollama => bare(turn, "content", placeholder),
                Dialect::Gemini => parts(turn, "parts", dialect, placeholder),
                Dialect::OpenAiResponses => {
                    parts(turn, "content", dialect, placeholder)
                        + parts(turn, "output", dialect, placeholder)
                }
                _ => parts(turn, "content", dialect, placeholder),
            };
        }
        self.changed |= count > 0;
        count
    }
}

/// Ollama's images are in a field beside the text.
fn bare(turn: &mut LazyJson<'_>, text: &str, word: &str) -> usize {
    let count = turn.get("images").map_or(0, |images| images.to_items().len());
    if count > 0 {
        turn.remove("images");
        if turn.str_or_empty(text).is_empty() {
            turn.set(text, LazyJson::text(word));
        }
    }
    count
}

fn parts(turn: &mut LazyJson<'_>, name: &str, dialect: Dialect, word: &str) -> usize {
    if !turn.get(name).is_some_and(|parts| parts.is_list()) {
        return 0;
    }
    let mut count = 0;
    for part in turn.field(name).and_then(LazyJson::items).into_iter().flatten() {
        if is_picture(part, dialect) {
            *part = text(dialect, word);
            count += 1;
        } else if dialect == Dialect::Anthropic && part.str_or_empty("type") == "tool_result" {
            count += parts(part, "content", dialect, word);
        }
    }
    count
}

fn is_picture(part: &LazyJson<'_>, dialect: Dialect) -> bool {
    if dialect != Dialect::Gemini {
        return matches!(part.str_or_empty("type").as_str(), "image" | "image_url" | "input_image");
    }
    let data = [["inlineData", "inline_data"], ["fileData", "file_data"]];
    let data =
        data.into_iter().filter_map(|names| part.get(spelled(part, names)?).map(LazyJson::owned));
    data.into_iter().any(|data: LazyJson<'_>| {
        let kind = [data.str_or_empty("mimeType"), data.str_or_empty("mime_type")].concat();
        kind.starts_with("image/")
    })
}

/// A text part.
pub(super) fn text<'a>(dialect: Dialect, word: &str) -> LazyJson<'a> {
    let word = crate::reply::json(word);
    LazyJson::of(match dialect {
        Dialect::Gemini => format!(r#"{{"text":{word}}}"#),
        Dialect::OpenAiResponses => format!(r#"{{"type":"input_text","text":{word}}}"#),
        _ => format!(r#"{{"type":"text","text":{word}}}"#),
    })
}
