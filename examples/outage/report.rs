//! The HTML report: one page without external resources.

mod answers;
mod breaker;
mod breaker_changes;
mod canvas;
mod figures;
mod html;
mod load;
mod method;
mod page;
mod phases;

pub(crate) use page::page;
