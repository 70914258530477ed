//! `cargo run --release -p acme-demo`: how a certificate comes to be, lives and ends, on real
//! loopback sockets, in one process. Exits with an error if any step can't be proved.

mod certificate;
mod inclusion;
mod offers;
mod stage;
mod story;
mod tale;
mod visitor;
mod witness;

use std::process::ExitCode;

use story::Story;

fn main() -> ExitCode {
    let mut story = Story::begin("How a certificate comes to be, lives and ends");
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the demo can't start: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("the demo can't start: no temporary folder: {error}; set TMPDIR to one");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(tale::tell(&mut story, folder.path())) {
        Ok(()) => {
            story.end();
            ExitCode::SUCCESS
        }
        Err(unproved) => {
            eprintln!("NOT PROVED in \"{}\": {unproved}", story.current());
            ExitCode::FAILURE
        }
    }
}
