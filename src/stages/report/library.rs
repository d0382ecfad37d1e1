//! The script plotly.js, which draws the figures of the page: taken from the crate `plotly` and compressed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::import::gzip;

/// Base64 of gzip of the script, for `page/start.js`.
pub(super) fn packed() -> String {
    STANDARD.encode(gzip(script(&sources()).as_bytes()))
}

/// Name and version of the script, from its first lines.
pub(super) fn version() -> String {
    let sources = sources();
    let mut lines = script(&sources).lines();
    lines.find_map(|line| line.strip_prefix("* ")).unwrap_or_default().to_owned()
}

/// The script elements for pages without a network: plotly.js, then MathJax, which the page does not need.
fn sources() -> String {
    plotly::Plot::offline_js_sources()
}

/// The content of the first script element.
fn script(sources: &str) -> &str {
    let content = sources.split_once("<script").and_then(|(_, rest)| rest.split_once('>'));
    let script = content.and_then(|(_, rest)| rest.split_once("</script>")).map(|(script, _)| script.trim_start());
    script.expect("the text of the crate starts with a script element that contains plotly.js")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_script_of_the_crate_is_plotly() {
        let sources = sources();
        let script = script(&sources);
        assert!(script.starts_with("/**\n* plotly.js v"), "it starts with: {}", &script[..80]);
        assert!(script.contains("Licensed under the MIT license"));
        assert!((1_000_000..sources.len() - 1_000_000).contains(&script.len()), "{} bytes", script.len());
        assert!(version().starts_with("plotly.js v"), "{}", version());
    }
}
