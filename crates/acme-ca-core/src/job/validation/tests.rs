//! Validations from the client's response to the verdict, with perspectives and stores that fail.

mod attempt;
mod faults;
mod world;
