//! The whole story of a certificate in one process, on real sockets.
fn main() {}
