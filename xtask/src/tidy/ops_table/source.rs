//! What the table wants to know of Rust sources: structs with their doc comments, methods that make
//! operations, implementations of operations. Formatted by rustfmt; read line by line.

/// A public struct.
#[derive(Debug)]
pub(super) struct Struct {
    pub(super) name: String,
    /// The doc comment in one line.
    doc: String,
    /// Where it is.
    pub(super) line: usize,
}

impl Struct {
    /// `5.6` of `Linux 5.6.` and of `Linux 5.6, with slots 5.19.`.
    pub(super) fn linux(&self) -> Option<String> {
        let mut said = self.doc.match_indices("Linux ");
        said.find_map(|(at, word)| {
            let number = &self.doc[at + word.len()..];
            let end = number.find(|c: char| !c.is_ascii_digit() && c != '.');
            let number = number[..end.unwrap_or(number.len())].trim_end_matches('.');
            number.contains('.').then(|| number.to_owned())
        })
    }

    /// The first manual page behind `Counterpart:`.
    pub(super) fn counterpart(&self) -> Option<String> {
        let (_, said) = self.doc.split_once("Counterpart: `")?;
        let (page, _) = said.split_once('`')?;
        Some(page.to_owned())
    }

    /// What is behind `Made by`.
    pub(super) fn made_by(&self) -> Option<String> {
        let (_, said) = self.doc.split_once("Made by [`")?;
        let (path, _) = said.split_once('`')?;
        Some(path.to_owned())
    }
}

/// A public function, with the type that it is of.
#[derive(Debug)]
pub(super) struct Method {
    of: String,
    name: String,
    result: String,
}

impl Method {
    /// Whether its result is, or holds, the future or stream of `operation`.
    pub(super) fn makes(&self, operation: &str) -> bool {
        ["Op<", "OpStream<"].iter().any(|wrapper| {
            self.result.match_indices(wrapper).any(|(at, _)| {
                let before = self.result[..at].chars().next_back();
                let inner = &self.result[at + wrapper.len()..];
                let is_whole = |c: char| !c.is_alphanumeric() && c != '_';
                before.is_none_or(is_whole)
                    && inner
                        .strip_prefix(operation)
                        .is_some_and(|rest| rest.starts_with(is_whole))
            })
        })
    }

    /// Its name, with the type if that is not the handle.
    pub(super) fn title(&self) -> String {
        match self.of.as_str() {
            "Handle" => self.name.clone(),
            of => format!("{of}::{}", self.name),
        }
    }
}

/// An `impl Operation for X` or `impl Multishot for X`.
#[derive(Debug)]
pub(super) struct Impl {
    pub(super) of: String,
    pub(super) output: Option<String>,
    pub(super) is_multishot: bool,
}

/// The first line of the module's head, as a heading.
pub(super) fn title(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.trim_start_matches("//!").trim();
    let first = first.split_once(": ").map_or(first, |(title, _)| title);
    first.trim_end_matches('.').to_owned()
}

pub(super) fn structs(text: &str) -> Vec<Struct> {
    let mut found = Vec::new();
    let mut doc = String::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(words) = line.strip_prefix("///") {
            doc.push_str(words);
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            found.push(Struct {
                name: identifier(rest),
                doc: std::mem::take(&mut doc),
                line: index + 1,
            });
        } else if !(line.starts_with("#[") || line.starts_with(' ') || line == ")]") {
            doc.clear();
        }
    }
    found
}

/// The public methods of the impl blocks in `text`.
pub(super) fn methods(text: &str) -> Vec<Method> {
    let mut found = Vec::new();
    let mut of = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("impl") && !line.contains(" for ") {
            of = identifier(after_generics(&line["impl".len()..]));
        }
        let Some(rest) = line.strip_prefix("    pub fn ") else {
            continue;
        };
        let mut signature = rest.to_owned();
        while !signature.ends_with(['{', ';']) {
            let Some(next) = lines.next() else { break };
            signature.push_str(next.trim());
        }
        let result = signature.rsplit_once("-> ").map(|(_, result)| result);
        found.push(Method {
            of: of.clone(),
            name: identifier(rest),
            result: result.unwrap_or_default().to_owned(),
        });
    }
    found
}

pub(super) fn impls(text: &str) -> Vec<Impl> {
    let mut found: Vec<Impl> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("unsafe impl") {
            let (interface, of) = after_generics(rest).split_once(" for ").unwrap_or_default();
            let name = interface.rsplit("::").next().unwrap_or_default();
            is_inside = matches!(name, "Operation" | "Multishot");
            if is_inside {
                found.push(Impl {
                    of: identifier(of),
                    output: None,
                    is_multishot: name == "Multishot",
                });
            }
        } else if line == "}" {
            is_inside = false;
        } else if is_inside
            && let Some(current) = found.last_mut()
            && let Some((label, output)) = line.trim().split_once(" = ")
            && matches!(label, "type Output" | "type Item")
        {
            current.output = Some(output.trim_end_matches(';').to_owned());
        }
    }
    found
}

/// What follows the angle brackets that `text` begins with, if it does.
fn after_generics(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            // Not the end of an arrow.
            '>' if !text[..at].ends_with('-') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && c != '>' {
            return text[at..].trim_start();
        }
    }
    ""
}

fn identifier(text: &str) -> String {
    let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
    text.chars().take_while(is_part).collect()
}
