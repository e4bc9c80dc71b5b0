//! Which files are source code, by their names: they are text to be read, though most of their kinds have no media type
//! that a browser would show, and some extensions are those of films.

use std::path::Path;

/// Whether a file of that name is the source of a program, a document or a build, or data written as text.
pub(super) fn is_source(path: &Path) -> bool {
    let Some(extension) = path.extension() else { return false };
    let lower = || extension.as_encoded_bytes().iter().map(u8::to_ascii_lowercase);
    EXTENSIONS.binary_search_by(|known| known.bytes().cmp(lower())).is_ok()
        || path.file_name().is_some_and(|name| NAMES.iter().any(|known| name == *known))
}

/// Whether an extension of source code is also that of a film, as cameras and recorders write it.
pub(super) fn may_be_film(path: &Path) -> bool {
    path.extension().is_some_and(|extension| FILMS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// `.mod` is more than this one.
const NAMES: [&str; 3] = ["go.mod", "go.sum", "go.work"];

const FILMS: [&str; 2] = ["ts", "mts"];

/// In the order of their bytes.
#[rustfmt::skip]
const EXTENSIONS: [&str; 152] = [
    "adoc", "asciidoc", "asm", "astro", "awk", "bash", "bat", "bib", "bzl", "c", "cc", "cfg", "cjs", "cl", "clj",
    "cljs", "cmake", "cmd", "cnf", "coffee", "conf", "cpp", "cs", "cts", "cu", "cxx", "d", "dart", "diff", "edn", "el",
    "elm", "erl", "ex", "exs", "f90", "fish", "frag", "fs", "fsx", "gd", "gemspec", "glsl", "go", "gql", "gradle",
    "graphql", "groovy", "h", "hbs", "hcl", "hh", "hlsl", "hpp", "hrl", "hs", "hxx", "ini", "java", "jl", "js", "json5",
    "jsonc", "jsonl", "jsx", "ksh", "kt", "kts", "less", "lhs", "lisp", "lock", "lua", "m", "m4", "mdx", "mjs", "mk", "ml",
    "mli", "mm", "mts", "ndjson", "nim", "nix", "nu", "org", "pas", "patch", "php", "pl", "plantuml", "pm", "po", "pot",
    "properties", "proto", "ps1", "psd1", "psm1", "pug", "puml", "pxd", "py", "pyi", "pyx", "qml", "r", "rake", "rb",
    "rkt", "rmd", "rs", "rst", "s", "sass", "sbt", "scala", "scm", "scss", "sed", "service", "sh", "sol", "sql", "srt",
    "sty", "sv", "svelte", "swift", "tcl", "tex", "textile", "tf", "tfvars", "thrift", "toml", "ts", "tsx", "typ", "v",
    "vb", "vert", "vhdl", "vim", "vue", "wgsl", "wit", "yaml", "yml", "zig", "zsh",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extensions_are_in_order() {
        assert!(EXTENSIONS.is_sorted());
        assert!(FILMS.iter().all(|film| EXTENSIONS.contains(film)), "what is no film is text");
    }

    #[test]
    fn source_code_is_known_by_its_extension() {
        for name in ["a.rs", "a.SH", "b/a.tar.diff", "go.mod", "x/go.sum", "a.zsh", "a.adoc", "a.ts"] {
            assert!(is_source(Path::new(name)), "{name}");
        }
        for name in ["rs", ".rs", "a.", "a.r s", "a.rsx", "a.mod", "a.txt", "a.html", "a/"] {
            assert!(!is_source(Path::new(name)), "{name}");
        }
        assert!(may_be_film(Path::new("a.TS")) && !may_be_film(Path::new("ts")));
    }
}
