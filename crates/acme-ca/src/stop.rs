//! The one signal by which a server ends in good order.

use tokio::sync::watch;

/// Who stops. Dropping it stops as well.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// Who is to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stopped(watch::Receiver<bool>);

/// The two ends.
pub(crate) fn channel() -> (Stop, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Stopped(receiver))
}

impl Stop {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// When it is time.
    pub(crate) async fn wait(&mut self) {
        // An error says that the sender is gone: then it is time as well.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
