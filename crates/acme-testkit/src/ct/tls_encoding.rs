//! The presentation language of TLS (RFC 5246 §4), as far as RFC 6962 uses it.

/// Why bytes aren't the structure, or a structure has no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// The bytes end within the structure.
    #[error("the structure is cut off")]
    CutOff,
    /// Bytes follow the structure.
    #[error("bytes follow the structure")]
    Trailing,
    /// A version, type or algorithm that RFC 6962 doesn't define.
    #[error("the structure has an unknown version, type or algorithm")]
    Unknown,
    /// A vector is shorter or longer than its bounds.
    #[error("a vector is shorter or longer than its bounds")]
    Bounds,
}

/// Reads from the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], EncodingError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(EncodingError::CutOff)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], EncodingError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(EncodingError::CutOff)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, EncodingError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, EncodingError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, EncodingError> {
        self.array().map(u64::from_be_bytes)
    }

    /// `opaque x<0..2^16-1>`.
    pub(super) fn vector16(&mut self) -> Result<&'a [u8], EncodingError> {
        let len = self.u16()?;
        self.bytes(usize::from(len))
    }

    /// `opaque x<0..2^24-1>`.
    pub(super) fn vector24(&mut self) -> Result<&'a [u8], EncodingError> {
        let [high, middle, low] = self.array()?;
        self.bytes(u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn end(self) -> Result<(), EncodingError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(EncodingError::Trailing)
        }
    }
}

/// Appends `opaque x<0..2^16-1>`.
pub(super) fn put_vector16(output: &mut Vec<u8>, bytes: &[u8]) -> Result<(), EncodingError> {
    let len = u16::try_from(bytes.len()).map_err(|_| EncodingError::Bounds)?;
    output.extend_from_slice(&len.to_be_bytes());
    output.extend_from_slice(bytes);
    Ok(())
}

/// Appends `opaque x<0..2^24-1>`.
pub(super) fn put_vector24(output: &mut Vec<u8>, bytes: &[u8]) -> Result<(), EncodingError> {
    match u32::try_from(bytes.len()).map(u32::to_be_bytes) {
        Ok([0, len @ ..]) => output.extend_from_slice(&len),
        _ => return Err(EncodingError::Bounds),
    }
    output.extend_from_slice(bytes);
    Ok(())
}
