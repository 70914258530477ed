//! The certificate authority: HTTPS front, stores, resolvers, perspectives, CT submission, and the acme-ca command.
