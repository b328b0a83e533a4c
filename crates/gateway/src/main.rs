//! evenkeel as a process.

fn main() {}
