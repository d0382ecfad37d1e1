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

/// The smallest width of a last column of words; other columns are left out before it gets narrower.
const LEAST_WORDS: usize = 32;

/// As [`grid`], but no wider than `width`, if it is given: the last column is wrapped, and if that is not enough, columns are
/// left out in the order of `first_left_out` and named below the table.
pub(super) fn fitted(
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    first_left_out: &[&str],
    width: Option<usize>,
) -> String {
    let rows: Vec<Vec<String>> =
        rows.map(|row| row.iter().map(|cell| visible_line(cell).into_owned()).collect()).collect();
    let Some(width) = width else { return grid(header, rows.into_iter()) };
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(|i| widest(i).max(header[i].chars().count())).collect();
    let last = header.len() - 1;
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let before_last = |kept: &[usize]| kept.iter().filter(|i| **i != last).map(|i| widths[*i] + 2).sum::<usize>();
    let mut left_out: Vec<&str> = Vec::new();
    for name in first_left_out.iter().filter(|name| header.contains(name)) {
        if before_last(&kept) + widths[last].min(LEAST_WORDS) > width {
            kept.retain(|i| header[*i] != *name);
            left_out.push(name);
        }
    }
    let room = width.saturating_sub(before_last(&kept)).max(1);
    let mut lines: Vec<Vec<String>> = Vec::new();
    for row in &rows {
        for (i, words) in broken(&row[last], room, room).into_iter().enumerate() {
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
        text.push_str(&paragraph(
            &format!("(not shown here: {}; `| cat` shows all columns)", left_out.join(", ")),
            0,
            Some(width),
        ));
        text.push('\n');
    }
    text
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
    let length = |text: &str| text.chars().count();
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

    const HEADER: [&str; 3] = ["layer", "peak, bits", "verdict"];

    #[test]
    fn a_table_that_fits_or_has_no_width_is_whole() {
        let whole = grid(&HEADER, rows());
        assert_eq!(fitted(&HEADER, rows(), &["peak, bits"], None), whole);
        assert_eq!(fitted(&HEADER, rows(), &["peak, bits"], Some(80)), whole);
    }

    #[test]
    fn a_narrow_table_breaks_its_last_column_and_then_leaves_columns_out() {
        // 5 + 2 and 10 + 2 columns come before the last, which needs 27.
        for width in [46, 40, 33] {
            let text = fitted(&HEADER, rows(), &["peak, bits"], Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
            assert!(text.contains("layer") && text.contains("compresses by"), "{text}");
            assert_eq!(text.contains("3.250"), width == 46, "{text}");
            assert_eq!(text.contains("not shown here: peak, bits"), width != 46, "{text}");
        }
        let broken = fitted(&HEADER, rows(), &[], Some(37));
        assert!(broken.contains("1      3.250       compresses by a\n                   lot of bits\n"), "{broken}");
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
