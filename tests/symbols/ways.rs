//! The ways in which a source text is compiled.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::tools;

/// A source text and its file name.
pub(crate) struct Source {
    /// The file name, whose suffix tells compilers the language.
    pub(crate) name: &'static str,
    /// The text.
    pub(crate) text: &'static str,
}

/// A compiler and what it is told besides source and output.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    program: &'static str,
    flags: &'static [&'static str],
}

/// A program that was compiled; it is removed with this.
pub(crate) struct Compiled {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How it was compiled.
    pub(crate) how: String,
    _folder: TempDir,
}

const fn way(program: &'static str, flags: &'static [&'static str]) -> Way {
    Way { program, flags }
}

pub(crate) const C: &[Way] = &[
    way("gcc", &["-g", "-O0"]),
    way("gcc", &["-g", "-O2"]),
    way("gcc", &["-g", "-O2", "-no-pie"]),
    way("gcc", &["-g", "-Og", "-fno-asynchronous-unwind-tables"]),
    way("gcc", &["-g", "-O2", "-ffunction-sections", "-Wl,--gc-sections"]),
    way("gcc", &["-gdwarf-2", "-gstrict-dwarf", "-O2"]),
    way("gcc", &["-gdwarf-3", "-gstrict-dwarf", "-O2"]),
    way("gcc", &["-gdwarf-4", "-O2"]),
    way("gcc", &["-gdwarf-5", "-gdwarf64", "-O2"]),
    way("gcc", &["-g", "-O2", "-flto"]),
    way("gcc", &["-g", "-O3", "-gz=zlib"]),
    way("gcc", &["-m32", "-g", "-O2", "-shared", "-fPIC", "-nostdlib"]),
    way("clang-14", &["-g", "-O2"]),
    way("clang-14", &["-gdwarf-4", "-O1"]),
    way("clang-14", &["-gdwarf-5", "-O2", "-ffunction-sections", "-Wl,--gc-sections"]),
    way("clang-14", &["-g", "-O2", "-fuse-ld=lld", "-Wl,--icf=all", "-ffunction-sections"]),
];

pub(crate) const CXX: &[Way] = &[
    way("g++", &["-g", "-O0"]),
    way("g++", &["-g", "-O2"]),
    way("g++", &["-gdwarf-4", "-O2", "-fdebug-types-section"]),
    way("g++", &["-g", "-O2", "-flto"]),
    way("g++", &["-g", "-O2", "-ffunction-sections", "-Wl,--gc-sections"]),
    way("clang++-14", &["-g", "-O0"]),
    way("clang++-14", &["-g", "-O2"]),
    way("clang++-14", &["-gdwarf-4", "-O2", "-fdebug-types-section"]),
];

pub(crate) const RUST: &[Way] = &[
    way("rustc", &["-g", "--edition=2021"]),
    way("rustc", &["-g", "-O", "--edition=2021"]),
    way("rustc", &["-g", "-O", "--edition=2021", "-Clto=fat", "-Cpanic=abort"]),
];

impl Way {
    /// Compiles a source text; none where the compiler is not installed, which is said.
    pub(crate) fn compile(self, source: &Source) -> Option<Compiled> {
        if !tools::have(&[self.program]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compiled");
        fs::write(folder.path().join(source.name), source.text).unwrap();
        let mut command = Command::new(self.program);
        command.current_dir(&folder).args(self.flags).arg(source.name).arg("-o").arg(&path);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?} fails:\n{text}");
        let how = format!("{} {} {}", self.program, self.flags.join(" "), source.name);
        Some(Compiled { path, how, _folder: folder })
    }
}
