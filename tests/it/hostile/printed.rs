//! Names and texts of others with characters that a terminal, a spreadsheet, a page or a picture obeys.

use std::fs;

use super::SMALL;
use crate::tool::{Finished, PROGRAM, Project, copy_folder};

/// Sets colours, the title of a terminal, the direction of what is read; and shows nothing.
const NAME: &str = "a\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}\u{7f}\u{202e}evil\u{2066}\u{200b}\u{2028}&<b>|";

/// A claim with all that the words of a file may hold.
const CLAIM: &str = r#"
[[expect]]
figure = "</script><script>alert('fig')</script><svg onload=alert(1)>"
claim = "</script><img src=x onerror=alert('claim')> \u001B[31mRED\u001B]0;title\u0007 \u202Eevil \u2028 [a](javascript:b) | c"
paper = "<b>bold</b> & \"q\" 'a' ]]> <!-- --!> -->\u001B[31m"
estimate = "binning-n-edges-30"
quantity = "i_xt"
layer = "hidden"
measure = "end"
above = 1.0
"#;

/// Characters that no output may have: whatever controls or reorders.
fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Runs `infoplane` with these arguments; nothing that it prints may be obeyed.
#[track_caller]
fn run(project: &Project, arguments: &[&str]) -> Finished {
    let finished = project.finish(project.command(PROGRAM, "").args(arguments));
    for text in [&finished.stdout, &finished.stderr] {
        let unseen = text.chars().find(|c| is_unseen(*c));
        assert_eq!(unseen, None, "{arguments:?}: {text}");
    }
    finished
}

#[track_caller]
fn succeed(project: &Project, arguments: &[&str]) {
    let finished = run(project, arguments);
    assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
}

/// An experiment whose name is [`NAME`], and the folder's path.
fn named() -> (Project, String) {
    let project = Project::new(&format!("{SMALL}{CLAIM}"));
    let folder = format!("outputs/{NAME}");
    succeed(&project, &["run", "p.toml", "--out", &folder]);
    (project, folder)
}

#[test]
fn no_command_prints_control_characters_of_a_file() {
    let (project, folder) = named();
    let finished = run(&project, &["run", "p.toml", "--out", &folder]);
    assert!(finished.code == 0 && finished.stderr.contains("up to date"), "{}", finished.stderr);
    let folder = folder.as_str();
    let lines: [&[&str]; 19] = [
        &["run", "p.toml", "--out", folder, "--dry-run"],
        &["run", "p.toml", "--out", folder, "--dry-run", "--json"],
        &["summary", folder],
        &["summary", folder, "--json"],
        &["verify", folder, "--pipeline", "p.toml"],
        &["verify", folder, "--pipeline", "p.toml", "--json"],
        &["verify", folder, "--pipeline", "p.toml", "--markdown"],
        &["stability", folder, "--pipeline", "p.toml"],
        &["stability", folder, "--pipeline", "p.toml", "--markdown"],
        &["check", folder],
        &["inspect", folder],
        &["inspect", folder, "--json"],
        &["inspect", folder, "--validate"],
        &["plot", "all", folder],
        &["report", folder],
        &["aggregate", folder, "--verbose"],
        &["freeze", "p.toml", "--out", folder],
        &["estimate", "nonsense\u{1b}[31m", folder],
        &["summary", "outputs/nothing\u{1b}[31m\u{202e}"],
    ];
    for line in lines {
        run(&project, line);
    }
    let json = run(&project, &["summary", folder, "--json"]).stdout;
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(rows.to_string().contains("\u{202e}evil"), "a program reads the name as it is");
    // Words of clap, of the TOML parser and of warnings.
    for arguments in [&["\u{1b}[31m"][..], &["run", "--\u{202e}x"], &["run", "p.toml", "--runs", "\u{9b}1"]] {
        assert_eq!(run(&project, arguments).code, 2);
    }
    project.write("wrong.toml", "seed = 1 # \u{202e} \u{1b}\nrunz = 2 # \u{202e} \u{200b}\n[\u{202e}]");
    assert_eq!(run(&project, &["run", "wrong.toml"]).code, 2);
    project.write("p.toml", SMALL.replace("seed = 1", "seed = 1\n\"\u{1b}[31m\u{202e}\" = 2"));
    assert_eq!(run(&project, &["run", "p.toml"]).code, 2);
}

#[test]
fn no_text_becomes_html_or_a_link_in_markdown() {
    let (project, folder) = named();
    for command in ["verify", "stability"] {
        let page = run(&project, &[command, &folder, "--pipeline", "p.toml", "--markdown"]).stdout;
        assert!(page.contains("&lt;img src=x onerror"), "{page}");
        for sign in ["<", "](", "\\|"] {
            assert!(!page.contains(sign), "{sign} in {page}");
        }
        let lines: Vec<&str> = page.lines().collect();
        let n_cells = |line: &str| line.matches('|').count();
        let rows_of_tables = lines.windows(2).filter(|pair| pair.iter().all(|line| line.starts_with('|')));
        let mut n_pairs = 0;
        for pair in rows_of_tables {
            assert_eq!(n_cells(pair[0]), n_cells(pair[1]), "{page}");
            n_pairs += 1;
        }
        assert!(n_pairs > 1, "{page}");
    }
}

#[test]
fn figures_of_experiments_of_any_name_are_valid_xml() {
    let (project, folder) = named();
    // As of a sweep: the name of the experiment stands in figures, and so does that of a layer.
    let second = format!("{folder}-2");
    copy_folder(&project.path(&folder), &project.path(&second));
    succeed(&project, &["aggregate", &folder, &second, "--out", "joint"]);
    succeed(&project, &["plot", "all", "joint"]);
    let figures = project.files("joint/figures");
    let (mut n_figures, mut n_named) = (0, 0);
    for (path, content) in figures.into_iter().filter(|(path, _)| path.ends_with(".svg")) {
        let svg = String::from_utf8(content).unwrap();
        assert_eq!(svg.chars().find(|c| is_unseen(*c) || ['\u{fffe}', '\u{ffff}'].contains(c)), None, "{path:?}");
        assert!(!svg.contains("<b>"), "{path:?}");
        n_figures += 1;
        n_named += usize::from(svg.contains("\\u{1b}[31mred"));
    }
    assert!(n_figures > 3 && n_named > 0, "{n_figures} figures, {n_named} with the name");
}

#[test]
fn texts_in_csv_files_are_not_formulas() {
    for name in ["=cmd|x", "+1+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx"] {
        let project = Project::new(SMALL);
        let folder = format!("outputs/{name}");
        let finished = run(&project, &["-q", "run", "p.toml", "--out", &folder]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        for table in ["summary.csv", "compression.csv"] {
            let text = fs::read_to_string(project.path(&folder).join(table)).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let header = reader.headers().unwrap().clone();
            assert_eq!(&header[0], "experiment");
            let (mut n_rows, mut n_numbers) = (0, 0);
            for row in reader.records() {
                let row = row.unwrap();
                assert_eq!(row[0], format!("'{name}"), "{table}");
                let starts = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                let formulas: Vec<&str> =
                    row.iter().filter(|cell| starts(cell) && cell.parse::<f64>().is_err()).collect();
                assert!(formulas.is_empty(), "{formulas:?}");
                n_numbers += row.iter().filter(|cell| cell.parse::<f64>().is_ok()).count();
                n_rows += 1;
            }
            assert!(n_rows > 0 && n_numbers > n_rows, "{table}: numbers stay numbers");
        }
    }
}

#[test]
fn the_data_of_a_page_are_in_one_element() {
    let (project, folder) = named();
    succeed(&project, &["verify", &folder, "--pipeline", "p.toml"]);
    succeed(&project, &["report", &folder]);
    let page = fs::read_to_string(project.path(&folder).join("report.html")).unwrap();
    let (_, data) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    let read: serde_json::Value = serde_json::from_str(data).unwrap();
    assert!(read.to_string().contains("onerror=alert('claim')"));
    assert!(!data.contains('<') && !page.contains("<img") && !page.contains("<svg onload"));
}
