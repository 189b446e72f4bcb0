//! Tidy: rules about the text of the repository that no compiler knows.
//!
//! A rule is a function from what it looks at to findings, one line each, so that its tests can
//! feed it a bad snippet. It reads no file itself. `check` runs them all.

mod file;

pub(crate) mod externals;
pub(crate) mod links;
pub(crate) mod machine;
pub(crate) mod ops_table;
pub(crate) mod picture;
pub(crate) mod unsafe_list;

pub(crate) use file::File;
