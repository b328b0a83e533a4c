//! The page: files that are part of the binary. It has no data, and is made by no build step.
//!
//! Its first line is one sentence of what is going on now (`sentence.js`), in words and in a colour. Below are the routes with the
//! buttons of [`actions`](super::actions), plots of 15 minutes (`series.js`, `plot.js`), and the last calls. It lives on
//! `/api/events`; where that is refused it asks `/api/snapshot` every few seconds, and it asks nothing while it is hidden. It works
//! by keyboard (`?` lists the shortcuts), with a screen reader, in both colour schemes and down to 400 pixels.
//!
//! `sentence.js`, `series.js` and `format.js` are pure, and tested by `tests/page/page.test.mjs`; `tests/page.rs` checks that
//! nothing is inline and nothing is asked of another host.

use axum::{Router, body::Body, routing::get};
use http::Response;

use super::reply;

/// A file of the page.
#[derive(Clone, Copy)]
struct PageFile {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! file {
    ($name:literal, $content_type:expr) => {
        file!(concat!("/", $name), $name, $content_type)
    };
    ($path:expr, $name:literal, $content_type:expr) => {
        PageFile {
            path: $path,
            content_type: $content_type,
            text: include_str!(concat!("page/", $name)),
        }
    };
}

const FILES: [PageFile; 15] = [
    file!("/", "index.html", HTML),
    file!("page.css", CSS),
    file!("icon.svg", SVG),
    file!("page.js", JS),
    file!("calls.js", JS),
    file!("connection.js", JS),
    file!("dialogs.js", JS),
    file!("dom.js", JS),
    file!("format.js", JS),
    file!("keys.js", JS),
    file!("plot.js", JS),
    file!("plots.js", JS),
    file!("routes.js", JS),
    file!("sentence.js", JS),
    file!("series.js", JS),
];

/// Whether a path is that of a file of the page: it needs no token.
pub(crate) fn is_file(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}

/// The paths of the files.
pub(super) fn files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let route = |router: Router<S>, file: PageFile| {
        router.route(file.path, get(async move || file.response()))
    };
    FILES.into_iter().fold(Router::new(), route)
}

// === impl PageFile ===

impl PageFile {
    fn response(self) -> Response<Body> {
        reply::text(self.content_type, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/page");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        // It is for Node alone, which runs the tests.
        let mut names: Vec<_> = names.filter(|name| name != "package.json").collect();
        let path = |file: &PageFile| match file.path {
            "/" => "index.html".to_owned(),
            path => path[1..].to_owned(),
        };
        let mut served: Vec<_> = FILES.iter().map(path).collect();
        names.sort();
        served.sort();
        assert_eq!(names, served);
    }
}
