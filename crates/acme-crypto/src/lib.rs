//! Hash, MAC, verification and key pairs behind one small trait.
