//! The `acme-ca` command: flags in, a running server out, and one clear message if that fails.

mod flags;
mod serve;

use std::process::ExitCode;

use clap::{Parser as _, error::ErrorKind};

use self::flags::{Command, Flags};

/// What a wrong flag ends with, as for other commands.
const EXIT_USAGE: u8 = 2;
/// What a failure ends with.
const EXIT_FAILURE: u8 = 1;

/// Runs the command that this process was started with.
pub fn run() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => {
            let is_asked_for = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // Nobody to tell if the terminal is gone.
            let _ = error.print();
            return if is_asked_for {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(EXIT_USAGE)
            };
        }
    };
    let Command::Serve(flags) = flags.command;
    match serve::serve(*flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("acme-ca: {failure}");
            ExitCode::from(EXIT_FAILURE)
        }
    }
}
