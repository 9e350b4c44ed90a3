//! Options of another tool's command line, as Python's argparse and Go's pflag read them.

/// A supported option.
pub(super) struct Known {
    pub(super) names: &'static [&'static str],
    pub(super) takes: Takes,
}

/// How many values an option takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    One,
    Several,
}

/// The values that were given, by the first name of their option.
#[derive(Debug, Default)]
pub(super) struct Given<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Given<'a> {
    /// `None` if an option is unsupported: the command line is then for another program.
    pub(super) fn parse(words: &[&'a str], known: &[Known]) -> Option<Self> {
        let mut given = Self::default();
        let mut words = words.iter().copied().peekable();
        while let Some(word) = words.next() {
            let (name, attached) = split(word);
            let option = known.iter().find(|option| option.names.contains(&name))?;
            let first = *option.names.first()?;
            match (option.takes, attached) {
                (Takes::Nothing, None) => given.0.push((first, "")),
                (Takes::Nothing, Some(_)) => return None,
                (Takes::One | Takes::Several, Some(value)) => given.0.push((first, value)),
                (Takes::One, None) => given.0.push((first, words.next().filter(|value| !value.starts_with('-'))?)),
                (Takes::Several, None) => {
                    while let Some(value) = words.next_if(|word| !word.starts_with('-')) {
                        given.0.push((first, value));
                    }
                }
            }
        }
        Some(given)
    }

    /// The value of an option; the last one if it is repeated.
    pub(super) fn one(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// All values of an option.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned()).collect()
    }
}

/// Splits `--output=json`, `-o=json` and `-ojson` into option and value.
fn split(word: &str) -> (&str, Option<&str>) {
    if let Some((name, value)) = word.split_once('=') {
        return (name, Some(value));
    }
    match word.split_at_checked(2) {
        Some((name, value)) if name.starts_with('-') && name != "--" && !value.is_empty() => (name, Some(value)),
        _ => (word, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Known; 3] = [
        Known { names: &["--output", "-o"], takes: Takes::One },
        Known { names: &["--scope"], takes: Takes::Several },
        Known { names: &["--quiet"], takes: Takes::Nothing },
    ];

    #[test]
    fn options_are_read_in_all_their_forms() {
        for line in ["--output json", "--output=json", "-o json", "-o=json", "-ojson", "-o tsv -o json --quiet"] {
            let words: Vec<_> = line.split(' ').collect();
            assert_eq!(Given::parse(&words, &KNOWN).unwrap().one("--output"), Some("json"), "{line}");
        }
        let given = Given::parse(&["--scope", "a", "b", "-o", "json", "--scope=c"], &KNOWN).unwrap();
        assert_eq!(given.all("--scope"), ["a", "b", "c"]);
        for line in ["--out json", "-x", "json", "-o", "-o --quiet", "--quiet=1", "--query x"] {
            let words: Vec<_> = line.split(' ').collect();
            assert!(Given::parse(&words, &KNOWN).is_none(), "{line}");
        }
    }
}
