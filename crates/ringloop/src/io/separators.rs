//! What ends a piece of a byte stream.

use std::ops::Range;

/// One or several byte sequences that end a piece of a stream, as a line feed ends a line.
///
/// A byte, a slice or a string stands for one separator; an array or a slice of slices for several.
/// Of several, the one that ends first counts, and so the shortest piece wins; of those that end at
/// the same place, the longest. There must be one at least, and none may be empty.
///
/// # Examples
///
/// ```
/// use ringloop::io::Separators;
///
/// assert_eq!(b'\n'.find(b"one\ntwo\n"), Some(3..4));
/// assert_eq!(b"\r\n".find(b"one\ntwo\r\n"), Some(7..9));
/// assert_eq!(["; ", ";"].find(b"one; two"), Some(3..4));
/// ```
pub trait Separators {
    /// Calls `each` for every separator.
    fn for_each(&self, each: &mut dyn FnMut(&[u8]));

    /// Returns where the first separator is in `bytes`.
    fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let mut found: Option<Range<usize>> = None;
        self.for_each(&mut |separator| {
            // What ends later than one that was found does not count.
            let until = found.as_ref().map_or(bytes.len(), |found| found.end);
            let Some(start) = find_one(&bytes[..until], separator) else {
                return;
            };
            let next = start..start + separator.len();
            let is_first = (found.as_ref())
                .is_none_or(|found| (next.end, next.start) < (found.end, found.start));
            if is_first {
                found = Some(next);
            }
        });
        found
    }

    /// Returns the length of the longest separator.
    fn longest(&self) -> usize {
        let mut longest = 0;
        self.for_each(&mut |separator| longest = longest.max(separator.len()));
        longest
    }

    /// Returns whether there is a separator, and none is empty.
    fn are_valid(&self) -> bool {
        let mut shortest = None;
        self.for_each(&mut |separator| {
            let len = separator.len();
            shortest = Some(shortest.map_or(len, |shortest: usize| shortest.min(len)));
        });
        shortest.is_some_and(|shortest| shortest > 0)
    }
}

impl Separators for u8 {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        each(&[*self]);
    }

    #[inline]
    fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = find_byte(bytes, *self)?;
        Some(start..start + 1)
    }

    #[inline]
    fn longest(&self) -> usize {
        1
    }

    #[inline]
    fn are_valid(&self) -> bool {
        true
    }
}

impl Separators for [u8] {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        each(self);
    }
}

impl<const N: usize> Separators for [u8; N] {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        each(self);
    }
}

impl Separators for str {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        each(self.as_bytes());
    }
}

/// Several separators.
impl<S: Separators + ?Sized> Separators for [&S] {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        for separator in self {
            separator.for_each(each);
        }
    }
}

/// Several separators.
impl<S: Separators + ?Sized, const N: usize> Separators for [&S; N] {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        self.as_slice().for_each(each);
    }
}

impl<S: Separators + ?Sized> Separators for &S {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        (**self).for_each(each);
    }

    fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        (**self).find(bytes)
    }

    fn longest(&self) -> usize {
        (**self).longest()
    }

    fn are_valid(&self) -> bool {
        (**self).are_valid()
    }
}

/// Returns where `separator` begins in `bytes`.
fn find_one(bytes: &[u8], separator: &[u8]) -> Option<usize> {
    let (&first, rest) = separator.split_first()?;
    let mut from = 0;
    loop {
        let start = from + find_byte(&bytes[from..], first)?;
        if bytes[start + 1..].starts_with(rest) {
            return Some(start);
        }
        from = start + 1;
    }
}

/// Returns where `byte` is in `bytes`. A block is looked at as a whole, which the compiler does with
/// wide registers.
#[inline]
fn find_byte(bytes: &[u8], byte: u8) -> Option<usize> {
    let is_it = |other: &u8| *other == byte;
    let mut blocks = bytes.chunks_exact(BLOCK_LEN);
    let mut before = 0;
    for block in &mut blocks {
        if block.iter().fold(false, |any, other| any | is_it(other)) {
            return Some(before + block.iter().position(is_it)?);
        }
        before += BLOCK_LEN;
    }
    Some(before + blocks.remainder().iter().position(is_it)?)
}

const BLOCK_LEN: usize = 32;
