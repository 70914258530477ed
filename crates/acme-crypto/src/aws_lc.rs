//! The back end over AWS-LC: several times faster, needs a C compiler to build.
//!
//! ECDSA signatures are randomised. Private keys are derived, read and checked by the same
//! code as in the other back end, then imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
/// The AWS-LC back end.
pub struct AwsLc;
