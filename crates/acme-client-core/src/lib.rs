//! The client's side of ACME without I/O: operations, order flow, renewal decisions.
