//! The page: three files that are part of the binary.

use axum::body::Body;
use http::Response;

use super::reply;

pub(super) async fn index() -> Response<Body> {
    reply::text("text/html; charset=utf-8", include_str!("page/index.html"))
}

pub(super) async fn style() -> Response<Body> {
    reply::text("text/css; charset=utf-8", include_str!("page/page.css"))
}

pub(super) async fn script() -> Response<Body> {
    reply::text("text/javascript; charset=utf-8", include_str!("page/page.js"))
}
