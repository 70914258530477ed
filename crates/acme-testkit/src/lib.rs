//! A DNS server, web and TLS targets and a real RFC 6962 log on loopback, for tests.
