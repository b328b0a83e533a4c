//! All parts together: the figures that each part reaches alone, in the whole stack with the others switched on, and
//! against providers that differ from the testkit's. Virtual time.

mod half_open;
mod laws;
mod rate_limits;
mod recovery_queue;
mod shared_routes;
