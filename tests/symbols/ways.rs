//! The ways in which a source text is compiled.

use std::fs;
use std::path::{Path, PathBuf};
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
    /// What is done to the program afterwards.
    then: Then,
}

/// What is done to a program that has been compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Nothing.
    Nothing,
    /// Its .dwo files are gathered by this program, and removed.
    Gather(&'static str),
    /// What it shares with a copy of itself goes to a file of its own.
    Share,
    /// Its debug info goes to a file of its own.
    Split,
}

/// A program that was compiled; it is removed with this.
pub(crate) struct Compiled {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The same as other programs can read it.
    pub(crate) plain: PathBuf,
    /// How it was compiled.
    pub(crate) how: String,
    _folder: TempDir,
}

const fn way(program: &'static str, flags: &'static [&'static str]) -> Way {
    Way { program, flags, then: Then::Nothing }
}

const fn shaped(program: &'static str, flags: &'static [&'static str], then: Then) -> Way {
    Way { program, flags, then }
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
    way("gcc", &["-g", "-O2", "-gsplit-dwarf"]),
    way("gcc", &["-gdwarf-4", "-O2", "-gsplit-dwarf"]),
    way("clang-14", &["-g", "-O2", "-gsplit-dwarf"]),
    way("clang-14", &["-gdwarf-4", "-O2", "-gsplit-dwarf", "-fno-split-dwarf-inlining"]),
    shaped("clang-14", &["-g", "-O2", "-gsplit-dwarf"], Then::Gather("llvm-dwp")),
    shaped("gcc", &["-gdwarf-4", "-O2", "-gsplit-dwarf"], Then::Gather("dwp")),
    shaped("gcc", &["-g", "-O2"], Then::Share),
    shaped("gcc", &["-gdwarf-4", "-O2"], Then::Share),
    shaped("gcc", &["-g", "-O2", "-gz=zlib"], Then::Split),
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
    way("g++", &["-g", "-O2", "-gsplit-dwarf", "-fdebug-types-section"]),
    way("clang++-14", &["-g", "-O2", "-gsplit-dwarf"]),
    shaped(
        "g++",
        &["-gdwarf-4", "-O2", "-gsplit-dwarf", "-fdebug-types-section"],
        Then::Gather("dwp"),
    ),
    shaped("g++", &["-g", "-O2"], Then::Share),
    shaped("g++", &["-g", "-O2"], Then::Split),
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
        let how =
            format!("{} {} {} ({:?})", self.program, self.flags.join(" "), source.name, self.then);
        let plain = self.then.shape(folder.path())?;
        Some(Compiled { path, plain, how, _folder: folder })
    }
}

impl Then {
    /// Shapes the program `compiled` in a folder, and returns one that others can read; none where a
    /// program for it is not installed.
    fn shape(self, folder: &Path) -> Option<PathBuf> {
        let run = |program: &str, arguments: &[&str]| {
            let status = Command::new(program).args(arguments).current_dir(folder).status();
            assert!(status.unwrap().success(), "{program} {arguments:?}");
        };
        match self {
            Then::Nothing => return Some(folder.join("compiled")),
            Then::Gather(program) => {
                if !tools::have(&[program]) {
                    return None;
                }
                run(program, &["-e", "compiled", "-o", "compiled.dwp"]);
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.extension().is_some_and(|extension| extension == "dwo") {
                        fs::remove_file(path).unwrap();
                    }
                }
                return Some(folder.join("compiled"));
            }
            Then::Share => {
                if !tools::have(&["dwz"]) {
                    return None;
                }
                run("cp", &["compiled", "plain"]);
                run("cp", &["compiled", "copy"]);
                run("dwz", &["-m", "shared", "-M", "shared", "compiled", "copy"]);
            }
            Then::Split => {
                run("cp", &["compiled", "plain"]);
                run("objcopy", &["--only-keep-debug", "compiled", "compiled.debug"]);
                run(
                    "objcopy",
                    &["--strip-debug", "--add-gnu-debuglink=compiled.debug", "compiled"],
                );
            }
        }
        Some(folder.join("plain"))
    }
}
