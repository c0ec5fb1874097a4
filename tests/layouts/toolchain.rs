//! Compiles a source text into a temporary folder, one way or every way.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use dbgmate::api::binary::BinaryRef;
use dbgmate::api::layout::{LayoutForm, OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::config::Config;
use dbgmate::dwarf::{DebugFile, Language};
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::types::{self, LayoutMatch, MemberPath, Question, TypeName};
use tempfile::TempDir;

/// A way to compile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Toolchain {
    /// The compiler.
    pub(crate) program: &'static str,
    /// What it is told besides the source and the output.
    pub(crate) flags: &'static [&'static str],
}

const fn way(program: &'static str, flags: &'static [&'static str]) -> Toolchain {
    Toolchain { program, flags }
}

pub(crate) const GCC: Toolchain = way("gcc", &["-shared", "-fPIC", "-nostdlib", "-g"]);
pub(crate) const CLANG: Toolchain = way("clang", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5"]);
pub(crate) const GXX: Toolchain = way("g++", &["-shared", "-fPIC", "-nostdlib", "-g"]);
pub(crate) const CLANGXX: Toolchain =
    way("clang++", &["-shared", "-fPIC", "-nostdlib", "-g", "-fstandalone-debug"]);

/// GCC for big-endian PowerPC, as Debian names it.
const PPC: &str = "powerpc64-linux-gnu-gcc-12";

/// GCC for the mainframe, big-endian too.
const S390: &str = "s390x-linux-gnu-gcc-12";

/// What C is compiled with. `-gstrict-dwarf` is what makes GCC write the bit fields of DWARF 2.
pub(crate) const EVERYWHERE: &[Toolchain] = &[
    GCC,
    way("gcc", &["-c", "-gdwarf-2", "-gstrict-dwarf"]),
    way("gcc", &["-c", "-gdwarf-3", "-gstrict-dwarf"]),
    way("gcc", &["-c", "-gdwarf-4"]),
    way("gcc", &["-c", "-gdwarf-5"]),
    way("gcc", &["-c", "-gdwarf-5", "-gdwarf64"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-2", "-gstrict-dwarf"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-4", "-fdebug-types-section"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5", "-fdebug-types-section"]),
    way("gcc", &["-c", "-gdwarf-4", "-fdebug-types-section"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-g", "-gz=zlib"]),
    way("gcc", &["-c", "-g", "-gz=zlib"]),
    way("gcc", &["-c", "-g", "-gz=zlib-gnu"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-g", "-flto", "-O2"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-4", "-gsplit-dwarf"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5", "-gsplit-dwarf"]),
    way("gcc", &["-shared", "-fPIC", "-nostdlib", "-g", "-gsplit-dwarf", "-fdebug-types-section"]),
    way("gcc", &["-m32", "-c", "-gdwarf-2", "-gstrict-dwarf"]),
    way("gcc", &["-m32", "-shared", "-fPIC", "-nostdlib", "-g"]),
    way("clang", &["-c", "-gdwarf-2", "-gstrict-dwarf"]),
    way("clang", &["-c", "-gdwarf-4"]),
    way("clang", &["-c", "-gdwarf-5"]),
    way("clang", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5", "-fdebug-types-section"]),
    way("clang", &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5", "-gsplit-dwarf"]),
    way(PPC, &["-c", "-gdwarf-2", "-gstrict-dwarf"]),
    way(PPC, &["-c", "-gdwarf-3", "-gstrict-dwarf"]),
    way(PPC, &["-c", "-gdwarf-5"]),
    way(PPC, &["-shared", "-fPIC", "-nostdlib", "-gdwarf-4"]),
    way(PPC, &["-c", "-gdwarf-5", "-gdwarf64"]),
    way(S390, &["-c", "-gdwarf-2", "-gstrict-dwarf"]),
    way(S390, &["-c", "-gdwarf-5", "-fdebug-types-section"]),
];

impl Toolchain {
    /// Compiles one source text; none where the compiler is not installed, which is said.
    pub(crate) fn compile(self, source: &str) -> Option<Compiled> {
        self.compile_all(&[("source", source)])
    }

    /// Compiles several texts, each a unit of its own, into one file.
    pub(crate) fn compile_all(self, sources: &[(&str, &str)]) -> Option<Compiled> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compiled");
        let suffix = if self.program.contains("++") { "cc" } else { "c" };
        let mut command = Command::new(self.program);
        // Clang leaves .dwo files where it runs.
        command.current_dir(&folder).args(self.flags).arg("-o").arg(&path);
        for (name, text) in sources {
            let source = folder.path().join(format!("{name}.{suffix}"));
            fs::write(&source, text).unwrap();
            command.arg(source);
        }
        run(&mut command)?;
        Some(Compiled::new(path, self.to_string(), folder))
    }
}

impl std::fmt::Display for Toolchain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.program, self.flags.join(" "))
    }
}

/// Runs a tool that must succeed; none where it is not installed. GCC itself has to be.
pub(crate) fn run(command: &mut Command) -> Option<()> {
    let program = command.get_program().to_owned();
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            assert!(program != "gcc" && program != "g++", "the tests need {program:?}");
            // Not `eprintln`: the test harness would keep it to itself.
            let line = format!("skipped: {program:?} is not installed\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return None;
        }
        output => output.unwrap(),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} fails:\n{text}");
    Some(())
}

/// A file that was compiled; it is removed with this.
pub(crate) struct Compiled {
    path: PathBuf,
    how: String,
    _folder: TempDir,
    opened: OnceLock<DebugFile>,
}

impl Compiled {
    /// What another compiler has made of a source in the folder.
    pub(crate) fn new(path: PathBuf, how: String, folder: TempDir) -> Compiled {
        Compiled { path, how, _folder: folder, opened: OnceLock::new() }
    }

    /// The same file after another tool has changed it in place; none where there is no such tool.
    pub(crate) fn changed_by(self, tool: &mut Command) -> Option<Compiled> {
        run(tool.arg(&self.path))?;
        let how = format!("{}, then {tool:?}", self.how);
        Some(Compiled { how, opened: OnceLock::new(), ..self })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Every layout of a type, or of a member of it.
    pub(crate) fn find(
        &self,
        name: &str,
        path: Option<&str>,
    ) -> Result<Vec<LayoutMatch>, types::Error> {
        find_among(self.opened(), name, path, None)
    }

    /// Its debug info, read once.
    pub(crate) fn opened(&self) -> &DebugFile {
        self.opened.get_or_init(|| open(&self.path))
    }

    /// The only layout of a type.
    pub(crate) fn layout(&self, name: &str) -> types::Layout {
        let found = self.find(name, None).unwrap_or_else(|error| self.fail(name, &error));
        assert_eq!(found.len(), 1, "{name} by {} has layouts: {found:#?}", self.how);
        found.into_iter().next().unwrap().layout
    }

    /// The member of a type with one layout. It stays as long as the test does.
    pub(crate) fn member(&self, name: &str, path: &str) -> types::Member<'static> {
        let found = self.find(name, Some(path)).unwrap_or_else(|error| self.fail(path, &error));
        assert_eq!(found.len(), 1, "{name} by {} has layouts: {found:#?}", self.how);
        Box::leak(Box::new(found.into_iter().next().unwrap().selected.unwrap())).member.view()
    }

    /// Every layout of a type as text. What is read must not depend on where the test was run.
    pub(crate) fn rendered(&self, type_name: &str, form: LayoutForm) -> String {
        let folder = format!("{}/", self.path.parent().unwrap().display());
        let request = OffsetsOfRequest {
            type_name: type_name.to_owned(),
            binaries: vec![BinaryRef::Path(self.path.to_str().unwrap().to_owned())],
            render: Some(form),
            ..OffsetsOfRequest::default()
        };
        let engine = Engine::new(Config::default());
        let answer = OffsetsOfMethod::answer(&engine, &Job::new(), request).unwrap();
        answer.rendered.unwrap().replace(&folder, "")
    }

    fn fail(&self, what: &str, error: &types::Error) -> ! {
        panic!("{what} by {}: {error:?}", self.how);
    }
}

/// Every layout of a type, or of a member of it, in a file.
pub(crate) fn find_in(
    file: &Path,
    name: &str,
    path: Option<&str>,
    language: Option<Language>,
) -> Result<Vec<LayoutMatch>, types::Error> {
    find_among(&open(file), name, path, language)
}

fn open(file: &Path) -> DebugFile {
    let binary = Binary::open(&Job::new(), file, &DebugSources::default()).unwrap();
    DebugFile::new(Arc::new(binary))
}

fn find_among(
    file: &DebugFile,
    name: &str,
    path: Option<&str>,
    language: Option<Language>,
) -> Result<Vec<LayoutMatch>, types::Error> {
    let name = TypeName::parse(name).unwrap();
    let path = path.map(|path| MemberPath::parse(path).unwrap());
    let question = Question { name: &name, path: path.as_ref(), language, threads: 2 };
    let found = types::find(&Job::new(), file, &question);
    assert_eq!(file.problem(), None);
    // Which definitions are distinct is held: the answer is the same.
    let again = types::find(&Job::new(), file, &question);
    assert_eq!(format!("{again:?}"), format!("{found:?}"));
    found
}
