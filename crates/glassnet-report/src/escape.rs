//! Text from files in SVG and HTML: names of columns, levels and classes are hostile until they were here.

/// Text as it may stand between tags and in quoted attributes of HTML and XML.
///
/// The five letters of markup become references; letters that XML forbids, and those that turn the direction of
/// the text around them, become the replacement character.
///
/// ```
/// use glassnet_report::escape::escape;
/// assert_eq!(escape("<b> & \"c\"'"), "&lt;b&gt; &amp; &quot;c&quot;&#39;");
/// assert_eq!(escape("a\u{0}b\u{202e}c"), "a\u{fffd}b\u{fffd}c");
/// ```
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(letter),
            '\r' => out.push('\n'),
            letter if forbidden(letter) => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// The first letters of a text on one line, with an ellipsis where it was longer than `most` letters. Not escaped.
///
/// ```
/// use glassnet_report::escape::shorten;
/// assert_eq!(shorten("sched_arr_time", 8), "sched_a…");
/// assert_eq!(shorten(" two\nlines ", 20), "two lines");
/// ```
pub fn shorten(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let mut short: String = line.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Controls, the two letters that are none, and the marks that reorder what stands around them.
fn forbidden(letter: char) -> bool {
    let control = letter.is_control();
    let none = matches!(letter, '\u{fffe}' | '\u{ffff}');
    let turning = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    control || none || turning
}
