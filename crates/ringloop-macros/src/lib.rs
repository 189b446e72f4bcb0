//! The attributes of ringloop: `main` and `test`.
//!
//! Both turn an `async fn` into a plain function that builds a runtime, runs the body on it, and
//! hands back what the body returned. Use them through the facade, as `#[ringloop::main]` and
//! `#[ringloop::test]`: the code they write names `::ringloop`, so a crate that depends on this
//! one alone does not compile with them.
//!
//! This crate only moves tokens. What it means to run something is decided by two functions of
//! the facade, `ringloop::__private::{main, test}`. It stands on `proc_macro` alone, so it adds
//! nothing to a build but itself.
//!
//! | module | holds |
//! |---|---|
//! | `signature` | what a function under one of the attributes must look like, and what to say if it does not |
//! | `expand` | the tokens that replace it |
//!
//! The examples below are program text, not doctests, because they need the facade, which stands
//! above this crate. The facade's examples and tests use both attributes; the expansion itself is
//! tested in `tests/it`, against a stand-in for the facade.
//!
//! ```text
//! #[ringloop::main]
//! async fn main() -> std::io::Result<()> {
//!     let stream = ringloop::net::TcpStream::connect("127.0.0.1:7").await?;
//!     stream.close().await
//! }
//! ```

#![forbid(unsafe_code)]

mod signature;

mod expand;

use proc_macro::TokenStream;

use crate::expand::Entry;

/// Runs an `async fn main` on a ringloop runtime.
///
/// The function may return anything that a plain `main` may return: nothing, a `Result` whose
/// error is `Debug`, an `ExitCode`, any other `std::process::Termination`. Other attributes,
/// documentation and visibility stay on the function. The attribute itself takes no arguments; a
/// program that wants to configure its runtime builds one with `Runtime::builder()` and calls
/// `block_on`.
///
/// Counterpart in asyncio: `asyncio.run(main())`.
///
/// # Errors
///
/// A runtime that cannot be set up (an old kernel, io_uring switched off, no memory to lock) is
/// reported on standard error, and the process ends with a failure code.
///
/// # Panics
///
/// A panic in the body leaves the function as it would without the attribute.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait inside another task; it is the outermost one.
///
/// # Examples
///
/// ```text
/// #[ringloop::main]
/// async fn main() -> std::io::Result<()> {
///     let listener = ringloop::net::TcpListener::bind("127.0.0.1:0").await?;
///     println!("listening on {}", listener.local_addr()?);
///     Ok(())
/// }
/// ```
///
/// which becomes
///
/// ```text
/// fn main() -> ::std::process::ExitCode {
///     async fn main() -> std::io::Result<()> {
///         // the body
///     }
///     ::ringloop::__private::main(main())
/// }
/// ```
///
/// It does not compile on anything but a plain `async fn` without parameters and generics; the
/// error names what is in the way and points at it.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Entry::Main, arguments, item)
}

/// Runs an `async fn` as a test, on a ringloop runtime of its own.
///
/// The function becomes a plain `#[test]` that may return what any test may return, so `?` works
/// with `-> std::io::Result<()>`. `#[ignore]`, `#[should_panic]` and all other attributes stay on
/// it; a `#[test]` beside this one is not needed and would run the test twice.
///
/// Counterpart in asyncio: a method of `unittest.IsolatedAsyncioTestCase`.
///
/// # Panics
///
/// The test fails with the runtime's `SetupError` if no runtime can be set up, and with the
/// body's own panic if the body panics.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait inside another task; it is the outermost one.
///
/// # Examples
///
/// ```text
/// #[ringloop::test]
/// async fn sleeping_takes_time() -> Result<(), ringloop::cancel::Cancelled> {
///     ringloop::sleep(std::time::Duration::from_millis(1)).await
/// }
/// ```
///
/// which becomes
///
/// ```text
/// #[::core::prelude::v1::test]
/// fn sleeping_takes_time() -> Result<(), ringloop::cancel::Cancelled> {
///     async fn sleeping_takes_time() -> Result<(), ringloop::cancel::Cancelled> {
///         // the body
///     }
///     ::ringloop::__private::test(sleeping_takes_time())
/// }
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Entry::Test, arguments, item)
}
