//! dbgmate.
fn main() {}
