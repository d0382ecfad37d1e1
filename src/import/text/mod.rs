//! Tables as text: one row per line, values separated by a comma or another character (`.csv`, `.tsv`, `.txt`,
//! `.data`).

mod layout;

use std::borrow::Cow;

use super::{Decimal, ImportError, Options, Separator};
use crate::columns::{Column, MissingValue, Words};
use crate::memory::Room;
use layout::Layout;

/// Bytes for a value of a line while the line is read, with its name.
const BYTES_OF_VALUE: u128 = 32;

/// One column for every column of the text: numbers, or strings if no row has a number.
pub(super) fn read(content: &[u8], options: &Options, room: &mut Room) -> Result<Vec<Column>, ImportError> {
    let text = layout::utf8(content).map_err(ImportError::Refused)?;
    let n_values = most_separators(&text, options) + 1;
    room.has(n_values as u128 * BYTES_OF_VALUE, "its table").map_err(ImportError::Refused)?;
    let layout = Layout::new(&text, options).map_err(ImportError::Refused)?;
    let names = layout.names()?;
    // Rows are counted before any are stored; the number of lines is an upper bound.
    let n_lines = n_lines(&layout.text);
    room.take_numbers(n_lines as u128 * names.len() as u128, "its table").map_err(ImportError::Refused)?;
    let mut cells: Vec<Cells> = names.iter().map(|_| Cells::default()).collect();
    layout.rows(|row, record| {
        for (cells, text) in cells.iter_mut().zip(record) {
            cells.push(row, text, options.decimal);
        }
        Ok(())
    })?;
    let mut words: Vec<Option<Words>> = cells.iter().map(|cells| cells.is_words().then(Words::default)).collect();
    if words.iter().any(Option::is_some) {
        layout.rows(|_, record| {
            for (words, text) in words.iter_mut().zip(record) {
                words.iter_mut().for_each(|words| words.push(text));
            }
            Ok(())
        })?;
    }
    let columns = names.into_iter().zip(cells).zip(words);
    Ok(columns.map(|((name, cells), words)| cells.column(name, words, layout.is_of_commas())).collect())
}

/// The largest number of separators in a line: it limits the number of values, and the reader stores the position of
/// each. Lines within quotation marks are joined.
fn most_separators(text: &str, options: &Options) -> usize {
    let is_separator = |byte: u8| b",;\t| ".contains(&byte) || options.separator == Some(Separator::Character(byte));
    let (mut most, mut n, mut is_quoted) = (0, 0, false);
    for byte in text.bytes() {
        is_quoted ^= byte == b'"';
        n = if byte == b'\n' && !is_quoted { 0 } else { n + usize::from(is_separator(byte)) };
        most = most.max(n);
    }
    most
}

/// Upper bound for the number of lines: `\n`, `\r` and `\r\n` each end a line.
fn n_lines(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_end = |at: &usize| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    1 + (0..bytes.len()).filter(is_end).count()
}

/// Content of the cells of a column so far.
#[derive(Default)]
struct Cells {
    numbers: Column,
    /// The first cell that is a number, and the first that is another string, each with its row.
    number: Option<(usize, String)>,
    word: Option<(usize, String)>,
    missing: Option<MissingValue>,
    /// The first cell of only digits, points and commas: a number in another notation.
    digits: Option<(usize, String)>,
}

impl Cells {
    fn push(&mut self, row: usize, text: &str, decimal: Decimal) {
        let first = |place: &mut Option<(usize, String)>| {
            place.get_or_insert_with(|| (row, text.to_owned()));
        };
        if let Some(missing) = MissingValue::new(row, text) {
            self.missing.get_or_insert(missing);
            self.numbers.values.push(f64::NAN);
            return;
        }
        match number(text, decimal) {
            Some(Number::Whole(number)) => {
                first(&mut self.number);
                self.numbers.push_whole(number);
            }
            Some(Number::Real(number)) => {
                first(&mut self.number);
                self.numbers.values.push(number);
                if !self.numbers.rests.is_empty() {
                    self.numbers.rests.push(0.0);
                }
            }
            None => {
                first(&mut self.word);
                let is_digits = |byte: u8| byte.is_ascii_digit() || b"+-.,".contains(&byte);
                if text.bytes().all(is_digits) && text.contains(',') {
                    first(&mut self.digits);
                }
                self.numbers.values.push(f64::NAN);
            }
        }
    }

    fn is_words(&self) -> bool {
        self.number.is_none() && self.word.is_some() && self.digits.is_none()
    }

    fn column(self, name: String, words: Option<Words>, is_comma: bool) -> Column {
        if let Some(words) = words {
            return words.column(name);
        }
        let problem = match (self.digits, self.word, self.missing) {
            (Some((row, word)), ..) => {
                Some(format!("row {row}: `{word}` is not a number; {}", remedy_of_digits(&word, is_comma)))
            }
            (None, Some((row, word)), _) => {
                let other = self.number.map(|(row, number)| format!(", but row {row} has `{number}`"));
                Some(format!("row {row}: `{word}` is not a number{}", other.unwrap_or_default()))
            }
            (None, None, Some(missing)) => Some(missing.to_string()),
            (None, None, None) => None,
        };
        Column { name, width: 1, problem, ..self.numbers }
    }
}

/// What to do about digits with commas, depending on whether the comma is the separator.
fn remedy_of_digits(word: &str, is_comma: bool) -> String {
    let flags = if is_comma { "`--decimal , --separator ,`" } else { "`--decimal ,`" };
    let mut groups = word.split(',').skip(1);
    match number(word, Decimal::Comma) {
        None => "write numbers without marks between thousands".to_owned(),
        Some(_) if groups.all(|group| group.len() == 3) => {
            format!("if the comma separates thousands, write numbers without it; if it is a decimal point, add {flags}")
        }
        Some(_) => format!("if the comma is a decimal point, add {flags}"),
    }
}

/// Notation of a number.
#[derive(Debug, PartialEq)]
enum Number {
    Whole(i128),
    Real(f64),
}

/// The number in a cell, if it is a number.
fn number(text: &str, decimal: Decimal) -> Option<Number> {
    let is_whole = text.strip_prefix(['-', '+']).unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    // Whole numbers with more digits may lose some as f64; up to this number all are exact.
    if is_whole && text.len() > 15 {
        return text.parse().ok().map(Number::Whole);
    }
    let text = match decimal {
        Decimal::Point => Cow::Borrowed(text),
        // A point would separate thousands.
        Decimal::Comma if text.contains('.') => return None,
        Decimal::Comma => Cow::Owned(text.replacen(',', ".", 1)),
    };
    text.parse().ok().map(Number::Real)
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::*;

    fn columns(text: &str, options: &Options) -> Result<Vec<Column>, String> {
        let mut room = Room::of_bytes(1 << 20);
        read(text.as_bytes(), options, &mut room).map_err(|e| e.to_string())
    }

    #[track_caller]
    fn check(text: &str, options: &Options, names: &[&str], values: &[&[f64]]) {
        let got = columns(text, options).unwrap();
        assert_eq!(got.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), names, "{text}");
        assert_eq!(got.iter().map(|c| c.values.as_slice()).collect::<Vec<_>>(), values, "{text}");
        assert!(got.iter().all(|c| c.problem.is_none()), "{got:?}");
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        assert_eq!(columns(text, &Options::default()).unwrap_err(), expected, "{text}");
    }

    #[test]
    fn the_separator_is_found_or_given() {
        let plain = Options::default();
        for text in [
            "a,b,y\n0.5,1,0\n1.5,2,1\n",
            "a;b;y\n0.5;1;0\n1.5;2;1\n",
            "a\tb\ty\r\n0.5\t1\t0\r\n1.5\t2\t1\r\n",
            "a|b|y\n0.5|1|0\n1.5|2|1\n",
            "  a  b   y\n0.5   1 0\n 1.5 \t 2 1 \n",
            "sep=;\na;b;y\n0.5;1;0\n1.5;2;1\n",
            "\"sep=\t\"\na\tb\ty\n0.5\t1\t0\n1.5\t2\t1\n",
            "\u{feff}a, b, y\n0.5, 1, 0\n1.5, 2, 1",
            "\n\na,b,y\n0.5,1,0\n\n1.5,2,1\n\n",
        ] {
            check(text, &plain, &["a", "b", "y"], &[&[0.5, 1.5], &[1.0, 2.0], &[0.0, 1.0]]);
        }
        let comma = Options { decimal: Decimal::Comma, ..Options::default() };
        check("a;y\n0,5;0\n-1,5e1;1\n", &comma, &["a", "y"], &[&[0.5, -15.0], &[0.0, 1.0]]);
        let bare = Options { decimal: Decimal::Comma, header: Header::Missing, ..Options::default() };
        check("0,5 0\n1,5 1\n2,5 0", &bare, &["0", "1"], &[&[0.5, 1.5, 2.5], &[0.0, 1.0, 0.0]]);
        check("5,1;3,5;0\n", &bare, &["0", "1", "2"], &[&[5.1], &[3.5], &[0.0]]);
        check("0,5\n1,5\n", &bare, &["0"], &[&[0.5, 1.5]]);
        let given = Options { separator: Some(Separator::Character(b':')), ..Options::default() };
        check("a:y\n1:0\n", &given, &["a", "y"], &[&[1.0], &[0.0]]);
        let spaces = Options { separator: Some(Separator::Spaces), ..Options::default() };
        check("\"the a\" y\n 1   0\n", &spaces, &["the a", "y"], &[&[1.0], &[0.0]]);
    }

    #[test]
    fn a_separator_that_is_a_guess_is_asked_for() {
        refused(
            "5,1;3,5;0\n4,9;3,0;1\n",
            "its values may be separated by `,` or by `;`; add `--separator ,` or `--separator ';'`, and `--decimal ,` if the comma is a decimal point",
        );
        let before = "row 0 has 2 values, but the header has 3 names; row 0 starts with `1`, `2`";
        refused("a,b,y\n1,2\n", &format!("{before}; every row needs equally many values"));
        let more = |text: &str| columns(text, &Options::default()).unwrap_err();
        assert!(more("a,b,y\n1,2,0,\n").contains("its line ends with a separator"));
        assert!(more("a b y\n1 5 2 0\n").contains("col.names = NA"));
        for (value, remedies) in [("1,234", "separates thousands"), ("0,5", "add `--decimal , --separator ,`")] {
            let got = columns(&format!("a,y\n\"{value}\",0\n"), &Options::default()).unwrap();
            assert!(got[0].problem.as_ref().unwrap().contains(remedies), "{got:?}");
        }
        let german = columns("a;y\n0,5;0\n", &Options::default()).unwrap();
        let problem = german[0].problem.as_deref();
        assert_eq!(problem, Some("row 0: `0,5` is not a number; if the comma is a decimal point, add `--decimal ,`"));
        // A point together with a decimal comma separates thousands, or the comma is not a decimal mark.
        let comma = Options { decimal: Decimal::Comma, ..Options::default() };
        assert!(columns("a;y\n1.234,5;0\n", &comma).unwrap()[0].problem.is_some());
    }

    #[test]
    fn an_unclosed_quotation_mark_is_refused_with_its_line() {
        let rest = "a quotation mark opens here and is never closed, so all following lines would be one value; close or remove it";
        refused("a,b,y\n1,2,\"p\n3,4,q\n5,6,r", &format!("line 2: {rest}"));
        refused("sep=;\na;y\n1;\"p\"\n3;\"q\n", &format!("line 4: {rest}"));
        refused("a y\n1 \"p q\n3 q\n", &format!("line 2: {rest}"));
        let inches = columns("y,a\n5\" pipe,1\n\"p \"\"q\"\"\",2\n", &Options::default()).unwrap();
        assert_eq!(inches[0].words, ["5\" pipe", "p \"q\""]);
        let inches = columns("y a\n5\" 1\n6\" 2\n", &Options::default()).unwrap();
        assert_eq!((inches.len(), inches[1].values.as_slice()), (2, [1.0, 2.0].as_slice()));
    }

    #[test]
    fn a_first_row_that_is_no_header_is_asked_for() {
        let flags = "add `--no-header` if the file has no line of names, or `--header` if these are the names";
        for text in ["7,121,0\n10,183,1\n", "5,0,0,1\n0,1,0.25,0\n", "0,1,2\n3,4,5\n", "-1.5,2e3\n1,2\n"] {
            let first = text.lines().next().unwrap().split(',').map(|name| format!("`{name}`")).collect::<Vec<_>>();
            refused(text, &format!("its first line has only numbers: {}; {flags}", first.join(", ")));
        }
        let some = |names: &str| format!("its first line looks like a row of the table: {names}; {flags}");
        refused("5.1,3.5,0.2,setosa\n4.9,3,1.4,setosa\n", &some("`5.1`, `3.5`, `0.2`, `setosa`"));
        refused("0,0,red\n1,2,blue\n", &some("`0`, `0`, `red`"));
        refused("p,x\ne,x\np,y\n", &some("`p`, `x`"));
        refused("0.5,1,7,cat\n1.5,2,8,dog\n", &some("`0.5`, `1`, `7`, `cat`"));
        refused("1,2,3,cat\n4,5,6,dog\n7,8,9,cow\n", &some("`1`, `2`, `3`, `cat`"));
        let (plain, missing) = (Options::default(), Options { header: Header::Missing, ..Options::default() });
        check("label,0,1\n1,0.5,2\n", &plain, &["label", "0", "1"], &[&[1.0], &[0.5], &[2.0]]);
        check("7,0\n10,1\n", &missing, &["0", "1"], &[&[7.0, 10.0], &[0.0, 1.0]]);
        let names = Options { header: Header::Names, ..Options::default() };
        check("1,2\n10,1\n", &names, &["1", "2"], &[&[10.0], &[1.0]]);
    }

    #[test]
    fn texts_are_classes_and_a_mixture_is_refused() {
        let got = columns("y,m,b\nred,1,true\nblue,?,false\n", &Options::default()).unwrap();
        assert_eq!(
            (got[0].words.as_slice(), got[0].values.as_slice()),
            (["blue", "red"].map(String::from).as_slice(), [1.0, 0.0].as_slice())
        );
        assert_eq!(got[1].problem.as_deref(), Some(MissingValue::new(1, "?").unwrap().to_string().as_str()));
        assert_eq!(got[2].values, [1.0, 0.0]);
        let empty = columns("y,m\nred,1\n,2\n", &Options::default()).unwrap();
        let problem = "row 1 has no value; every sample needs a value: remove or complete such rows before the import";
        assert_eq!(empty[0].problem.as_deref(), Some(problem));
        let mixed = columns("m\n?\n1\nred\n", &Options::default()).unwrap();
        assert_eq!(mixed[0].problem.as_deref(), Some("row 2: `red` is not a number, but row 1 has `1`"));
    }

    #[test]
    fn missing_values_are_no_classes_and_no_numbers() {
        for word in ["NA", "N/A", "None", "NaN", "nan", "null", "?", "", "<NA>"] {
            let got = columns(&format!("y,m\nred,1\n{word},{word}\n"), &Options::default()).unwrap();
            for column in got {
                let problem = column.problem.unwrap();
                assert!(
                    problem.starts_with("row 1 ") && problem.contains("remove or complete such rows"),
                    "{word}: {problem}"
                );
            }
        }
    }

    #[test]
    fn whole_numbers_of_64_bits_keep_their_digits() {
        let got = columns("id\n9007199254740993\n1\n0.5\n", &Options::default()).unwrap();
        assert_eq!(
            (got[0].shown(0), got[0].rests.as_slice()),
            ("9007199254740993".to_owned(), [1.0, 0.0, 0.0].as_slice())
        );
    }

    #[test]
    fn rows_that_end_in_a_carriage_return_are_counted() {
        assert_eq!(n_lines("a\r\nb\rc\nd"), 4);
        let returns = format!("a\r{}", "1\r".repeat(1000));
        let small = read(returns.as_bytes(), &Options::default(), &mut Room::of_bytes(10_000)).unwrap_err();
        assert!(small.to_string().starts_with("its table needs"), "{small}");
        assert_eq!(columns(&returns, &Options::default()).unwrap()[0].n_rows(), 1000);
    }

    #[test]
    fn text_in_other_encodings_and_tables_without_room_are_refused() {
        let latin = read(b"gr\xf6\xdfe,y\n1,0\n", &Options::default(), &mut Room::of_bytes(1 << 20)).unwrap_err();
        assert!(latin.to_string().starts_with("line 1 is not UTF-8"), "{latin}");
        let utf16 = read(b"\xff\xfea\0,\0y\0", &Options::default(), &mut Room::of_bytes(1 << 20)).unwrap_err();
        assert!(utf16.to_string().contains("UTF-16"), "{utf16}");
        let many = format!("a,b\n{}", "1,2\n".repeat(1000));
        let small = read(many.as_bytes(), &Options::default(), &mut Room::of_bytes(1000)).unwrap_err();
        assert!(small.to_string().starts_with("its table needs 24.0 kB of memory"), "{small}");
        // Memory for a line is not requested again for every line.
        assert!(read(many.as_bytes(), &Options::default(), &mut Room::of_bytes(33_000)).is_ok());
        // A single line of only separators.
        let wide = read(&[b','; 100_000], &Options::default(), &mut Room::of_bytes(1 << 20)).unwrap_err();
        assert!(wide.to_string().starts_with("its table needs 3.2 MB of memory"), "{wide}");
    }
}
