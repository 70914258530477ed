//! One answer: good, bad, late, slow, endless, or none.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

/// What one chunk of an endless body has.
const ENDLESS_CHUNK: &[u8] = &[b'x'; 4096];

/// What a path answers. Made by [`Page::text`], [`Page::redirect`], [`Page::endless`] or
/// [`Page::hang_up`], and changed by the methods.
#[derive(Clone, Debug)]
pub struct Page {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) delay: Duration,
    pub(super) content: Content,
    drip: Option<(usize, Duration)>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    Endless,
    /// The connection closes without an answer.
    None,
}

impl Page {
    /// 200 and this body. No `Content-Type`, as for http-01 (RFC 8555 §8.3 wants none).
    pub fn text(body: impl Into<Vec<u8>>) -> Page {
        Page {
            status: 200,
            headers: Vec::new(),
            delay: Duration::ZERO,
            content: Content::Bytes(Bytes::from(body.into())),
            drip: None,
        }
    }

    /// A redirect; the location is sent as it is.
    pub fn redirect(status: u16, location: &str) -> Page {
        Page::text("").status(status).header("location", location)
    }

    /// 200 and a body that never ends.
    pub fn endless() -> Page {
        Page {
            content: Content::Endless,
            ..Page::text("")
        }
    }

    /// The connection is closed without an answer.
    pub fn hang_up() -> Page {
        Page {
            content: Content::None,
            ..Page::text("")
        }
    }

    /// With another status. What is no HTTP status becomes 500.
    pub fn status(self, status: u16) -> Page {
        Page { status, ..self }
    }

    /// With one more header. What HTTP can't carry is left out.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Page {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// After this time.
    pub fn delay(self, delay: Duration) -> Page {
        Page { delay, ..self }
    }

    /// The body in pieces of this many bytes (at least one), with this pause before each.
    pub fn drip(self, piece_len: usize, pause: Duration) -> Page {
        Page {
            drip: Some((piece_len.max(1), pause)),
            ..self
        }
    }

    pub(super) fn body(&self) -> PageBody {
        let rest = match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Endless | Content::None => Bytes::new(),
        };
        let endless = matches!(self.content, Content::Endless);
        PageBody {
            rest,
            endless,
            drip: self.drip,
            pause: None,
        }
    }
}

impl<T: Into<Vec<u8>>> From<T> for Page {
    fn from(body: T) -> Page {
        Page::text(body)
    }
}

/// The body on its way.
pub(crate) struct PageBody {
    rest: Bytes,
    endless: bool,
    drip: Option<(usize, Duration)>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let piece_len = match self.drip {
            None => usize::MAX,
            Some((piece_len, pause)) => {
                let pausing = self.pause.get_or_insert_with(|| Box::pin(sleep(pause)));
                std::task::ready!(pausing.as_mut().poll(context));
                self.pause = None;
                piece_len
            }
        };
        let piece = if self.endless {
            let len = piece_len.min(ENDLESS_CHUNK.len());
            Bytes::from_static(ENDLESS_CHUNK.get(..len).unwrap_or_default())
        } else {
            let len = piece_len.min(self.rest.len());
            self.rest.split_to(len)
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        !self.endless && self.rest.is_empty()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        if self.endless {
            hyper::body::SizeHint::default()
        } else {
            hyper::body::SizeHint::with_exact(self.rest.len() as u64)
        }
    }
}
