//! Those who want to know when a descriptor has been closed.

use std::io;

use ringloop_core::Setter;

/// Who is to be told, in the order of asking. Nearly always that is nobody, or one.
#[derive(Debug, Default)]
pub(crate) struct Closers(Option<Box<Closer>>);

#[derive(Debug)]
struct Closer {
    setter: Setter<io::Result<()>>,
    next: Closers,
}

impl Closers {
    pub(crate) fn push(&mut self, setter: Setter<io::Result<()>>) {
        let mut last = &mut self.0;
        while let Some(closer) = last {
            last = &mut closer.next.0;
        }
        let next = Self::default();
        *last = Some(Box::new(Closer { setter, next }));
    }

    /// Tells all of them what came of it: zero, or an errno. This runs wakers.
    pub(crate) fn tell(self, errno: i32) {
        let mut next = self.0;
        while let Some(closer) = next {
            let result = match errno {
                0 => Ok(()),
                errno => Err(io::Error::from_raw_os_error(errno)),
            };
            drop(closer.setter.set(result));
            next = closer.next.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Closers;
    use ringloop_core::{Postbox, postbox};
    use std::future::Future;
    use std::io;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn told(result: Postbox<io::Result<()>>) -> Option<i32> {
        match pin!(result).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(result)) => result.err()?.raw_os_error(),
            Poll::Ready(Err(_)) | Poll::Pending => Some(0),
        }
    }

    #[test]
    fn all_are_told() {
        for errno in [0, libc::EIO] {
            let mut closers = Closers::default();
            let results = [(), (), ()].map(|()| {
                let (setter, result) = postbox();
                closers.push(setter);
                result
            });
            closers.tell(errno);
            let expected = (errno != 0).then_some(errno);
            assert_eq!(results.map(told), [expected; 3]);
        }
    }
}
