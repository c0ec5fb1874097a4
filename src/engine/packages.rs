//! Which package would bring a binary's debug info: the command to type.

use std::path::Path;
use std::process::{Command, Stdio};

/// The command that installs the debug info of a file, where the package manager knows the file.
/// Asks `dpkg` or `rpm`, which takes a moment: for errors and `doctor`, not for answers.
pub fn install_command(path: &Path) -> Option<String> {
    debian(path).or_else(|| rpm(path))
}

/// `apt install libxenmisc4.17-dbgsym`: built from every package, in an archive of its own.
fn debian(path: &Path) -> Option<String> {
    let output = run("dpkg-query", &["--search", "--"], path)?;
    // `package[:architecture]: /path`, several packages separated by commas; diversions first.
    let line = output.lines().find(|line| !line.starts_with("diversion "))?;
    let package = line.split([':', ',']).next().filter(|package| is_package(package))?;
    Some(format!(
        "apt install {package}-dbgsym (from the debian-debug archive: wiki.debian.org/HowToGetABacktrace)"
    ))
}

/// `dnf debuginfo-install xen-libs-4.17.2-1.fc39`.
fn rpm(path: &Path) -> Option<String> {
    let output = run("rpm", &["--query", "--file", "--"], path)?;
    let package = output.lines().next().filter(|package| is_package(package))?;
    Some(format!("dnf debuginfo-install {package}"))
}

fn is_package(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-._~".contains(c);
    !name.is_empty() && name.chars().all(allowed)
}

/// What a package manager prints for the real path of a file; none where it fails or is not there.
fn run(program: &str, arguments: &[&str], path: &Path) -> Option<String> {
    // dpkg knows the files of a merged /usr by either name: the one given is tried first.
    let real = path.canonicalize().ok();
    [Some(path), real.as_deref()].into_iter().flatten().find_map(|path| {
        let output = Command::new(program)
            .args(arguments)
            .arg(path)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    })
}
