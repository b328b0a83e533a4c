//! How much is sent at a time: the cores of adaptive concurrency and of throttling on our own side.

mod adaptive;
mod admission;

pub use adaptive::AdaptivePolicy;
pub use admission::AdmissionPolicy;
