//! Parts of a YAML document in block style, found by their first line and their indentation.

use std::ops::Range;

use anyhow::{Context as _, Result, ensure};

/// The range of the item that begins with the line `first`, which occurs once, and all lines below
/// with deeper indentation.
pub(crate) fn item(text: &str, first: &str) -> Result<Range<usize>> {
    let mut found = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim() == first {
            ensure!(found.is_none(), "there is more than one line {first:?}");
            found = Some((at, indentation(line)));
        }
        at += line.len();
    }
    let (start, depth) = found.with_context(|| format!("there is no line {first:?}"))?;
    let rest = text.get(start..).unwrap_or_default();
    let mut end = start;
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        if number > 0 && !line.trim().is_empty() && indentation(line) <= depth {
            break;
        }
        end += line.len();
    }
    Ok(start..end)
}

/// Removes that item; returns the remaining text and the item.
pub(crate) fn take(text: &str, first: &str) -> Result<(String, String)> {
    let range = item(text, first)?;
    let taken = text.get(range.clone()).unwrap_or_default().to_owned();
    let mut rest = text.to_owned();
    rest.replace_range(range, "");
    Ok((rest, taken))
}

/// An item at an indentation of `depth` columns.
pub(crate) fn indented(item: &str, depth: usize) -> String {
    let now = item.lines().next().map(indentation).unwrap_or_default();
    let mut text = String::new();
    for line in item.lines() {
        if !line.trim().is_empty() {
            text.push_str(&" ".repeat(depth));
            text.push_str(line.get(now..).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a:\n- name: x\n  y:\n\n  - z\n# about the next\n- name: w\n";

    #[test]
    fn an_item_ends_where_a_line_is_not_further_in() {
        let (rest, taken) = take(TEXT, "- name: x").unwrap();
        assert_eq!(taken, "- name: x\n  y:\n\n  - z\n");
        assert_eq!(rest, "a:\n# about the next\n- name: w\n");
        assert_eq!(&TEXT[item(TEXT, "- name: w").unwrap()], "- name: w\n");
    }

    #[test]
    fn the_first_line_has_to_be_there_once() {
        assert!(item(TEXT, "- name: v").is_err());
        assert!(item("- a\n- a\n", "- a").is_err());
    }

    #[test]
    fn an_item_keeps_its_shape_further_in_or_out() {
        let item = "  - a:\n      b\n\n    c\n";
        assert_eq!(indented(item, 0), "- a:\n    b\n\n  c\n");
        assert_eq!(indented(item, 4), "    - a:\n        b\n\n      c\n");
    }
}
