//! A person's home for one test: configuration and run-time folders of its own, the real program,
//! and a daemon where one is wanted. Nothing of the machine's own configuration is seen.

#![allow(dead_code)] // each test file uses its part of it

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The folders of one person.
pub(crate) struct Home {
    folder: TempDir,
}

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A daemon that ends with the test.
pub(crate) struct Daemon {
    pub(crate) pid: u32,
    child: Child,
}

impl Home {
    pub(crate) fn new() -> Home {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("dbgmate");
        fs::DirBuilder::new().mode(0o700).create(&private).unwrap();
        Home { folder }
    }

    /// A home with this configuration.
    pub(crate) fn configured(config: &str) -> Home {
        let home = Home::new();
        home.write("dbgmate/config.toml", config);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join("dbgmate/daemon.sock")
    }

    /// Writes a file, with the folders it needs.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// Gives another program this home.
    pub(crate) fn lend(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path())
            .env("XDG_RUNTIME_DIR", self.path())
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env_remove("DEBUGINFOD_URLS")
            .env_remove("DBGMATE_SOCKET")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("NO_COLOR");
    }

    /// The program with these arguments, in this home.
    pub(crate) fn dbgmate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgmate"));
        command.args(arguments);
        self.lend(&mut command);
        command
    }

    /// Runs it without input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.dbgmate(arguments).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs it with this on standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Run {
        feed(&mut self.dbgmate(arguments), input)
    }

    /// Starts the daemon and waits until it listens.
    pub(crate) fn serve(&self) -> Daemon {
        let mut command = self.dbgmate(&["serve"]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening on"), "{line}");
        Daemon { pid: child.id(), child }
    }

    /// Compiles C with debug info; the tests need a compiler, as the program's build does a linker.
    pub(crate) fn compile(&self, name: &str, source: &str) -> PathBuf {
        let source = self.write(&format!("{name}.c"), source);
        let object = self.path().join(name);
        let mut cc = Command::new("cc");
        cc.args(["-g", "-shared", "-fPIC", "-o"]).arg(&object).arg(&source);
        let compiled = cc.current_dir(self.path()).status().expect("cc");
        assert!(compiled.success());
        object
    }

    /// A copy without debug info.
    pub(crate) fn strip(&self, binary: &Path) -> PathBuf {
        let copy = binary.with_extension("stripped");
        let stripped =
            Command::new("strip").arg("-o").arg(&copy).arg(binary).status().expect("strip");
        assert!(stripped.success());
        copy
    }

    /// A program of this text that stands in the folder `bin` of this home.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(&format!("bin/{name}"), text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// Runs a program with this on standard input. It need not read all of it.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|threads| {
        threads.spawn(move || stdin.write_all(input).ok());
        Run::of(child.wait_with_output().unwrap())
    })
}

impl Run {
    pub(crate) fn of(output: Output) -> Run {
        Run {
            status: output.status.code().unwrap_or_else(|| panic!("killed: {output:?}")),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
