//! The `acme-ca` command.

fn main() -> std::process::ExitCode {
    acme_ca::command::run()
}
