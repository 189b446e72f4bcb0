//! `main`: a plain function that returns an exit code, whatever the body returns.

use std::process::ExitCode;

/// Exit codes have no `==`; their `Debug` text tells them apart.
fn same(left: ExitCode, right: ExitCode) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

mod returns_nothing {
    #[ringloop_macros::main]
    pub(super) async fn main() {}
}

mod returns_an_error {
    #[ringloop_macros::main]
    pub(super) async fn main() -> Result<(), std::num::ParseIntError> {
        let _number: u8 = "three".parse()?;
        Ok(())
    }
}

mod returns_a_code {
    use std::process::ExitCode;

    /// Documentation and other attributes stay.
    #[ringloop_macros::main]
    #[must_use]
    #[inline(never)]
    pub(super) async fn main() -> ExitCode {
        ExitCode::from(std::future::ready(7).await)
    }
}

mod from_a_macro {
    macro_rules! program {
        ($vis:vis, $name:ident, $output:ty, $body:block) => {
            #[ringloop_macros::main]
            $vis async fn $name() -> $output $body
        };
    }

    program!(pub(super), start, Result<(), String>, { Ok(()) });
}

#[test]
fn nothing_is_success() {
    assert!(same(returns_nothing::main(), ExitCode::SUCCESS));
}

#[test]
fn question_mark_returns_from_the_body() {
    assert!(same(returns_an_error::main(), ExitCode::FAILURE));
}

#[test]
fn a_code_is_passed_on() {
    assert!(same(returns_a_code::main(), ExitCode::from(7)));
}

#[test]
fn fragments_of_a_macro_are_read() {
    assert!(same(from_a_macro::start(), ExitCode::SUCCESS));
}
