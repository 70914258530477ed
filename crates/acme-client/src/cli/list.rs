//! `acme list`.

use std::path::Path;

use acme_client::clock;
use acme_client::folder::{CertificateFolder, StateFolder};

use super::Complaint;
use super::issue::names;
use super::server::Note;

pub(crate) fn run(dir: &Path) -> Result<(), Complaint> {
    for (name, folder) in StateFolder::look(dir).certificates()? {
        show(&name, &folder)?;
    }
    Ok(())
}

fn show(name: &str, folder: &CertificateFolder) -> Result<(), Complaint> {
    println!("{name}");
    if let Some((wish, note)) = folder.settings()? {
        println!("  names    {}", names(&wish.identifiers));
        if let Ok(note) = serde_json::from_value::<Note>(note) {
            println!("  server   {}", note.server.url);
        }
    }
    if let Some(installed) = folder.current()? {
        let ended = installed.facts.not_after <= clock::now();
        let remark = match (installed.revoked, ended) {
            (true, _) => " (revoked)",
            (false, true) => " (ended)",
            (false, false) => "",
        };
        println!("  valid    until {}{remark}", installed.facts.not_after);
        let watch = folder
            .watch()?
            .filter(|watch| watch.version == installed.version);
        if let Some(at) = watch.and_then(|watch| watch.at) {
            println!("  renewal  at {at}");
        }
        println!("  files    {}", folder.path().join("current").display());
    }
    if let Some(pending) = folder.pending()? {
        println!(
            "  under way: an order for {}",
            names(&pending.wish.identifiers)
        );
    }
    Ok(())
}
