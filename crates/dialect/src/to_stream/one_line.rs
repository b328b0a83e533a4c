//! JSON on one line.

/// JSON without line breaks, which neither events nor lines may have. Inside of strings they are escaped.
pub(super) fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}
