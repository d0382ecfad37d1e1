//! Escapes for characters that are invisible or change the display: names and texts come from files of other people.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Invisible characters: `Default_Ignorable_Code_Point` of Unicode 16 (`DerivedCoreProperties.txt`), in the order of
/// the file.
const WITHOUT_SHAPE: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether a terminal, a page or a figure would obey the character, reorder the text around it, or show nothing:
/// control characters, invisible characters, line separators, annotation marks, the empty Braille pattern, and code
/// points that are not characters.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || WITHOUT_SHAPE.iter().any(|range| range.contains(&c))
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

fn escaped<'t>(text: &'t str, is_escaped: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> Cow<'t, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) { shown.push_str(&escape(c)) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// `text` of several lines with invisible characters escaped as `\u{1b}`; line ends and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_unseen(c) && c != '\n' && c != '\t', |c| c.escape_unicode().to_string())
}

/// `text` on one line: escaped as by [`visible`], and line ends and tabs become `\n` and `\t`.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unseen, |c| match c {
        '\n' | '\t' | '\r' => c.escape_default().to_string(),
        other => other.escape_unicode().to_string(),
    })
}

/// JSON with invisible characters in its strings escaped as JSON does it; line ends stay.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    escaped(json, |c| is_unseen(c) && c != '\n', escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_without_a_shape_are_shown_by_their_number() {
        for c in "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180f}\u{200d}\u{2065}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{ffa0}\u{fff0}\u{1d173}\u{e0001}\u{e0100}\u{e0fff}".chars() {
            assert_eq!(visible(&format!("a{c}b")), format!("a{}b", c.escape_unicode()));
        }
        for c in "\u{a0}\u{34e}\u{3163}\u{27ff}\u{2801}\u{fe10}\u{fffc}\u{fffd}\u{1f642}".chars() {
            assert_eq!(visible(&c.to_string()), c.to_string());
        }
    }

    #[test]
    fn invisible_characters_are_shown_by_their_number_and_others_are_unchanged() {
        for text in ["", "I(X;T) → outputs/p, ½ H(Y) – “a”", "ä ő σ 中 עברית 🙂", "a\nb\tc"] {
            assert_eq!(visible(text), text);
            assert_eq!(visible_json(&text.replace('\t', " ")), text.replace('\t', " "));
        }
        let (escape, title) = ("a\u{1b}[31mred", "\u{1b}]0;title\u{7}");
        assert_eq!(visible(escape), "a\\u{1b}[31mred");
        assert_eq!(visible(title), "\\u{1b}]0;title\\u{7}");
        assert_eq!(
            visible("\r\u{7f}\u{9b}\u{202e}\u{200b}\u{2028}\u{feff}"),
            "\\u{d}\\u{7f}\\u{9b}\\u{202e}\\u{200b}\\u{2028}\\u{feff}"
        );
        assert_eq!(visible_line("a\nb\tc\rd\0"), "a\\nb\\tc\\rd\\u{0}");
        assert_eq!(
            visible_json("{\n  \"a\": \"\u{202e}\u{7f}\u{e0041}\"\n}"),
            "{\n  \"a\": \"\\u202e\\u007f\\udb40\\udc41\"\n}"
        );
    }
}
