//! The command line, for a shell that completes it and for `man`: made from the one declaration, so that they cannot lag
//! behind it.
//!
//! Pattern: Adapter (of clap_complete and clap_mangen).

use clap::CommandFactory;
use clap_complete::Shell;

use super::options::Options;

/// What the shell reads to complete our options.
pub(super) fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), "qibu", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The man page, in roff.
pub(super) fn man() -> String {
    let mut text = Vec::new();
    // It leaves the text of what the short help leaves out empty.
    let command = Options::command().mut_args(|argument| argument.hide_short_help(false));
    clap_mangen::Man::new(command).render(&mut text).expect("memory takes all that is written to it");
    String::from_utf8_lossy(&text).into_owned()
}
