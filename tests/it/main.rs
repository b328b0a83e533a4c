//! The tests of the crate from outside, one file per part.
