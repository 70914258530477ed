//! PKCS#10 requests and the tls-alpn-01 certificate: draft, sign, attach; strict parse.
