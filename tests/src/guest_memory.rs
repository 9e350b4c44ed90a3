//! Scans the component's memory for the secrets of a case, after each of its calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memmem;
use serde_json::Value;

use crate::case::{Case, Documents};
use crate::listen::heard_since;
use crate::memory::linear_memories;

/// The totals of the scans of all cases.
#[derive(Debug, Default)]
struct Figures {
    cases: AtomicUsize,
    marked: AtomicUsize,
    memories: AtomicUsize,
    bytes: AtomicUsize,
    secrets: AtomicUsize,
    found: AtomicUsize,
}

static FIGURES: Figures = Figures {
    cases: AtomicUsize::new(0),
    marked: AtomicUsize::new(0),
    memories: AtomicUsize::new(0),
    bytes: AtomicUsize::new(0),
    secrets: AtomicUsize::new(0),
    found: AtomicUsize::new(0),
};

/// The totals so far, in a line.
#[must_use]
pub fn figures() -> String {
    if !cfg!(target_os = "linux") {
        return "guest memory: skipped, as only Linux shows a process its memory".into();
    }
    let of = |figure: &AtomicUsize| figure.load(Ordering::Relaxed);
    format!(
        "guest memory: {} cases, in {} of which the cache's accounts were seen in it; {} memories with {} MiB scanned, {} secrets \
         looked for, {} found",
        of(&FIGURES.cases),
        of(&FIGURES.marked),
        of(&FIGURES.memories),
        of(&FIGURES.bytes) >> 20,
        of(&FIGURES.secrets),
        of(&FIGURES.found),
    )
}

/// Scans for one case.
#[derive(Debug)]
pub(crate) struct Scan {
    secrets: BTreeSet<String>,
    /// The texts that the component's memory has to contain, by document; otherwise the scan reads
    /// another memory.
    marks: BTreeMap<String, Vec<String>>,
    heard: usize,
    seen: bool,
}

impl Scan {
    pub(crate) fn of(case: &Case) -> Self {
        let secrets = case.secrets();
        add(&FIGURES.cases, 1);
        add(&FIGURES.secrets, secrets.len());
        Self { secrets, marks: BTreeMap::new(), heard: 0, seen: false }
    }

    /// Called when the component is closed.
    pub(crate) fn closed(&mut self) {
        self.marks.clear();
    }

    /// The secrets in the memories, and missing texts. The caller ensures that no other component
    /// runs.
    pub(crate) fn problems(&mut self, documents: &Documents) -> Vec<String> {
        self.note_reads(documents);
        let memories = match linear_memories() {
            Ok(Some(memories)) => memories,
            Ok(None) => return Vec::new(),
            Err(error) => return vec![format!("the guest's memory cannot be read: {error}")],
        };
        add(&FIGURES.memories, memories.len());
        add(&FIGURES.bytes, memories.iter().map(Vec::len).sum());
        let is_there = |text: &String| memories.iter().any(|memory| memmem::find(memory, text.as_bytes()).is_some());
        let leaks = self.secrets.iter().filter(|secret| is_there(secret));
        let mut problems: Vec<_> = leaks.map(|secret| format!("{secret:?} is in the guest's memory")).collect();
        add(&FIGURES.found, problems.len());
        for (document, marks) in self.marks.iter().filter(|(_, marks)| !marks.is_empty()) {
            if marks.iter().any(is_there) {
                add(&FIGURES.marked, usize::from(!std::mem::replace(&mut self.seen, true)));
            } else {
                problems
                    .push(format!("no account of {document} is in the {} memories that were found", memories.len()));
            }
        }
        problems
    }

    /// The documents that the component has read since the last scan.
    fn note_reads(&mut self, documents: &Documents) {
        let lines = heard_since(self.heard);
        self.heard += lines.len();
        for line in lines {
            let Some((_, read)) = line.split_once("cache-file.read ") else { continue };
            let Some((name, _)) = read.split_once(" → a document of ") else { continue };
            let document = documents.get(name).map(Vec::as_slice).unwrap_or_default();
            self.marks.insert(name.to_owned(), accounts(document));
        }
    }
}

/// The home account ids in a document that parses.
fn accounts(document: &[u8]) -> Vec<String> {
    let document = document.strip_prefix("\u{feff}".as_bytes()).unwrap_or(document);
    let sections = serde_json::from_slice(document).unwrap_or(Value::Null);
    let sections = sections.as_object().into_iter().flatten().filter_map(|(_, section)| section.as_object());
    let ids = sections.flatten().filter_map(|(_, entry)| entry.get("home_account_id")?.as_str());
    ids.filter(|id| id.len() >= 5).map(str::to_owned).collect()
}

fn add(figure: &AtomicUsize, count: usize) {
    figure.fetch_add(count, Ordering::Relaxed);
}
