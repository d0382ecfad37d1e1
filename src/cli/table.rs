//! Tables and numbers as text for a screen, and as Markdown.

use crate::visible::visible_line;

/// Columns of text, each as wide as its widest entry.
pub(super) fn grid(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    let shown = |row: Vec<String>| row.iter().map(|cell| visible_line(cell).into_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).map(shown).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A column of a table that is fitted to a width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heading<'a> {
    name: &'a str,
    /// Place in the order in which columns are left out; `None` if the column is always shown.
    left_out: Option<u8>,
}

impl<'a> Heading<'a> {
    /// A column that is always shown.
    pub(super) const fn kept(name: &'a str) -> Self {
        Self { name, left_out: None }
    }

    /// A column that a narrow table leaves out; columns with a smaller `place` are left out before it.
    pub(super) const fn optional(name: &'a str, place: u8) -> Self {
        Self { name, left_out: Some(place) }
    }
}

/// The smallest width of a last column of words; other columns are left out before it gets narrower.
pub(super) const LEAST_WORDS: usize = 32;

/// The smallest width to which the first column is shortened.
const LEAST_FIRST: usize = 8;

/// As [`grid`], but no wider than `width`, if it is given: the last column is wrapped. If that is not enough, optional columns are
/// left out and named below the table, with what to add to the command to see them; then the first column is shortened.
pub(super) fn fitted(
    headings: &[Heading<'_>],
    rows: impl Iterator<Item = Vec<String>>,
    width: Option<usize>,
    add: &str,
) -> String {
    let header: Vec<&str> = headings.iter().map(|heading| heading.name).collect();
    let mut rows: Vec<Vec<String>> =
        rows.map(|row| row.iter().map(|cell| visible_line(cell).into_owned()).collect()).collect();
    let Some(width) = width else { return grid(&header, rows.into_iter()) };
    let widest = |column: usize| rows.iter().map(|row| length(&row[column])).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..header.len()).map(|i| widest(i).max(length(header[i]))).collect();
    let last = header.len() - 1;
    let needed = widths[last].min(LEAST_WORDS);
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let before_last =
        |kept: &[usize], widths: &[usize]| kept.iter().filter(|i| **i != last).map(|i| widths[*i] + 2).sum::<usize>();
    let mut optional: Vec<usize> = (0..header.len()).filter(|i| headings[*i].left_out.is_some()).collect();
    optional.sort_by_key(|i| headings[*i].left_out);
    let mut left_out: Vec<&str> = Vec::new();
    for column in optional {
        if before_last(&kept, &widths) + needed > width {
            kept.retain(|i| *i != column);
            left_out.push(header[column]);
        }
    }
    let excess = (before_last(&kept, &widths) + needed).saturating_sub(width);
    if excess > 0 && last > 0 {
        widths[0] = widths[0].saturating_sub(excess).max(LEAST_FIRST.max(length(header[0])).min(widths[0]));
        rows.iter_mut().for_each(|row| row[0] = shortened(&row[0], widths[0]));
    }
    let room = width.saturating_sub(before_last(&kept, &widths)).max(1);
    let mut lines: Vec<Vec<String>> = Vec::new();
    for row in &rows {
        let words = broken(&row[last], room, room);
        for (i, words) in words.iter().flat_map(|line| cut(line, room)).enumerate() {
            let cell = |column: &usize| match *column {
                column if column == last => words.clone(),
                column if i == 0 => row[column].clone(),
                _ => String::new(),
            };
            lines.push(kept.iter().map(cell).collect());
        }
    }
    let kept: Vec<&str> = kept.iter().map(|i| header[*i]).collect();
    let mut text = grid(&kept, lines.into_iter());
    if !left_out.is_empty() {
        let note = format!("(not shown here: {}; `{add}` shows all columns)", left_out.join(", "));
        text.push_str(&paragraph(&note, 0, Some(width)));
        text.push('\n');
    }
    text
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// `text` in at most `width` columns: the middle of a longer text is replaced by `…`, because names differ at both ends.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= width {
        return text.to_owned();
    }
    let n_kept = width.saturating_sub(1);
    let n_first = n_kept.div_ceil(2);
    let (first, last) = (&letters[..n_first], &letters[letters.len() - (n_kept - n_first)..]);
    first.iter().chain(&['…']).chain(last).collect()
}

/// A line in pieces of at most `width` columns. A longer word is cut after a sign such as `-`, if it has one.
fn cut(line: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let (mut pieces, mut rest) = (Vec::new(), &letters[..]);
    while rest.len() > width {
        let is_joint = |c: &char| "-_/.,; ".contains(*c);
        let end = rest[..width].iter().rposition(is_joint).map_or(width, |place| place + 1);
        pieces.push(rest[..end].iter().collect());
        rest = &rest[end..];
    }
    pieces.push(rest.iter().collect());
    pieces
}

/// `text` wrapped to `width`, if it is given; all lines but the first are indented by `indent` spaces.
pub(super) fn paragraph(text: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let words = text.trim_start();
    let n_leading = text.len() - words.len();
    let lines = broken(words, width.saturating_sub(n_leading), width.saturating_sub(indent));
    format!("{}{}", &text[..n_leading], lines.join(&format!("\n{}", " ".repeat(indent))))
}

/// The lines of `text`, wrapped between words: the first line has at most `first` columns, the others `width`, unless a word is
/// longer.
fn broken(text: &str, first: usize, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let room = if lines.is_empty() { first } else { width };
        if !line.is_empty() && length(&line) + 1 + length(word) > room {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A text for one line of Markdown, escaped so that it cannot be read as HTML, a link or the end of a cell.
pub(super) fn in_markdown(text: &str) -> String {
    // Addresses without brackets are links on GitHub.
    const MEANT_AS_TEXT: [(&str, &str); 9] = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("|", "&#124;"),
        ("](", "]&#40;"),
        ("]:", "]&#58;"),
        ("://", "&#58;//"),
        ("www.", "www&#46;"),
        ("WWW.", "WWW&#46;"),
    ];
    let shown = visible_line(text).into_owned();
    MEANT_AS_TEXT.iter().fold(shown, |text, (sign, written)| text.replace(sign, written))
}

/// A Markdown table.
pub(super) fn markdown(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let row = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| in_markdown(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let head = row(header.iter().map(|name| (*name).to_owned()).collect());
    let rule = format!("|{}\n", "---|".repeat(header.len()));
    [head, rule].into_iter().chain(rows.map(row)).collect()
}

/// A number in few digits.
pub(super) fn short(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1000.0 => format!("{number:.0}"),
        size if size >= 100.0 => format!("{number:.1}"),
        size if size >= 0.01 => format!("{number:.3}"),
        _ => format!("{number:.1e}"),
    }
}

/// A value that may be missing.
pub(super) fn or_dash<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_link_of_markdown() {
        for (text, written) in [
            ("see https://a.b/c and HTTP://d", "see https&#58;//a.b/c and HTTP&#58;//d"),
            ("www.a.b, WWW.a.b", "www&#46;a.b, WWW&#46;a.b"),
            ("[a](b) [c]: d", "[a]&#40;b) [c]&#58; d"),
            ("epoch 3: 1/2 bits", "epoch 3: 1/2 bits"),
        ] {
            assert_eq!(in_markdown(text), written);
        }
    }

    fn rows() -> impl Iterator<Item = Vec<String>> {
        [["1", "3.250", "compresses by a lot of bits"], ["2", "4.000", "does not"]]
            .into_iter()
            .map(|row| row.map(str::to_owned).to_vec())
    }

    const HEADINGS: [Heading<'_>; 3] =
        [Heading::kept("layer"), Heading::optional("peak, bits", 0), Heading::kept("verdict")];

    #[test]
    fn a_table_that_fits_or_has_no_width_is_whole() {
        let whole = grid(&["layer", "peak, bits", "verdict"], rows());
        assert_eq!(fitted(&HEADINGS, rows(), None, "| cat"), whole);
        assert_eq!(fitted(&HEADINGS, rows(), Some(80), "| cat"), whole);
    }

    #[test]
    fn a_narrow_table_wraps_its_last_column_and_then_leaves_columns_out() {
        // 5 + 2 and 10 + 2 columns come before the last, which needs 27.
        for width in [46, 40, 33] {
            let text = fitted(&HEADINGS, rows(), Some(width), "| cat");
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
            assert!(text.contains("layer") && text.contains("compresses by"), "{text}");
            assert_eq!(text.contains("3.250"), width == 46, "{text}");
            assert_eq!(text.contains("not shown here: peak, bits"), width != 46, "{text}");
        }
        let kept = HEADINGS.map(|heading| Heading::kept(heading.name));
        let wrapped = fitted(&kept, rows(), Some(37), "| cat");
        assert!(wrapped.contains("1      3.250       compresses by a\n                   lot of bits\n"), "{wrapped}");
    }

    #[test]
    fn columns_are_left_out_by_their_place_even_if_two_have_the_same_name() {
        let headings =
            [Heading::kept("layer"), Heading::optional("I", 1), Heading::optional("I", 0), Heading::kept("end")];
        let row = || std::iter::once(["1", "3.25", "4.00", "0"].map(str::to_owned).to_vec());
        // 5 + 2, 4 + 2, 4 + 2 and 3 columns are 22.
        assert_eq!(fitted(&headings, row(), Some(22), "| cat"), "layer  I     I     end\n1      3.25  4.00  0\n");
        let narrow = fitted(&headings, row(), Some(21), "| cat");
        assert!(narrow.starts_with("layer  I     end\n1      3.25  0\n(not shown here: I;"), "{narrow}");
    }

    #[test]
    fn long_names_are_cut_in_the_last_column_and_shortened_in_the_first() {
        let name = "hidden-10-7-5-4-3-activation-tanh-learning_rate-0.004";
        let headings = [Heading::kept("1"), Heading::kept("experiment")];
        let text = fitted(&headings, std::iter::once(vec!["yes".to_owned(), name.to_owned()]), Some(40), "| cat");
        assert_eq!(text, "1    experiment\nyes  hidden-10-7-5-4-3-activation-tanh-\n     learning_rate-0.004\n");
        let without_joints = "a".repeat(50);
        assert_eq!(cut(&without_joints, 20), ["a".repeat(20), "a".repeat(20), "a".repeat(10)]);
        let headings = [Heading::kept("layer"), Heading::kept("verdict")];
        let text = fitted(&headings, std::iter::once(vec![name.to_owned(), "undecided".to_owned()]), Some(30), "| cat");
        assert_eq!(text, "layer                verdict\nhidden-10…ate-0.004  undecided\n");
    }

    #[test]
    fn words_are_broken_between_words_and_never_lost() {
        let text = "record: 3 runs, 749991 rows → outputs/a-very-long-name-of-an-experiment";
        let lines = paragraph(text, 2, Some(30));
        assert_eq!(lines, "record: 3 runs, 749991 rows →\n  outputs/a-very-long-name-of-an-experiment");
        assert_eq!(
            (paragraph(text, 2, None), paragraph("  a  b", 2, Some(30))),
            (text.to_owned(), "  a  b".to_owned())
        );
        assert_eq!(paragraph("  a   b c", 4, Some(8)), "  a   b\n    c");
        assert_eq!(lines.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
    }
}
