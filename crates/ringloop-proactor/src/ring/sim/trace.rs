//! What has happened, as text: one line per event, the same for the same seed.

use std::fmt::{self, Write};
use std::time::Duration;

/// A text that grows. It holds no address and no real descriptor number.
#[derive(Debug)]
pub(super) struct Trace {
    text: Option<String>,
}

impl Trace {
    pub(super) fn new(is_kept: bool) -> Self {
        Self {
            text: is_kept.then(String::new),
        }
    }

    pub(super) fn line(&mut self, now: Duration, event: fmt::Arguments<'_>) {
        if let Some(text) = &mut self.text {
            let micros = now.as_micros();
            writeln!(text, "{micros:>9} {event}").expect("a text takes everything");
        }
    }

    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}
