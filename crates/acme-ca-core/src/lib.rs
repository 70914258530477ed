//! The certificate authority's side of ACME without I/O: operations, validation, issuance, CT, CRLs, policy.
