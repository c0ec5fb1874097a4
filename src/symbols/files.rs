//! The source files of a unit's line table (DWARF 5 §6.2.4): names in parts, where they stand.

use std::fmt;

use gimli::{AttributeValue, LineProgramHeader};

use super::text::{Text, Texts};
use crate::dwarf::{Slice, View};

/// The file names of one line table, by number.
#[derive(Debug)]
pub(super) struct Files {
    files: Box<[File]>,
    directories: Box<[Option<Text>]>,
    /// The number of the first: 0 since DWARF 5, 1 before.
    first: u32,
}

#[derive(Clone, Copy, Debug)]
struct File {
    name: Option<Text>,
    directory: u32,
}

/// The path of a source file as the compiler was told it, in parts: each but the last may be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourcePath<'a> {
    /// The folder of the compilation.
    pub comp_dir: &'a [u8],
    /// The file's folder, perhaps below it.
    pub directory: &'a [u8],
    /// The file's name, perhaps with folders before it.
    pub name: &'a [u8],
}

impl Files {
    pub(super) fn read(
        view: &View<'_>,
        texts: &Texts<'_>,
        header: &LineProgramHeader<Slice<'_>>,
    ) -> Files {
        let text = |value: AttributeValue<Slice<'_>>| {
            let text = match value {
                AttributeValue::String(text) => text,
                AttributeValue::DebugStrRef(at) => view.dwarf().debug_str.get_str(at).ok()?,
                AttributeValue::DebugLineStrRef(at) => {
                    view.dwarf().debug_line_str.get_str(at).ok()?
                }
                AttributeValue::DebugStrRefSup(at) => view.dwarf().sup_string(at).ok()?,
                _ => return None,
            };
            texts.place(text.slice())
        };
        let file = |file: &gimli::FileEntry<Slice<'_>>| File {
            name: text(file.path_name()),
            directory: u32::try_from(file.directory_index()).unwrap_or(u32::MAX),
        };
        let before_five = header.encoding().version < 5;
        let directories = header.include_directories().iter().copied().map(text);
        // Before DWARF 5 number 0 is the folder of the compilation and is not in the list.
        let comp_dir = before_five.then_some(None);
        Files {
            files: header.file_names().iter().map(file).collect(),
            directories: comp_dir.into_iter().chain(directories).collect(),
            first: u32::from(before_five),
        }
    }

    /// The path of a file by its number.
    pub(super) fn path<'a>(
        &self,
        texts: &Texts<'a>,
        comp_dir: Option<Text>,
        number: u32,
    ) -> Option<SourcePath<'a>> {
        let file = self.files.get(number.checked_sub(self.first)? as usize)?;
        // Directory 0 is the folder of the compilation, which the unit names too.
        let directory = match file.directory {
            0 => None,
            number => self.directories.get(number as usize).copied().flatten(),
        };
        let at = |text: Option<Text>| text.map_or(&[][..], |text| texts.at(text));
        Some(SourcePath { comp_dir: at(comp_dir), directory: at(directory), name: at(file.name) })
    }

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.files) + size_of_val(&*self.directories)
    }
}

/// The parts joined: what is absolute needs nothing before it.
impl fmt::Display for SourcePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.comp_dir, self.directory, self.name];
        let absolute = |part: &&[u8]| part.first() == Some(&b'/');
        let from = parts.iter().rposition(absolute).unwrap_or(0);
        let mut slash = true;
        for part in parts.iter().skip(from).filter(|part| !part.is_empty()) {
            if !slash {
                f.write_str("/")?;
            }
            f.write_str(&String::from_utf8_lossy(part))?;
            slash = part.last() == Some(&b'/');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_joined_from_the_last_absolute_one_on() {
        for (comp_dir, directory, name, whole) in [
            ("/build", "src", "a.c", "/build/src/a.c"),
            ("/build/", "src/", "a.c", "/build/src/a.c"),
            ("/build", "", "a.c", "/build/a.c"),
            ("/build", "/usr/include", "a.h", "/usr/include/a.h"),
            ("/build", "src", "/a.c", "/a.c"),
            ("", "", "a.c", "a.c"),
            ("", "src", "a.c", "src/a.c"),
            ("", "", "", ""),
        ] {
            let path = SourcePath {
                comp_dir: comp_dir.as_bytes(),
                directory: directory.as_bytes(),
                name: name.as_bytes(),
            };
            assert_eq!(path.to_string(), whole);
        }
    }
}
