//! The layers of src/lib.rs and DESIGN.md, as a test: every `crate::…` and `super::…` path in src/ is an arrow between
//! layers, and an arrow that the picture does not have fails with file and line. So do a socket, a file or the clock
//! where they do not belong, a `cfg` that is not on a `mod` line, and a file that has grown too long.
//!
//! ```text
//!  files ─► tokens (no comments, no literals) ─► paths, modules, cfgs ─► module tree ─► rules ─► "file:line: what"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Which layer may use which others; a layer may always use itself.
const ARROWS: &[(&str, &[&str])] = &[
    ("message", &[]),
    ("disk", &[]),
    ("connection", &["disk", "message"]),
    ("handler", &["message"]),
    ("coding", &["message"]),
    ("static_files", &["coding", "disk", "handler", "message"]),
    ("decorators", &["coding", "disk", "handler", "message"]),
    ("protocol", &["connection", "handler", "message"]),
    ("server", &["connection", "handler", "message", "protocol", "static_files", "decorators"]),
    ("testing", &["connection", "handler", "message", "protocol", "server", "static_files", "decorators"]),
];

/// Layers that touch no system: time, bytes and files come to them as values.
const PURE: [&str; 2] = ["message", "protocol"];

const SOCKETS: [&str; 6] = ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "UnixDatagram"];

/// The longest file in src/, in lines.
const MOST_LINES: usize = 700;

#[test]
fn the_source_keeps_to_its_layers() {
    let mut files = Files::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), "src", &mut files);
    assert!(files.len() > 30, "only {} files were found: is this the source?", files.len());
    let violations = check(&files);
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// Path from the root of the crate, as in `src/server/mod.rs`, to text.
type Files = BTreeMap<String, String>;

fn collect(root: &Path, folder: &str, files: &mut Files) {
    for entry in fs::read_dir(root.join(folder)).expect("src/ is readable") {
        let entry = entry.expect("src/ is readable");
        let path = format!("{folder}/{}", entry.file_name().to_str().expect("source files have plain names"));
        if entry.path().is_dir() {
            collect(root, &path, files);
        } else if path.ends_with(".rs") {
            files.insert(path, fs::read_to_string(entry.path()).expect("source is text"));
        }
    }
}

// ---- the rules ----

/// All violations, as `file:line: what`.
fn check(files: &Files) -> Vec<String> {
    let scans: BTreeMap<&str, Scan> = files.iter().map(|(file, text)| (&**file, scan(text))).collect();
    let mut tree = Tree { scans: &scans, places: BTreeMap::new(), violations: BTreeSet::new() };
    tree.plant("src/lib.rs", Root::Library);
    tree.plant("src/main.rs", Root::Program);
    let Tree { places, mut violations, .. } = tree;

    let rules = Rules::new(&scans, &places);
    for (file, text) in files {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            violations.insert(at(file, MOST_LINES + 1, &format!("{lines} lines; {MOST_LINES} are the most")));
        }
        let scan = &scans[&**file];
        violations
            .extend(scan.stray_cfgs.iter().map(|line| at(file, *line, "#[cfg] on something else than a mod line")));
        match places.get(&**file) {
            Some(place) => violations.extend(rules.judge(file, scan, place)),
            None => drop(violations.insert(at(file, 1, "no mod line leads here"))),
        }
    }
    violations.extend(rules.head_parser_is_named_once());
    violations.into_iter().collect()
}

fn at(file: &str, line: usize, what: &str) -> String {
    format!("{file}:{line}: {what}")
}

struct Rules<'a> {
    scans: &'a BTreeMap<&'a str, Scan>,
    library_modules: BTreeSet<&'a str>,
    program_modules: BTreeSet<&'a str>,
    /// What lib.rs exports: name, and the first segment of where it comes from.
    exports: BTreeMap<&'a str, &'a str>,
}

impl<'a> Rules<'a> {
    fn new(scans: &'a BTreeMap<&'a str, Scan>, places: &'a BTreeMap<String, Place>) -> Self {
        let modules = |root| {
            let places = places.values().filter(move |place| place.root == root);
            places.filter_map(|place| place.module.first().map(String::as_str)).collect()
        };
        let library = scans.get("src/lib.rs").into_iter().flat_map(|scan| &scan.paths);
        let exports = library.filter_map(|path| Some((path.name()?, &*path.segments[0])));
        Self {
            scans,
            library_modules: modules(Root::Library),
            program_modules: modules(Root::Program),
            exports: exports.collect(),
        }
    }

    fn judge(&self, file: &str, scan: &Scan, place: &Place) -> Vec<String> {
        let mut violations = Vec::new();
        for path in &scan.paths {
            let complaints = [
                self.arrow(path, place),
                system_in_a_pure_layer(path, place),
                (path.names_crate("mio") && !place.may_name_mio())
                    .then(|| "mio is the loop's and the transport's".into()),
            ];
            violations.extend(complaints.into_iter().flatten().map(|what| at(file, path.line, &what)));
        }
        violations
    }

    /// Where this path leads in our own crate, and what is wrong with that.
    fn arrow(&self, path: &PathUse, place: &Place) -> Option<String> {
        let target = path.absolute(&place.module)?;
        let written = path.segments.join("::");
        let Some(first) = target.first().map(String::as_str).filter(|first| *first != "*") else {
            return Some(format!("`{written}` is the whole crate: name the module"));
        };
        if place.root == Root::Program {
            let is_own = self.program_modules.contains(first);
            return (!is_own).then(|| format!("`{written}`: the program may use the public API alone (qibu::)"));
        }
        let to = match self.exports.get(first) {
            _ if self.library_modules.contains(first) => first,
            Some(origin) if self.library_modules.contains(origin) => origin,
            Some(_) => return None, // of another crate
            None => return Some(format!("`{written}` leads nowhere that this test can see")),
        };
        let from = place.layer()?; // lib.rs may use all
        let Some((_, allowed)) = ARROWS.iter().find(|(layer, _)| *layer == from) else {
            return Some(format!("`{from}` is no layer that this test knows"));
        };
        let is_test = path.is_test || place.is_test;
        let is_allowed = from == to || allowed.contains(&to) || (is_test && to == "testing");
        (!is_allowed).then(|| format!("`{written}` is an arrow {from} → {to}, which the layers do not have"))
    }

    fn head_parser_is_named_once(&self) -> Vec<String> {
        let first_mention = |(file, scan): (&&str, &Scan)| {
            let path = scan.paths.iter().find(|path| path.names_crate("httparse"))?;
            Some(at(file, path.line, "httparse is named in more than one file"))
        };
        let mentions: Vec<_> = self.scans.iter().filter_map(first_mention).collect();
        match mentions.len() {
            0 => vec![at("src/lib.rs", 1, "httparse is named nowhere")],
            1 => Vec::new(),
            _ => mentions,
        }
    }
}

/// Sockets, files and the clock; their types as values are fine.
fn system_in_a_pure_layer(path: &PathUse, place: &Place) -> Option<String> {
    let layer = place.layer().filter(|layer| PURE.contains(layer))?;
    if place.is_test || path.is_test {
        return None;
    }
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    let what = match &segments[..] {
        ["std", "net", "*"] | ["std", "os", "unix" | "windows", "net", ..] => "a socket",
        ["std", "fs", "File"] => return None,
        ["std", "fs", ..] | ["File", _, ..] | ["fs", "File", _, ..] => "a file",
        [.., "Instant" | "SystemTime", "now"] | [".", "elapsed"] => "the clock",
        _ if segments.iter().any(|segment| SOCKETS.contains(segment)) => "a socket",
        _ => return None,
    };
    Some(format!("`{}`: {what} is no business of {layer}", path.segments.join("::")))
}

// ---- the module tree ----

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Library,
    Program,
}

/// Where a file hangs in the module tree.
struct Place {
    root: Root,
    module: Vec<String>,
    is_test: bool,
}

impl Place {
    /// The layer; lib.rs itself is in none.
    fn layer(&self) -> Option<&str> {
        (self.root == Root::Library).then(|| self.module.first().map(String::as_str)).flatten()
    }

    fn may_name_mio(&self) -> bool {
        match &self.module.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["server", ..] | ["connection", "transport", ..] => self.root == Root::Library,
            _ => false,
        }
    }
}

struct Tree<'a> {
    scans: &'a BTreeMap<&'a str, Scan>,
    places: BTreeMap<String, Place>,
    violations: BTreeSet<String>,
}

impl Tree<'_> {
    fn plant(&mut self, file: &str, root: Root) {
        self.grow(file, Place { root, module: Vec::new(), is_test: false });
    }

    fn grow(&mut self, file: &str, place: Place) {
        let Some(scan) = self.scans.get(file) else { return };
        let (folder, name) = file.rsplit_once('/').expect("files lie in src/");
        let own_folder = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder,
            _ => file.trim_end_matches(".rs"),
        };
        let (root, module, is_test) = (place.root, place.module.clone(), place.is_test);
        self.places.insert(file.to_owned(), place);
        for child in &scan.modules {
            let candidates = match &child.path {
                Some(path) => vec![format!("{folder}/{path}")],
                None => vec![format!("{own_folder}/{}.rs", child.name), format!("{own_folder}/{}/mod.rs", child.name)],
            };
            let Some(found) = candidates.into_iter().find(|candidate| self.scans.contains_key(&**candidate)) else {
                self.violations.insert(at(file, child.line, "this module has no file in src/"));
                continue;
            };
            if self.places.get(&found).is_some_and(|known| known.root != root) {
                self.violations.insert(at(file, child.line, "a file of the library in the program"));
                continue;
            }
            let module = [&module[..], std::slice::from_ref(&child.name)].concat();
            self.grow(&found, Place { root, module, is_test: is_test || child.is_test });
        }
    }
}

// ---- what a file says ----

/// The parts of a file that the rules speak of.
#[derive(Default)]
struct Scan {
    paths: Vec<PathUse>,
    /// `mod name;` lines.
    modules: Vec<Module>,
    stray_cfgs: Vec<usize>,
}

/// One path, with the braces of `use` multiplied out. A method call `.name` is `[".", "name"]`.
struct PathUse {
    segments: Vec<String>,
    alias: Option<String>,
    line: usize,
    /// The inline modules around it.
    inside: Vec<String>,
    is_test: bool,
    is_use: bool,
}

struct Module {
    name: String,
    path: Option<String>,
    line: usize,
    is_test: bool,
}

impl PathUse {
    fn names_crate(&self, name: &str) -> bool {
        self.segments[0] == name && (self.is_use || self.segments.len() > 1)
    }

    /// The name that a `use` brings in.
    fn name(&self) -> Option<&str> {
        self.is_use.then(|| self.alias.as_ref().or(self.segments.last())).flatten().map(String::as_str)
    }

    /// The path from the root of the crate, if it is one into our own crate.
    fn absolute(&self, file_module: &[String]) -> Option<Vec<String>> {
        let is_lone = self.segments.len() == 1 && !self.is_use; // pub(super), `self.field`, `use` excepted
        let mut module = [file_module, &self.inside].concat();
        let mut rest = &self.segments[..];
        match &*rest[0] {
            "crate" | "self" | "super" if is_lone => return None,
            "crate" => (module, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {}
            _ => return None,
        }
        while let ["super", after @ ..] = &rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            module.pop();
            rest = &rest[rest.len() - after.len()..];
        }
        module.extend_from_slice(rest);
        Some(module)
    }
}

fn scan(text: &str) -> Scan {
    let mut scanner = Scanner {
        tokens: tokens(text),
        at: 0,
        scopes: Vec::new(),
        attributes: Attributes::default(),
        scan: Scan::default(),
    };
    while scanner.at < scanner.tokens.len() {
        scanner.step();
    }
    scanner.scan
}

struct Scanner {
    tokens: Vec<Token>,
    at: usize,
    scopes: Vec<Scope>,
    attributes: Attributes,
    scan: Scan,
}

/// What a pair of braces encloses.
struct Scope {
    module: Option<String>,
    is_test: bool,
}

/// The attributes in front of the next item, as far as they matter.
#[derive(Default)]
struct Attributes {
    is_test: bool,
    path: Option<String>,
}

impl Scanner {
    fn step(&mut self) {
        match self.text(0) {
            "#" if self.text(1) == "[" || (self.text(1) == "!" && self.text(2) == "[") => self.attribute(),
            "mod" if is_word(self.text(1)) && [";", "{"].contains(&self.text(2)) => self.module(),
            "{" => self.open(None),
            "}" => {
                self.scopes.pop();
                self.at += 1;
            }
            ";" | "," => {
                self.attributes = Attributes::default();
                self.at += 1;
            }
            "." if is_word(self.text(1)) => {
                self.record(vec![".".into(), self.text(1).to_owned()], None, Kind::Path);
                self.at += 2;
            }
            "use" | "crate" if self.text(1) != "::" && is_word(self.text(1)) => {
                self.at += 1; // also `extern crate name`
                self.path(&[], Kind::Use);
            }
            "use" if self.text(1) == "::" => {
                self.at += 2;
                self.path(&[], Kind::Use);
            }
            word if is_word(word) => self.path(&[], Kind::Path),
            _ => self.at += 1,
        }
    }

    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    fn open(&mut self, module: Option<String>) {
        let is_test = std::mem::take(&mut self.attributes).is_test;
        self.scopes.push(Scope { module, is_test });
        self.at += 1;
    }

    fn module(&mut self) {
        let (line, name) = (self.tokens[self.at].line, self.text(1).to_owned());
        self.at += 2;
        if self.text(0) == "{" {
            return self.open(Some(name));
        }
        let is_test = self.is_test();
        self.scan.modules.push(Module { name, path: self.attributes.path.take(), line, is_test });
    }

    fn is_test(&self) -> bool {
        self.attributes.is_test || self.scopes.iter().any(|scope| scope.is_test)
    }

    /// `#[cfg(..)]` may stand on a mod line, among other attributes; `#[cfg(test)]` anywhere.
    fn attribute(&mut self) {
        let (line, is_inner) = (self.tokens[self.at].line, self.text(1) == "!");
        let begin = self.at + if is_inner { 3 } else { 2 };
        self.at = self.end_of_attribute(self.at);
        let inside: Vec<&str> = self.tokens[begin..self.at - 1].iter().map(|token| &*token.text).collect();
        match &inside[..] {
            ["cfg", "(", "test", ")"] => self.attributes.is_test = true,
            ["cfg", ..] if is_inner || !self.stands_on_a_mod_line() => self.scan.stray_cfgs.push(line),
            ["cfg", "(", "all", "(", "test", ..] => self.attributes.is_test = true,
            ["path", "=", path] => self.attributes.path = Some(path.trim_matches('"').to_owned()),
            _ => {}
        }
    }

    fn end_of_attribute(&self, begin: usize) -> usize {
        let mut depth = 0;
        for (index, token) in self.tokens.iter().enumerate().skip(begin) {
            match &*token.text {
                "[" => depth += 1,
                "]" if depth == 1 => return index + 1,
                "]" => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    fn stands_on_a_mod_line(&self) -> bool {
        let mut at = self.at;
        let text = |at: usize| self.tokens.get(at).map_or("", |token| &*token.text);
        while text(at) == "#" {
            at = self.end_of_attribute(at);
        }
        if text(at) == "pub" {
            at += 1;
            if text(at) == "(" {
                at += self.tokens[at..].iter().position(|token| token.text == ")").map_or(0, |end| end + 1);
            }
        }
        text(at) == "mod"
    }

    /// Reads a path, or a tree of paths in braces, behind `before`.
    fn path(&mut self, before: &[String], kind: Kind) {
        let mut segments = before.to_vec();
        loop {
            match self.text(0) {
                "{" if kind == Kind::Use => return self.group(&segments),
                "self" if !segments.is_empty() => self.at += 1, // `a::{self}` is `a`
                word if is_word(word) || word == "*" => {
                    segments.push(word.to_owned());
                    self.at += 1;
                }
                _ => {}
            }
            let goes_on = self.text(0) == "::"
                && (is_word(self.text(1)) || (kind == Kind::Use && ["*", "{"].contains(&self.text(1))));
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        let mut alias = None;
        if kind == Kind::Use && self.text(0) == "as" {
            alias = Some(self.text(1).to_owned());
            self.at += 2;
        }
        if !segments.is_empty() {
            self.record(segments, alias, kind);
        }
    }

    fn group(&mut self, before: &[String]) {
        self.at += 1;
        while !["}", ""].contains(&self.text(0)) {
            match self.text(0) {
                "," => self.at += 1,
                word if is_word(word) || ["*", "{"].contains(&word) => self.path(before, Kind::Use),
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }

    fn record(&mut self, segments: Vec<String>, alias: Option<String>, kind: Kind) {
        let inside = self.scopes.iter().filter_map(|scope| scope.module.clone()).collect();
        let line = self.tokens[self.at.saturating_sub(1)].line;
        let (is_test, is_use) = (self.is_test(), kind == Kind::Use);
        self.scan.paths.push(PathUse { segments, alias, line, inside, is_test, is_use });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Use,
    Path,
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

// ---- tokens ----

#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

/// Words, signs and string literals (with their quotes, so that no word is one); comments are left out.
fn tokens(text: &str) -> Vec<Token> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => block_comment(rest),
            '\'' => quote_or_lifetime(rest),
            '"' => string(rest),
            _ if is_raw_string(rest) => raw_string(rest),
            'b' | 'c' if rest[1..].starts_with('"') => 1 + string(&rest[1..]),
            'b' if rest[1..].starts_with('\'') => 1 + quote_or_lifetime(&rest[1..]),
            _ if first.is_alphanumeric() || first == '_' => {
                rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len())
            }
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let token = &rest[..length];
        if !token.starts_with("//") && !token.starts_with("/*") && !first.is_whitespace() {
            tokens.push(Token { text: token.to_owned(), line });
        }
        line += token.matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn quote_or_lifetime(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, _))) => {
            text[escaped + 1..].find('\'').map_or(text.len(), |end| escaped + 1 + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

fn string(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn is_raw_string(text: &str) -> bool {
    let behind = text.strip_prefix("br").or(text.strip_prefix("cr")).or(text.strip_prefix('r'));
    behind.is_some_and(|behind| behind.trim_start_matches('#').starts_with('"'))
}

fn raw_string(text: &str) -> usize {
    let open = text.find('"').expect("the caller has looked") + 1;
    let hashes = text[..open].matches('#').count();
    let close = format!("\"{}", "#".repeat(hashes));
    text[open..].find(&close).map_or(text.len(), |end| open + end + close.len())
}

// ---- the checker checked ----

const SOUND_LIB: &str = "
    mod connection; mod handler; mod message; mod protocol; mod server; mod static_files; pub mod testing;
    pub use http::{self, Method};
    pub use message::{Request, Response as Answer};
    pub use server::WebServer;";

/// A small crate of all layers that breaks no rule, with `changes` in place of its files or beside them.
fn crate_with(changes: &[(&str, &str)]) -> Files {
    let sound = [
        ("src/lib.rs", SOUND_LIB),
        ("src/main.rs", "mod cli;\nuse qibu::WebServer;\nfn main() { crate::cli::run() }\n"),
        ("src/cli.rs", "pub(crate) fn run() {}\n"),
        ("src/connection/mod.rs", "pub(crate) mod transport;\nuse crate::message::Request;\n"),
        ("src/connection/transport.rs", "use mio::event::Source;\nuse super::Connection;\n"),
        ("src/handler.rs", "use crate::message;\n"),
        ("src/message.rs", "pub struct Request;\n"),
        ("src/protocol.rs", "mod head;\nuse crate::{connection::Connection, handler, message::{Request, Response}};\n"),
        ("src/protocol/head.rs", "use httparse::Status;\nuse super::super::message::Request;\n"),
        ("src/server.rs", "use crate::static_files::StaticFiles;\nfn f() { mio::Poll::new(); }\n"),
        ("src/static_files.rs", "use crate::handler::Handler;\n"),
        ("src/testing.rs", "use crate::WebServer;\nuse crate::server::client;\n"),
    ];
    sound.iter().chain(changes).map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
}

/// The places (`file:line`) of what is wrong with such a crate.
fn places(changes: &[(&str, &str)]) -> Vec<String> {
    let violations = check(&crate_with(changes));
    violations.iter().map(|violation| violation.split(": ").next().unwrap_or_default().to_owned()).collect()
}

/// One file of such a crate, and the lines in it that are wrong.
fn wrong_lines(file: &str, text: &str) -> Vec<usize> {
    let mut lines: Vec<usize> = places(&[(file, text)])
        .iter()
        .map(|place| match place.rsplit_once(':') {
            Some((in_file, line)) if in_file == file => line.parse().expect("a line number"),
            _ => panic!("{place} is not in {file}"),
        })
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[test]
fn allowed_arrows_pass() {
    assert_eq!(check(&crate_with(&[])), [""; 0]);
}

#[test]
fn a_forbidden_arrow_is_reported_with_file_and_line() {
    let files =
        crate_with(&[("src/handler.rs", "//! Doc.\nuse crate::message::Request;\nuse crate::server::Clock;\n")]);
    assert_eq!(
        check(&files),
        ["src/handler.rs:3: `crate::server::Clock` is an arrow handler → server, which the layers do not have"]
    );
}

#[test]
fn an_arrow_is_found_however_it_is_written() {
    for text in [
        "use crate::protocol;",
        "use crate::protocol as p;",
        "use crate::{message::Request, protocol::{Http, Next}};",
        "pub(crate) use crate::{protocol::Http as H};",
        "fn f() -> crate::protocol::Next { todo!() }",
        "fn f() { let x = <crate::protocol::Http as Clone>::clone; }",
        "fn f() { g(&crate::protocol::http1::LIMIT) }",
        "use super::protocol::Next;",
        "use super::{protocol::Next};",
        "mod inner { use super::super::protocol::Next; }",
        "mod inner { fn f() { super::super::protocol::f() } }",
        "fn f<'a>(x: &'a str) { let c = ('\\'', '\"', b'\\\\'); crate::protocol::f() }",
        "fn f() { r#\"\"#; crate::protocol::f() }",
        "use crate::*;",
        "use super::*;",
        "use crate as all;",
        "use crate::nowhere::Thing;",
    ] {
        assert_eq!(wrong_lines("src/handler.rs", text), [1], "{text}");
    }
}

#[test]
fn a_path_within_the_layer_is_no_arrow() {
    for text in [
        "mod a { use super::Handler; }",
        "mod a { mod b { use super::super::Handler; } }",
        "use self::a::Handler; mod a {}",
        "use crate::handler::Place;",
        "pub(super) fn f() {} pub(crate) fn g(&self) { self.x }",
        "pub(in crate::handler) fn f() {}",
    ] {
        assert_eq!(wrong_lines("src/handler.rs", text), [0; 0], "{text}");
    }
}

#[test]
fn a_re_export_is_an_arrow_to_the_module_that_defines_it() {
    assert_eq!(wrong_lines("src/message.rs", "\nuse crate::WebServer;\n"), [2]);
    assert_eq!(wrong_lines("src/connection/transport.rs", "use crate::{Answer, Method};\nuse crate::http;\n"), [0; 0]);
    assert_eq!(wrong_lines("src/message.rs", "fn f(_: crate::Answer, _: crate::Method) {}\n"), [0; 0]);
}

#[test]
fn comments_and_literals_do_not_count() {
    let text = r####"//! [`x`](crate::server::x)
        /// use crate::server; mio::Poll
        // crate::server
        /* crate::server /* nested */ mio::Poll */
        fn f() { ("crate::server", b"mio::Poll", r#"say "crate::server""#, "\" crate::server::x \\"); }
        use crate::server;
    "####;
    assert_eq!(wrong_lines("src/message.rs", text), [6], "and what stands behind them does");
}

#[test]
fn unit_tests_may_use_the_test_client_and_nothing_else_besides() {
    let text = "#[cfg(test)]\nmod tests {\n use super::*;\n use crate::testing::TestConn;\n use crate::server::X;\n}\n";
    assert_eq!(wrong_lines("src/handler.rs", text), [5]);
    assert_eq!(wrong_lines("src/handler.rs", "use crate::testing::TestConn;"), [1]);
    let in_a_file = [
        ("src/handler.rs", "#[cfg(test)]\nmod tests;\n#[cfg(test)]\nuse crate::testing::A;\nuse crate::testing::B;"),
        ("src/handler/tests.rs", "use crate::testing::TestConn;\nuse crate::server::X;"),
    ];
    assert_eq!(places(&in_a_file), ["src/handler.rs:5", "src/handler/tests.rs:2"]);
}

#[test]
fn the_program_uses_the_public_api_alone() {
    assert_eq!(wrong_lines("src/cli.rs", "use qibu::Request;\nuse crate::server::X;\nuse crate::WebServer;"), [2, 3]);
    assert_eq!(wrong_lines("src/cli.rs", "\nuse super::cli;\nuse mio::Poll;"), [3]);
    assert_eq!(wrong_lines("src/main.rs", "mod cli;\n#[path = \"server.rs\"]\nmod server;\n"), [3]);
}

#[test]
fn every_file_hangs_in_the_tree() {
    assert_eq!(places(&[("src/stray.rs", "")]), ["src/stray.rs:1"]);
    assert_eq!(wrong_lines("src/handler.rs", "mod here {}\nmod missing;\n"), [2]);
    let elsewhere =
        [("src/handler.rs", "#[path = \"other/name.rs\"]\nmod x;"), ("src/other/name.rs", "use crate::server;")];
    assert_eq!(places(&elsewhere), ["src/other/name.rs:1"]);
    let unknown = [("src/lib.rs", "mod layer; mod message;"), ("src/layer.rs", "use crate::message::X;")];
    assert!(places(&unknown).contains(&"src/layer.rs:1".to_owned()));
}

#[test]
fn mio_and_httparse_keep_to_their_places() {
    assert_eq!(
        wrong_lines("src/connection/mod.rs", "mod transport;\nuse mio::Token;\nuse mio;\nfn f(mio: u8) { mio }"),
        [2, 3]
    );
    let twice = [("src/server.rs", "\nuse httparse::Status;")];
    assert_eq!(places(&twice), ["src/protocol/head.rs:1", "src/server.rs:2"]);
    assert_eq!(places(&[("src/protocol/head.rs", "")]), ["src/lib.rs:1"]);
}

#[test]
fn the_protocol_touches_no_system() {
    for text in [
        "use std::net::TcpStream;",
        "use std::net::{SocketAddr, UdpSocket};",
        "use std::net::*;",
        "use std::{net, fs};",
        "fn f() { std::net::TcpListener::bind(x) }",
        "use std::os::unix::net::SocketAddr;",
        "fn f() { std::fs::read(x) }",
        "use std::fs::{File, OpenOptions};",
        "use std::fs::File; fn f() { File::open(x) }",
        "fn f() { std::fs::File::create(x) }",
        "use std::time::Instant; fn f() { Instant::now() }",
        "fn f() { std::time::SystemTime::now() }",
        "fn f(since: Instant) { since.elapsed() }",
    ] {
        assert_eq!(wrong_lines("src/message.rs", text), [1], "{text}");
        assert_eq!(wrong_lines("src/protocol.rs", &format!("mod head; {text}")), [1], "{text}");
        assert_eq!(wrong_lines("src/server.rs", text), [0; 0], "{text}");
    }
    let values = "use std::{fs::File, net::{SocketAddr, IpAddr}, time::{Instant, SystemTime}};\n\
                  fn f(now: Instant, file: &File) -> SocketAddr { self.now() }\n\
                  #[cfg(test)]\nmod tests { fn f() { Instant::now(); } }";
    assert_eq!(wrong_lines("src/message.rs", values), [0; 0]);
}

#[test]
fn cfg_stands_on_mod_lines_only() {
    let allowed = "#[cfg(unix)]\npub(crate) mod a {}\n#[cfg(not(unix))]\n#[cfg_attr(x, y)]\nmod b {}
        #[cfg(test)]\nfn f() {}\n#[cfg(all(test, unix))]\nmod tests {}
        const X: bool = cfg!(unix);\n#[derive(Debug)]\n#[must_use]\nstruct S;";
    assert_eq!(wrong_lines("src/message.rs", allowed), [0; 0]);
    let with_path = "mod cli;\n#[cfg(unix)]\n#[path = \"a.rs\"]\nmod s;\n#[cfg(not(unix))]\n#[path = \"b.rs\"]\nmod s;";
    assert_eq!(places(&[("src/main.rs", with_path), ("src/a.rs", ""), ("src/b.rs", "")]), [""; 0]);
    let forbidden = "#![cfg(unix)]\n#[cfg(unix)]\nuse std::io;\n#[cfg(not(test))]\nfn f() {}
        struct S {\n#[cfg(unix)]\nx: u8,\n}\n#[cfg(all(test, unix))]\nfn g() {}";
    assert_eq!(wrong_lines("src/message.rs", forbidden), [1, 2, 4, 7, 10]);
}

#[test]
fn a_file_has_an_end_in_sight() {
    assert_eq!(wrong_lines("src/message.rs", &"\n".repeat(MOST_LINES)), [0; 0]);
    assert_eq!(wrong_lines("src/message.rs", &"\n".repeat(MOST_LINES + 1)), [MOST_LINES + 1]);
}
