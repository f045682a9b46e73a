//! `cargo xtask picture`: runs the README's first command, takes a picture of the head of its report with a browser, and draws what the
//! command prints, as a terminal shows it, as an SVG.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a person types; the picture's first line.
const COMMAND: &str = "glassnet train data/flights.csv.gz --target late15 --report report.html";

/// Of a part with more lines than both together the first and the last are drawn, and how many stand between them.
const FIRST_LINES: usize = 11;
const LAST_LINES: usize = 5;

/// Longest line that is drawn, in letters.
const LONGEST: usize = 132;

const LETTER: f64 = 7.8;
const LINE: f64 = 18.0;
const MARGIN: f64 = 18.0;

/// Runs it.
///
/// # Errors
/// The command cannot be built or fails, or the picture cannot be written.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err(format!("there are no arguments, but there is {}", arguments.join(" ")));
    }
    crate::run::cargo_with(&["build", "--release", "--package", "glassnet-cli"], &[])?;
    let model = crate::root().join("target/xtask/picture.glass");
    if let Some(folder) = model.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), Into::into);
    // One pipe for both streams, so that their lines come in the order in which they were written.
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    let second = writer.try_clone().map_err(|error| error.to_string())?;
    let mut command = Command::new(target.join("release/glassnet"));
    let report = crate::root().join("target/xtask/report.html");
    let words = COMMAND.split(' ').skip(1).map(|word| match word {
        "report.html" => report.display().to_string(),
        word => word.to_string(),
    });
    command.args(words).arg("-o").arg(&model);
    command.current_dir(crate::root()).env("NO_COLOR", "1").stdin(Stdio::null()).stdout(writer).stderr(second);
    let mut child = command.spawn().map_err(|error| format!("the command cannot be started: {error}"))?;
    drop(command);
    let text = std::io::read_to_string(reader).map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("{COMMAND}: {status}\n{text}"));
    }
    let text = text.replace(&model.display().to_string(), "flights.glass");
    let text = text.replace(&report.display().to_string(), "report.html");
    photograph(&report)?;
    let picture = crate::root().join("docs/picture.svg");
    fs::write(&picture, svg(COMMAND, &text)).map_err(|error| format!("{}: {error}", picture.display()))?;
    eprintln!("docs/picture.svg: {} lines", text.lines().count());
    Ok(())
}

/// Browsers that take pictures without a window, and how large they are told to be.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const WINDOW: &str = "--window-size=1180,720";

/// Takes a picture of a page's head, as `docs/report.png`, with the first browser that is there; without one the picture stays as it is.
fn photograph(page: &Path) -> Result<(), String> {
    let picture = crate::root().join("docs/report.png");
    let shot = format!("--screenshot={}", picture.display());
    let address = format!("file://{}", page.display());
    for browser in BROWSERS {
        let mut command = Command::new(browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", WINDOW, &shot, &address]);
        match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) if status.success() => {
                eprintln!("docs/report.png: by {browser}");
                return Ok(());
            }
            Ok(status) => return Err(format!("{browser}: {status}")),
            Err(_) => {}
        }
    }
    eprintln!("docs/report.png stays as it is: no browser of {} is here", BROWSERS.join(", "));
    Ok(())
}

/// A terminal's picture: the command, then its output.
fn svg(command: &str, text: &str) -> String {
    let mut lines = vec![format!("$ {command}")];
    lines.extend(shortened(&text.lines().map(shown).collect::<Vec<_>>()));
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = longest as f64 * LETTER + 2.0 * MARGIN;
    let height = lines.len() as f64 * LINE + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"glassnet train in a terminal\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#fbfaf7\" stroke=\"#d9d5cb\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"13\" fill=\"#2b2a27\">\n"
    );
    for (number, line) in lines.iter().enumerate() {
        if line.is_empty() {
            continue;
        }
        let y = MARGIN + (number as f64 + 0.75) * LINE;
        let weight = if number == 0 { " font-weight=\"bold\"" } else { "" };
        // The length keeps columns under each other in whatever font is there.
        let length = line.chars().count() as f64 * LETTER;
        let _ = writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{y:.1}\" xml:space=\"preserve\" textLength=\"{length:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\"{weight}>{}</text>",
            escaped(line)
        );
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// The lines, long parts (without a blank line in them) cut in the middle.
fn shortened(lines: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for part in lines.split_inclusive(String::is_empty) {
        let between = part.len().saturating_sub(FIRST_LINES + LAST_LINES);
        if between < 2 {
            out.extend_from_slice(part);
            continue;
        }
        out.extend_from_slice(&part[..FIRST_LINES]);
        out.push(format!("  ... {between} lines more"));
        out.extend_from_slice(&part[part.len() - LAST_LINES..]);
    }
    out
}

/// A line without a terminal's control sequences, cut to what fits.
fn shown(line: &str) -> String {
    // What a carriage return has overwritten is not seen.
    let line = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let (mut text, mut letters) = (String::new(), line.chars());
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(|letter| letter.is_ascii_alphabetic());
        } else if !letter.is_control() {
            text.push(letter);
        }
    }
    let text = text.trim_end();
    match text.char_indices().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 3).chain("...".chars()).collect(),
        None => text.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_does_not_show_is_not_drawn() {
        assert_eq!(shown("10 %\r100 %\r"), "100 %");
        assert_eq!(shown("\u{1b}[1mbold\u{1b}[0m  "), "bold");
        assert_eq!(shown(&"x".repeat(200)).chars().count(), LONGEST);
    }

    #[test]
    fn long_parts_are_cut_in_the_middle_and_say_so() {
        let lines: Vec<String> =
            (0..40).map(|number| if number == 2 { String::new() } else { number.to_string() }).collect();
        let cut = shortened(&lines);
        assert_eq!(cut.len(), 3 + FIRST_LINES + 1 + LAST_LINES);
        assert_eq!(cut[3 + FIRST_LINES], "  ... 21 lines more");
        assert_eq!((cut[3 + FIRST_LINES - 1].as_str(), cut.last().map(String::as_str)), ("13", Some("39")));
    }

    #[test]
    fn a_picture_has_a_line_for_each_line_and_no_loose_mark() {
        let picture = svg("a", "1 < 2\n\n3 & 4\n");
        assert_eq!(picture.matches("<text").count(), 3);
        assert!(picture.contains("1 &lt; 2") && picture.contains("3 &amp; 4"));
    }
}
