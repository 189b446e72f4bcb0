//! Reading pieces of a stream.

use std::io::{self, ErrorKind};
use std::ops::Range;

use ringloop::io::{AsyncBufRead, AsyncRead, BufStream, ReadError};

use super::source::Source;
use super::{Script, polled};

/// Reads pieces of a stream until the script says no more.
pub(super) fn run(mut script: Script<'_>) {
    let limit = script.amount();
    let separators = SEPARATORS[script.below(SEPARATORS.len())];
    let fails = script.below(3) == 0;
    let mut steps = Script(script.take(90));
    let source = Source::new(&mut script, fails);
    let mut model = Model {
        rest: source.bytes(),
        taken: 0,
        limit,
        separators,
        stream: BufStream::with_limit(source, limit),
    };
    for _ in 0..30 {
        model.step(&mut steps);
        model.check();
    }
}

const SEPARATORS: [&[&[u8]]; 10] = [
    &[b"\n"],
    &[b"\r\n"],
    &[b"aab"],
    &[b"abab"],
    &[b"\n", b"\r\n"],
    &[b"\r\n", b"\n", b"a\r\n"],
    &[b"ab", b"b", b"aab"],
    &[b"a", b"bbbbbb"],
    &[],
    &[b"a", b""],
];

const BEFORE: &[u8] = b"abaab\r";

/// A stream, and what should be in it.
struct Model<'a> {
    /// What nobody has taken.
    rest: &'a [u8],
    /// How many bytes somebody has.
    taken: usize,
    limit: usize,
    separators: &'static [&'static [u8]],
    stream: BufStream<Source<'a>>,
}

/// What a piece should be.
enum Piece<'a> {
    Is(&'a [u8]),
    Overrun(usize),
    Incomplete(&'a [u8]),
    Failed,
    Invalid,
}

impl<'a> Model<'a> {
    /// The law of all reads: what has come is taken or in the stream, in order.
    fn check(&self) {
        let come = self.stream.get_ref().at;
        let buffered = self.stream.buffer();
        assert_eq!(self.taken + buffered.len(), come);
        assert!(self.rest.starts_with(buffered), "bytes in another order");
    }

    fn fails(&self) -> bool {
        self.stream.get_ref().fails
    }

    fn take(&mut self, count: usize) {
        self.rest = &self.rest[count..];
        self.taken += count;
    }

    fn step(&mut self, steps: &mut Script<'_>) {
        let (kind, amount, patience) = (steps.below(12), steps.amount(), steps.patience());
        let (come, buffered) = (self.stream.get_ref().at, self.stream.buffer().len());
        match kind {
            0..3 => {
                let separators = self.separators;
                let expected = self.until(separators);
                let read = async { self.stream.read_until(separators).await.map(<[u8]>::to_vec) };
                let read = polled(patience, read);
                self.check_piece(read, &expected);
            }
            3 => {
                let mut expected = self.until(&[b"\n"]);
                if let Piece::Incomplete(rest) = expected {
                    expected = Piece::Is(rest);
                }
                let read = async { self.stream.read_line().await.map(<[u8]>::to_vec) };
                let read = polled(patience, read);
                self.check_piece(read, &expected);
            }
            4 => self.skip(patience),
            5 | 6 => {
                let expected = match self.rest.get(..amount) {
                    Some(piece) => Piece::Is(piece),
                    None if self.fails() => Piece::Failed,
                    None => Piece::Incomplete(self.rest),
                };
                let read = async { self.stream.read_exact(amount).await.map(<[u8]>::to_vec) };
                let read = polled(patience, read);
                self.check_piece(read, &expected);
            }
            7 => {
                let fails = self.fails() && amount > self.rest.len();
                let peek = async { self.stream.peek(amount).await.map(<[u8]>::to_vec) };
                match polled(patience, peek) {
                    Some(Ok(bytes)) => {
                        assert_eq!(bytes, self.rest[..amount.min(self.rest.len())]);
                        assert!(!fails);
                    }
                    Some(Err(error)) => assert!(fails && is_reset(&error), "{error}"),
                    None => {}
                }
            }
            8 => self.read(amount.min(12_000), patience),
            9 => self.fill(amount, patience),
            10 => self.read_without_limit(patience),
            _ => self.read_to_end(patience),
        }
        if kind < 4 {
            // A peer that sends no separator fills no memory.
            let longest = longest(self.separators).max(1);
            let most = self.limit.saturating_mul(2).saturating_add(longest);
            let more = self.stream.get_ref().at - come;
            assert!(more <= most.saturating_sub(buffered), "{more} bytes");
        }
    }

    /// What a read up to a separator should bring.
    fn until(&self, separators: &[&[u8]]) -> Piece<'a> {
        if !are_valid(separators) {
            return Piece::Invalid;
        }
        let sure = (self.rest.len() + 1).saturating_sub(longest(separators));
        match first(self.rest, separators) {
            Some(found) if found.start > self.limit => Piece::Overrun(found.start),
            Some(found) => Piece::Is(&self.rest[..found.end]),
            None if sure > self.limit => Piece::Overrun(sure),
            None if self.fails() => Piece::Failed,
            None => Piece::Incomplete(self.rest),
        }
    }

    fn check_piece(&mut self, read: Option<Result<Vec<u8>, ReadError>>, expected: &Piece<'_>) {
        let Some(read) = read else { return };
        match (read, expected) {
            (Ok(bytes), Piece::Is(piece)) => {
                assert_eq!(bytes, *piece);
                self.take(bytes.len());
            }
            (Err(ReadError::LimitOverrun { consumed }), Piece::Overrun(sure)) => {
                assert!((self.limit + 1..=*sure).contains(&consumed), "{consumed}");
            }
            (Err(ReadError::Incomplete { partial, .. }), Piece::Incomplete(rest)) => {
                assert_eq!(partial, *rest);
                self.take(partial.len());
            }
            (Err(ReadError::Io(error)), Piece::Failed) => assert!(is_reset(&error), "{error}"),
            (Err(ReadError::Io(error)), Piece::Invalid) => {
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
            }
            (read, _) => panic!("{read:?} of {:?}", self.rest),
        }
    }

    fn skip(&mut self, patience: usize) {
        let found = first(self.rest, self.separators);
        let fails = self.fails();
        let skipped = polled(patience, self.stream.skip_until(self.separators));
        let dropped = self.stream.get_ref().at - self.stream.buffer().len() - self.taken;
        match (skipped, found) {
            (Some(Err(error)), _) if !are_valid(self.separators) => {
                assert_eq!((error.kind(), dropped), (ErrorKind::InvalidInput, 0));
            }
            (Some(Ok(true)), Some(found)) => assert_eq!(dropped, found.end),
            (Some(Ok(false)), None) => assert!(!fails && dropped == self.rest.len()),
            (Some(Err(error)), None) => assert!(fails && is_reset(&error), "{error}"),
            // Given up: the beginning of a separator is still there.
            (None, Some(found)) => assert!(dropped <= found.start),
            (None, None) => {}
            (skipped, found) => panic!("{skipped:?} with {found:?}"),
        }
        self.take(dropped);
    }

    fn read(&mut self, len: usize, patience: usize) {
        let mut buf = vec![0; len];
        let fails = self.fails();
        match polled(patience, AsyncRead::read(&mut self.stream, &mut buf)) {
            Some(Ok(count)) => {
                assert_eq!(buf[..count], self.rest[..count]);
                assert!(count > 0 || len == 0 || self.rest.is_empty() && !fails);
                self.take(count);
            }
            Some(Err(error)) => assert!(fails && is_reset(&error) && self.rest.is_empty()),
            None => {}
        }
    }

    fn fill(&mut self, amount: usize, patience: usize) {
        let fails = self.fails();
        let fill = async { self.stream.fill_buf().await.map(<[u8]>::to_vec) };
        match polled(patience, fill) {
            Some(Ok(bytes)) => {
                assert!(self.rest.starts_with(&bytes));
                assert!(!bytes.is_empty() || self.rest.is_empty() && !fails);
                let count = amount.min(bytes.len());
                self.stream.consume(count);
                self.take(count);
            }
            Some(Err(error)) => assert!(fails && is_reset(&error) && self.rest.is_empty()),
            None => {}
        }
    }

    /// As code does that is generic over streams: into a vector, which has what came by then.
    fn read_without_limit(&mut self, patience: usize) {
        let (found, fails) = (first(self.rest, self.separators), self.fails());
        // What was there before looks as if a separator began in it.
        let mut bytes = BEFORE.to_vec();
        let read = AsyncBufRead::read_until(&mut self.stream, self.separators, &mut bytes);
        let read = polled(patience, read);
        let new = bytes.strip_prefix(BEFORE).expect("it appends");
        assert!(self.rest.starts_with(new));
        match (read, found) {
            (Some(Err(error)), _) if !are_valid(self.separators) => {
                assert_eq!((error.kind(), new.len()), (ErrorKind::InvalidInput, 0));
            }
            (Some(Ok(count)), found) => {
                let expected = found.map_or(self.rest.len(), |found| found.end);
                assert_eq!((count, new.len()), (expected, expected));
            }
            (Some(Err(error)), None) => assert!(fails && is_reset(&error), "{error}"),
            (None, Some(found)) => assert!(new.len() < found.end),
            (None, None) => {}
            (Some(Err(error)), Some(_)) => panic!("{error}"),
        }
        self.take(new.len());
    }

    fn read_to_end(&mut self, patience: usize) {
        let fails = self.fails();
        match polled(patience, self.stream.read_to_end()) {
            Some(Ok(bytes)) => {
                assert!(bytes == self.rest && !fails);
                self.take(bytes.len());
                assert!(self.stream.at_eof());
            }
            Some(Err(error)) => assert!(fails && is_reset(&error), "{error}"),
            None => {}
        }
    }
}

/// The separator that ends first; of those that end there, the longest.
fn first(bytes: &[u8], separators: &[&[u8]]) -> Option<Range<usize>> {
    (1..=bytes.len()).find_map(|end| {
        let ending = separators
            .iter()
            .filter(|separator| bytes[..end].ends_with(separator));
        let len = ending.map(|separator| separator.len()).max()?;
        Some(end - len..end)
    })
}

fn longest(separators: &[&[u8]]) -> usize {
    let lens = separators.iter().map(|separator| separator.len());
    lens.max().unwrap_or(0)
}

fn are_valid(separators: &[&[u8]]) -> bool {
    !separators.is_empty() && separators.iter().all(|separator| !separator.is_empty())
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionReset
}
