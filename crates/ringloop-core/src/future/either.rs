//! One of two.

/// The output of one of two futures, and which one it was.
///
/// # Examples
///
/// ```
/// use ringloop_core::future::Either;
///
/// let either: Either<u8, &str> = Either::Left(5);
/// assert_eq!(either.left(), Some(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers match on it, and there is no third side"
)]
pub enum Either<L, R> {
    /// Of the left one, the first argument.
    Left(L),
    /// Of the right one, the second argument.
    Right(R),
}

impl<L, R> Either<L, R> {
    /// Returns the left one, if it is that.
    pub fn left(self) -> Option<L> {
        match self {
            Self::Left(left) => Some(left),
            Self::Right(_) => None,
        }
    }

    /// Returns the right one, if it is that.
    pub fn right(self) -> Option<R> {
        match self {
            Self::Left(_) => None,
            Self::Right(right) => Some(right),
        }
    }
}

impl<T> Either<T, T> {
    /// Returns what is in it, whichever side it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::future::Either;
    ///
    /// assert_eq!(Either::Right::<u8, u8>(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Left(value) | Self::Right(value) => value,
        }
    }
}
