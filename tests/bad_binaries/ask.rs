//! Asks the real program about a file, within limits.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Only a guard against a program that never ends: answers take milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Address space, in KiB, as `ulimit -v` counts.
const MEMORY: u64 = 2 << 20;

/// A question to the program.
pub(crate) struct Ask {
    command: Command,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ask {
    /// Asks for `struct s` of a file.
    pub(crate) fn of(file: &Path) -> Ask {
        Ask::program(Path::new(env!("CARGO_BIN_EXE_dbgmate")), &[])
            .arguments(&["offsets-of", "struct s", "--binary"])
            .path(file)
    }

    /// The program in a shell that limits its memory, started by `wrapper`.
    pub(crate) fn program(program: &Path, wrapper: &[&str]) -> Ask {
        let mut command = Command::new("sh");
        let script = format!("ulimit -v {MEMORY} && exec \"$@\"");
        command.args(["-c", &script, "sh"]).args(wrapper).arg(program);
        command.args(["--daemon", "never"]);
        command.env("XDG_CONFIG_HOME", "/nonexistent").env("XDG_CACHE_HOME", "/dev/null");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ask { command }
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Ask {
        self.command.args(arguments);
        self
    }

    pub(crate) fn path(mut self, path: &Path) -> Ask {
        self.command.arg(path);
        self
    }

    /// The answer; fails where the program does not end.
    pub(crate) fn answer(mut self) -> Answer {
        let mut child = self.command.spawn().unwrap();
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).unwrap();
            text
        });
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).unwrap();
            text
        });
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if Instant::now() > deadline => {
                    child.kill().unwrap();
                    panic!("{:?} does not end", self.command);
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Answer {
            status,
            stdout: text(reader.join().unwrap()),
            stderr: text(errors.join().unwrap()),
        }
    }

    /// Checks that the program refuses: status 1, nothing on standard output, and one sentence that
    /// holds all the words, with at most one line of advice.
    pub(crate) fn refuses(self, words: &[&str]) {
        self.answer().is_refusal(1, words);
    }
}

impl Answer {
    pub(crate) fn is_refusal(&self, status: i32, words: &[&str]) {
        assert_eq!((self.status, self.stdout.as_str()), (Some(status), ""), "{self:?}");
        let mut lines = self.stderr.lines();
        let sentence = lines.next().unwrap();
        assert!(sentence.starts_with("dbgmate: "), "{self:?}");
        for word in words {
            assert!(sentence.contains(word), "{word:?} is not in {self:?}");
        }
        let advice: Vec<&str> = lines.collect();
        assert!(advice.len() <= 1, "more than one sentence: {self:?}");
        assert!(advice.iter().all(|line| line.starts_with("  try: ")), "{self:?}");
    }

    /// Checks that the program answers, or refuses with one sentence: damage may or may not matter.
    pub(crate) fn is_sound(&self) {
        match self.status {
            Some(0) => assert!(!self.stdout.is_empty(), "{self:?}"),
            _ => self.is_refusal(1, &[]),
        }
    }
}

/// A folder with files for one test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Compiles a shared object with debug info, and returns its path.
    pub(crate) fn compile(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let text = self.write(&format!("{name}.c"), source.as_bytes());
        let path = self.path(name);
        let mut gcc = Command::new("gcc");
        gcc.args(flags).arg("-o").args([&path, &text]);
        let output = gcc.output().expect("the tests need gcc");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{gcc:?} fails:\n{errors}");
        path
    }
}

/// A library with `struct s`, whose members reach into all that layouts are read from, and functions
/// with all that addresses are looked up by.
pub(crate) const SOURCE: &str = "
    typedef unsigned long number;
    struct in { char a : 3; number b; enum { X = 1, Y = -5 } e; };
    struct s { char c; struct in d[3]; union { int i; struct { short j; void (*f)(struct s *); }; };
               const char *const names[2][4]; struct hidden *h; number tail[]; };
    struct s *x; struct s y;
    int outside(int);
    static inline __attribute__((always_inline)) int inner(int n) { return outside(n) * 3; }
    static inline __attribute__((always_inline)) int outer(int n) { return inner(n + 1) ^ inner(n); }
    static __attribute__((noinline)) int local(int n) { return n > 1000 ? outer(n) : outside(-n) + 1; }
    int first(int n) { return local(n) + outer(n); }
    int second(int n) { return n < 3 ? first(n) : second(n - 1) + local(n) + first(n - 2); }";

/// How the library is linked.
pub(crate) const SHARED: &[&str] = &["-shared", "-fPIC", "-nostdlib", "-g"];
