//! Deterministic simulation of clients, CAs, network, stores and crashes.
