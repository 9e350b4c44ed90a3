//! Inspects a component before it is compiled.
//!
//! The time and the memory of compiling are not linear in a component's size: a function of 17 kB
//! whose locals are all live in each of its nested loops takes minutes. These caps limit the worst
//! component to some seconds. Each cap is several times the built-in component's number.

use std::collections::BTreeSet;

use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::error::LimitExceeded;
use crate::escape::escaped;

/// The first bytes of WebAssembly.
const MAGIC: &[u8] = b"\0asm";

/// The package of the contract, with the version.
const PACKAGE: &str = "azure-identity:shared-token-cache/";
const VERSION: &str = "@0.2.0";
const IMPORTS: [&str; 4] = ["cache-file", "clock", "https", "log"];
const EXPORTS: [&str; 2] = ["credential", "tokens"];

/// Bytes of code. The built-in component has 290 kB.
const MOST_CODE: u64 = 4 << 20;
/// Functions. The built-in component has 520.
const MOST_FUNCTIONS: u64 = 8_000;
/// Bytes of a function. The built-in component's largest has 9 kB.
const LARGEST_FUNCTION: u64 = 128 << 10;
/// The nesting depth of a function's blocks. The built-in component has 47.
const DEEPEST_BLOCK: u64 = 128;
/// Locals of a function. The built-in component has at most 67.
const MOST_LOCALS: u64 = 1_000;
/// Work of a function: blocks times locals and depth, because a value that is live in a block costs
/// time in that block. The built-in component has at most 36,000.
const MOST_WORK_OF_FUNCTION: u64 = 200_000;
/// Work of all functions. The built-in component has 360,000.
const MOST_WORK: u64 = 1_500_000;
/// Parameters and results of a function type. The built-in component has 12 at most.
const LARGEST_SIGNATURE: usize = 32;
const MOST_RESULTS: usize = 4;
/// Instantiations of components within the component. With n instantiations, components that each
/// instantiate the next one twice have 2ⁿ instances. The built-in component has 2.
const MOST_COMPONENT_INSTANCES: u64 = 16;
/// Modules and components within the component, and the nesting depth of components. The built-in
/// component has 5.
const MOST_MODULES: u64 = 64;
const DEEPEST_COMPONENT: u64 = 4;
/// Types, imports, exports, globals, segments, aliases, and functions that cross a component's
/// border. The built-in component has some hundred.
const MOST_ITEMS: u64 = 20_000;

/// The reason why a component is not compiled.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The file is not a component.
    Malformed(String),
    /// The component's imports or exports are not those of the world `plugin`.
    World(String),
    /// The component exceeds a cap.
    Limit(LimitExceeded),
}

/// Checks that `component` has the imports and exports of the world `plugin`, by name, and that it
/// compiles in some seconds. It is linear in the size of the file; validation is left to the
/// compiler.
///
/// # Errors
/// See [`Unfit`].
pub(super) fn inspect(component: &[u8]) -> Result<(), Unfit> {
    if !component.starts_with(MAGIC) {
        return Err(Unfit::Malformed("it is not a WebAssembly component".into()));
    }
    let mut tally = Tally::default();
    for payload in Parser::new(0).parse_all(component) {
        tally.take(payload?)?;
    }
    tally.check_world()
}

#[derive(Default)]
struct Tally<'a> {
    /// The number of open components; 1 at the top of the file.
    depth: u64,
    /// Whether the parser is inside of a core module.
    in_module: bool,
    nested: u64,
    instances: u64,
    functions: u64,
    code: u64,
    work: u64,
    items: u64,
    imports: BTreeSet<&'a str>,
    exports: BTreeSet<&'a str>,
}

impl<'a> Tally<'a> {
    fn take(&mut self, payload: Payload<'a>) -> Result<(), Unfit> {
        match payload {
            Payload::Version { encoding, .. } => match encoding {
                wasmparser::Encoding::Component => self.depth += 1,
                wasmparser::Encoding::Module if self.depth == 0 => {
                    return Err(Unfit::Malformed("it is a core module".into()));
                }
                wasmparser::Encoding::Module => self.in_module = true,
            },
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.nested += 1;
                most(self.nested, MOST_MODULES, "modules and components")?;
                most(self.depth, DEEPEST_COMPONENT, "components in one another")?;
            }
            Payload::End(_) if self.in_module => self.in_module = false,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentInstanceSection(section) => {
                self.instances += u64::from(section.count());
                most(self.instances, MOST_COMPONENT_INSTANCES, "instances of components")?;
            }
            Payload::ComponentImportSection(section) => {
                self.count(section.count())?;
                if self.depth == 1 {
                    for import in section {
                        self.imports.insert(import?.name.name);
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                self.count(section.count())?;
                if self.depth == 1 {
                    for export in section {
                        self.exports.insert(export?.name.name);
                    }
                }
            }
            Payload::TypeSection(section) => {
                self.count(section.count())?;
                for kind in section.into_iter_err_on_gc_types() {
                    let kind = kind?;
                    let (params, results) = (kind.params().len(), kind.results().len());
                    most_of(params + results, LARGEST_SIGNATURE, "parameters and results of a function")?;
                    most_of(results, MOST_RESULTS, "results of a function")?;
                }
            }
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                most(self.functions, MOST_FUNCTIONS, "functions")?;
            }
            Payload::CodeSectionEntry(body) => self.function(&body)?,
            Payload::ImportSection(section) => self.count(section.count())?,
            Payload::TableSection(section) => self.count(section.count())?,
            Payload::MemorySection(section) => self.count(section.count())?,
            Payload::TagSection(section) => self.count(section.count())?,
            Payload::GlobalSection(section) => self.count(section.count())?,
            Payload::ExportSection(section) => self.count(section.count())?,
            Payload::ElementSection(section) => self.count(section.count())?,
            Payload::DataSection(section) => self.count(section.count())?,
            Payload::InstanceSection(section) => self.count(section.count())?,
            Payload::CoreTypeSection(section) => self.count(section.count())?,
            Payload::ComponentAliasSection(section) => self.count(section.count())?,
            Payload::ComponentTypeSection(section) => self.count(section.count())?,
            Payload::ComponentCanonicalSection(section) => self.count(section.count())?,
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, items: u32) -> Result<(), Unfit> {
        self.items += u64::from(items);
        most(self.items, MOST_ITEMS, "types, imports, exports, globals, segments and aliases")
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), Unfit> {
        let size = body.range().len() as u64;
        self.code += size;
        most(size, LARGEST_FUNCTION, "bytes in a function")?;
        most(self.code, MOST_CODE, "bytes of code")?;

        let mut locals = 0;
        for group in body.get_locals_reader()? {
            locals += u64::from(group?.0);
            most(locals, MOST_LOCALS, "locals in a function")?;
        }
        let (mut blocks, mut depth, mut deepest) = (1, 0_u64, 0);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::TryTable { .. } => {
                    (blocks, depth) = (blocks + 1, depth + 1);
                }
                Operator::If { .. } => (blocks, depth) = (blocks + 3, depth + 1),
                Operator::End => depth = depth.saturating_sub(1),
                Operator::BrIf { .. } => blocks += 1,
                Operator::BrTable { targets } => blocks += u64::from(targets.len()),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        most(deepest, DEEPEST_BLOCK, "blocks in one another")?;
        let work = blocks * (locals + deepest);
        self.work += work;
        most(work, MOST_WORK_OF_FUNCTION, "blocks times locals in a function")?;
        most(self.work, MOST_WORK, "blocks times locals")
    }

    /// Checks names. The linker checks the types, after the component is compiled.
    fn check_world(&self) -> Result<(), Unfit> {
        let full = |name: &&str| format!("{PACKAGE}{name}{VERSION}");
        for import in &self.imports {
            if !IMPORTS.iter().map(full).any(|own| own == *import) {
                return Err(Unfit::World(format!("it imports {}, which the host does not provide", shown(import))));
            }
        }
        for export in EXPORTS.iter().map(full) {
            if !self.exports.contains(export.as_str()) {
                let others: Vec<_> = self.exports.iter().take(5).map(|export| shown(export)).collect();
                return Err(Unfit::World(format!("it does not export {export}, but [{}]", others.join(", "))));
            }
        }
        Ok(())
    }
}

fn shown(name: &str) -> String {
    escaped(name.get(..name.floor_char_boundary(200)).unwrap_or_default()).into_owned()
}

fn most(count: u64, most: u64, what: &str) -> Result<(), Unfit> {
    if count <= most {
        return Ok(());
    }
    let why = format!("the component has more than {most} {what}, so compiling it could take too long");
    Err(Unfit::Limit(LimitExceeded::fixed(&why)))
}

fn most_of(count: usize, limit: usize, what: &str) -> Result<(), Unfit> {
    most(count as u64, limit as u64, what)
}

impl From<wasmparser::BinaryReaderError> for Unfit {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(escaped(&error.to_string()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_kind_is_named_without_its_content() {
        for bytes in [&b"{\n  \"Account\": {}\n}"[..], b"", b"\x7fELF", b"\0as"] {
            match inspect(bytes) {
                Err(Unfit::Malformed(why)) => assert_eq!(why, "it is not a WebAssembly component"),
                other => panic!("{other:?}"),
            }
        }
    }
}
