//! JSON on one line.

/// JSON without its line breaks, which no event and no line may have: inside of texts they are escaped.
pub(super) fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}
