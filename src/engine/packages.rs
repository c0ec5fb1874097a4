//! Which package would bring a binary's debug info: the command to type.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::job::Job;

/// Package managers get this long, all together: they may wait for a lock or read a slow disk, and
/// the command is a courtesy.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a package manager that runs is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// More than a package manager says of one file.
const MAX_OUTPUT_BYTES: usize = 1 << 16;

/// The command that installs the debug info of a file, where the package manager knows the file.
/// Asks `dpkg` or `rpm`, which takes a moment: for errors and `doctor`, not for answers. None, too,
/// when they take longer than three seconds, or when the job is stopped.
pub fn install_command(job: &Job, path: &Path) -> Option<String> {
    let wait = Wait { job, until: Instant::now() + PATIENCE };
    debian(&wait, path).or_else(|| rpm(&wait, path))
}

/// `apt install libxenmisc4.17-dbgsym`: built from every package, in an archive of its own.
fn debian(wait: &Wait<'_>, path: &Path) -> Option<String> {
    let output = ask(wait, "dpkg-query", &["--search", "--"], path)?;
    // `package[:architecture]: /path`, several packages separated by commas; diversions first.
    let line = output.lines().find(|line| !line.starts_with("diversion "))?;
    let package = line.split([':', ',']).next().filter(|package| is_package(package))?;
    Some(format!(
        "apt install {package}-dbgsym (from the debian-debug archive: wiki.debian.org/HowToGetABacktrace)"
    ))
}

/// `dnf debuginfo-install xen-libs-4.17.2-1.fc39`.
fn rpm(wait: &Wait<'_>, path: &Path) -> Option<String> {
    let output = ask(wait, "rpm", &["--query", "--file", "--"], path)?;
    let package = output.lines().next().filter(|package| is_package(package))?;
    Some(format!("dnf debuginfo-install {package}"))
}

fn is_package(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-._~".contains(c);
    !name.is_empty() && name.chars().all(allowed)
}

/// What a package manager prints for the real path of a file; none where it fails or is not there.
fn ask(wait: &Wait<'_>, program: &str, arguments: &[&str], path: &Path) -> Option<String> {
    // dpkg knows the files of a merged /usr by either name: the one given is tried first.
    let real = path.canonicalize().ok();
    [Some(path), real.as_deref()].into_iter().flatten().find_map(|path| {
        let mut command = Command::new(program);
        command.args(arguments).arg(path).env("LC_ALL", "C");
        wait.output(&mut command)
    })
}

/// How long to wait for a program of others.
struct Wait<'j> {
    job: &'j Job,
    until: Instant,
}

impl Wait<'_> {
    /// What a program prints, if it succeeds in time; otherwise it is killed.
    fn output(&self, command: &mut Command) -> Option<String> {
        // A file in memory, not a pipe: nobody has to read it while the program runs, and what the
        // program leaves running cannot keep it open for us.
        let output = File::from(memfd_create("output", MemfdFlags::CLOEXEC).ok()?);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().ok()?)
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let status = self.exit_of(&mut child);
        if status.is_none() {
            // It may have ended by itself in between.
            let _ = child.kill();
            let _ = child.wait();
        }
        status.filter(ExitStatus::success)?;
        let mut text = vec![0; MAX_OUTPUT_BYTES];
        let length = output.read_at(&mut text, 0).ok()?;
        text.truncate(length);
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    fn exit_of(&self, child: &mut Child) -> Option<ExitStatus> {
        while self.job.check().is_ok() && Instant::now() < self.until {
            if let Some(status) = child.try_wait().ok()? {
                return Some(status);
            }
            std::thread::sleep(LOOK);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough for anything that must happen, on a machine that is busy.
    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_prints_is_read_if_it_succeeds() {
        let wait = Wait { job: &Job::new(), until: Instant::now() + SOON };
        assert_eq!(
            wait.output(&mut shell("echo libc6: /x; echo oops >&2")).unwrap(),
            "libc6: /x\n"
        );
        assert_eq!(wait.output(&mut shell("echo libc6; exit 1")), None);
        assert_eq!(wait.output(&mut Command::new("/nowhere/dpkg-query")), None);
        let all = wait.output(&mut shell("head -c 1000000 /dev/zero")).unwrap();
        assert_eq!(all.len(), MAX_OUTPUT_BYTES);
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_in_time() {
        let started = Instant::now();
        let wait = Wait { job: &Job::new(), until: started + Duration::from_millis(50) };
        // `exec`: the process that would print is the one that is killed.
        assert_eq!(wait.output(&mut shell("echo early; exec sleep 60")), None);
        assert!(started.elapsed() < SOON);
    }

    #[test]
    fn a_job_that_is_stopped_does_not_wait() {
        let started = Instant::now();
        let job = Job::new().with_deadline(Duration::from_millis(50));
        let wait = Wait { job: &job, until: started + SOON * 2 };
        assert_eq!(wait.output(&mut shell("exec sleep 60")), None);
        assert!(started.elapsed() < SOON);
        assert_eq!(install_command(&job, Path::new("/bin/sh")), None);
    }
}
