//! What a job is called in reports.

use std::borrow::Cow;
use std::sync::Arc;

/// A name that costs no allocation to copy; a literal costs none at all.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Literal(&'static str),
    Made(Arc<str>),
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Literal(name) => name,
            Self::Made(name) => name,
        }
    }
}

impl From<Cow<'static, str>> for Name {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Self::Literal(name),
            Cow::Owned(name) => Self::Made(name.into()),
        }
    }
}
