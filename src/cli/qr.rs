//! An address as a picture that a telephone's camera reads, in half blocks: two rows of the picture in one of text.
//!
//! Pattern: Adapter (of fast_qr).

use std::fmt::Write;

use fast_qr::QRBuilder;

/// How many modules of light stand around the picture. The standard asks for four, cameras are content with two.
const MARGIN: usize = 2;

/// What the picture is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Black on white, whatever the terminal's own colours are.
    Colours,
    /// Blocks alone: they are the light, as on a dark terminal.
    Blocks,
}

/// The lines of the picture; `None` for an address that is too long for one.
pub(super) fn picture(address: &str, ink: Ink) -> Option<String> {
    let code = QRBuilder::new(address).build().ok()?;
    let is_light = |row: usize, column: usize| {
        let inside = |place: usize| place.checked_sub(MARGIN).filter(|place| *place < code.size);
        inside(row).zip(inside(column)).is_none_or(|(row, column)| !code[row][column].value())
    };
    let side = code.size + 2 * MARGIN;
    let mut picture = String::new();
    for row in (0..side).step_by(2) {
        let (before, after) = match ink {
            Ink::Colours => ("\x1b[38;5;231;48;5;16m", "\x1b[0m"),
            Ink::Blocks => ("", ""),
        };
        let blocks =
            (0..side).map(|column| match (is_light(row, column), row + 1 < side && is_light(row + 1, column)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        let _ = writeln!(picture, "  {before}{}{after}", blocks.collect::<String>());
    }
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the picture as a camera would, four pixels to a module.
    fn read(picture: &str) -> String {
        let rows: Vec<Vec<char>> = picture.lines().map(|line| line.chars().skip(2).collect()).collect();
        let is_light = |x: usize, y: usize| match rows.get(y / 2).and_then(|row| row.get(x)) {
            Some('█') => true,
            Some('▀') => y.is_multiple_of(2),
            Some('▄') => !y.is_multiple_of(2),
            _ => false,
        };
        let (width, height) = (4 * rows[0].len(), 8 * rows.len());
        let pixel = |x: usize, y: usize| if is_light(x / 4, y / 4) { 255 } else { 0 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code:\n{picture}");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_camera_reads_the_address_back() {
        for address in ["http://192.168.178.123:8080/", "http://[2001:db8:1234:5678:9abc:def0:1234:5678]:65535/"] {
            assert_eq!(read(&picture(address, Ink::Blocks).unwrap()), address);
        }
    }

    #[test]
    fn what_is_too_long_has_no_picture() {
        assert_eq!(picture(&"x".repeat(10_000), Ink::Blocks), None);
    }

    #[test]
    fn colours_end_with_each_line() {
        let coloured = picture("http://192.0.2.1:8080/", Ink::Colours).unwrap();
        assert!(coloured.lines().all(|line| line.ends_with("\x1b[0m")));
    }
}
