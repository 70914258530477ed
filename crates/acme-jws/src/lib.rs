//! JWK, flattened JWS, thumbprints, key authorizations and external account binding of ACME.
