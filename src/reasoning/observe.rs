//! Learns the marks of an answer while it is handed on.

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    Response,
    dialect::{Dialect, MarkScanner},
    provenance::{Maker, Provenance},
    stream::Tap,
};

/// Reads an answer as it passes.
struct MarkTap {
    scanner: MarkScanner,
    maker: Maker,
    memory: Provenance,
}

/// Records the marks of an answer as those of its maker.
pub(super) fn observe(
    response: &mut Response,
    dialect: Dialect,
    maker: Maker,
    memory: &Provenance,
) {
    let mut tap = MarkTap { scanner: MarkScanner::new(dialect), maker, memory: memory.clone() };
    match response.body().bytes() {
        Some(bytes) => {
            tap.bytes(&bytes);
            Box::new(tap).whole();
        }
        None => response.body_mut().guarded().tap(Box::new(tap)),
    }
}

impl Tap for MarkTap {
    fn bytes(&mut self, bytes: &Bytes) {
        let Self { scanner, maker, memory } = self;
        scanner.read(bytes, &mut |mark| memory.learn(mark, *maker, Instant::now()));
    }

    fn whole(self: Box<Self>) {
        let Self { scanner, maker, memory } = *self;
        scanner.finish(&mut |mark| memory.learn(mark, maker, Instant::now()));
    }
}
