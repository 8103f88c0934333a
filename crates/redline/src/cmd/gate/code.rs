//! Whether two executables run the same machine code on the same constants.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionKind};

/// Whether code and constants of both are byte for byte the same, once the work trees' own names,
/// which are of equal length, are taken out. What is loaded but no code, such as the build's id, and
/// what only a debugger reads, may differ.
pub(super) fn is_identical(base: (&Path, &Path), head: (&Path, &Path)) -> Result<bool> {
    Ok(sections(base.0, base.1)? == sections(head.0, head.1)?)
}

fn sections(executable: &Path, tree: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let name = executable.display();
    let bytes = std::fs::read(executable).with_context(|| format!("cannot read {name}"))?;
    let file = object::File::parse(bytes.as_slice())
        .with_context(|| format!("{name} is no executable that can be read"))?;
    let mut sections = BTreeMap::new();
    for section in file.sections() {
        use SectionKind::{Data, ReadOnlyData, ReadOnlyDataWithRel, ReadOnlyString, Text, Tls};
        if matches!(
            section.kind(),
            Text | Data | ReadOnlyData | ReadOnlyDataWithRel | ReadOnlyString | Tls
        ) {
            let content = section.data().with_context(|| format!("{name}: a broken section"))?;
            let key = section.name().unwrap_or_default().to_owned();
            sections.insert(key, without(content, tree.as_os_str().as_encoded_bytes()));
        }
    }
    Ok(sections)
}

/// `content` with every `name` blotted out.
fn without(content: &[u8], name: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    let mut at = 0;
    while let Some(found) = content[at..].windows(name.len()).position(|window| window == name) {
        content[at + found..at + found + name.len()].fill(0);
        at += found + name.len();
    }
    content
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn names_of_work_trees_do_not_count() {
        assert_eq!(without(b"a/x/b/x/", b"/x/"), without(b"a/y/b/y/", b"/y/"));
        assert_ne!(without(b"a/x/b", b"/x/"), without(b"a/x/c", b"/x/"));
    }
}
