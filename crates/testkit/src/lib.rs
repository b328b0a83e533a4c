//! An AI provider that fails on purpose, for tests.
