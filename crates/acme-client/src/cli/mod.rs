//! The commands.

mod arguments;
mod complaint;
mod explain;
mod issue;
mod list;
mod method;
mod renew;
mod revoke;
mod screen;
mod server;
mod session;

pub(crate) use arguments::Arguments;
use arguments::Command;
pub(crate) use complaint::Complaint;

pub(crate) async fn run(arguments: Arguments) -> Result<(), Complaint> {
    let dir = arguments.state_dir()?;
    match arguments.command {
        Command::Issue(options) => issue::run(&dir, *options).await,
        Command::Renew(options) => renew::run(&dir, options).await,
        Command::Revoke(options) => revoke::run(&dir, options).await,
        Command::List => list::run(&dir),
    }
}
