//! Where is the daemon's socket, and is that place safe?
//!
//! In order: `$DBGMATE_SOCKET`; `dbgmate/daemon.sock` under `$XDG_RUNTIME_DIR`, or under
//! `/run/user/<uid>`, where that folder is ours (under sudo the variable may name another
//! person's); else `/tmp/dbgmate-<uid>/daemon.sock`.
//!
//! Whichever it is: its folder is a real one of ours with mode 0700, so that nobody else can put
//! a socket there or reach ours; the socket is 0600; and who holds the lock file beside it is the
//! one daemon that may replace it. The lock file stays when the daemon goes: removing it would
//! let two daemons lock two files of one name.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{Error, Kind};

/// The variable that says where the socket is, for tests and for several daemons.
const VARIABLE: &str = "DBGMATE_SOCKET";
const NAME: &str = "daemon.sock";

/// Where the daemon of this person listens, or would.
pub fn locate() -> Result<PathBuf, Error> {
    match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(path) => absolute(Path::new(&path)),
        None => Ok(default_folder(
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
            Path::new("/run/user"),
        )
        .join(NAME)),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| refused(path, error.to_string()))
}

fn default_folder(runtime: Option<PathBuf>, users: &Path) -> PathBuf {
    let uid = own_uid();
    let runtime = runtime.filter(|folder| folder.is_absolute());
    let candidates = runtime.into_iter().chain([users.join(uid.to_string())]);
    let ours = |folder: &PathBuf| {
        fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == uid)
    };
    match candidates.into_iter().find(ours) {
        Some(folder) => folder.join("dbgmate"),
        None => PathBuf::from(format!("/tmp/dbgmate-{uid}")),
    }
}

/// A socket that is bound and listens, for a daemon to accept on.
#[derive(Debug)]
pub struct Bound {
    listener: UnixListener,
    place: Place,
}

/// The right to be the daemon at a path. The socket there is removed when this is dropped, if it is
/// still the one that was bound.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    identity: Option<Identity>,
    // Closing it unlocks it.
    _lock: File,
}

/// Which file it is, whatever its name: device and inode.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Bound {
    /// Takes the place at `path`, which must be in a folder of ours alone; makes the folder if it
    /// is missing. Fails when another daemon holds it.
    pub fn new(path: &Path) -> Result<Bound, Error> {
        let path = absolute(path)?;
        let Some(folder) = path.parent() else {
            return Err(refused(&path, "it is not a path of a file"));
        };
        make_private(folder)?;
        let lock = lock(&path)?;
        remove_stale(&path)?;
        let listener = UnixListener::bind(&path).map_err(|error| refused(&path, error))?;
        let place = Place { identity: identity(&path), path, _lock: lock };
        // Until here only the folder's mode kept others out, which suffices.
        fs::set_permissions(&place.path, Permissions::from_mode(0o600))
            .map_err(|error| refused(&place.path, error))?;
        Ok(Bound { listener, place })
    }

    /// A listener for a tokio runtime, and the place, to be kept until the daemon has ended.
    pub(super) fn listen(self) -> io::Result<(tokio::net::UnixListener, Place)> {
        self.listener.set_nonblocking(true)?;
        Ok((tokio::net::UnixListener::from_std(self.listener)?, self.place))
    }
}

impl Place {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where a person has removed socket and lock, another daemon may have taken the place.
        if identity(&self.path) == self.identity {
            // Gone already is as good.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the folder, or makes sure that it is a folder of ours which no one else may enter.
fn make_private(folder: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(folder, error)),
    }
    let found = fs::symlink_metadata(folder).map_err(|error| refused(folder, error))?;
    let mode = found.mode() & 0o7777;
    if found.is_symlink() || !found.is_dir() {
        Err(refused(folder, "it must be a folder itself, not a link or a file"))
    } else if found.uid() != own_uid() {
        Err(refused(folder, format!("it belongs to uid {}, not to you", found.uid())))
    } else if mode != 0o700 {
        let error = refused(folder, format!("others may enter it: its mode is {mode:04o}"));
        Err(error.hint(format!("run `chmod 700 {}`", folder.display())))
    } else {
        Ok(())
    }
}

/// Takes the lock beside the socket and writes our process id into it.
fn lock(socket: &Path) -> Result<File, Error> {
    let mut path = socket.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(|error| refused(&path, error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(runs_already(&mut file, socket)),
        Err(error) => return Err(refused(&path, error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|error| refused(&path, error))?;
    Ok(file)
}

fn runs_already(lock: &mut File, socket: &Path) -> Error {
    let mut pid = String::new();
    let read = lock.take(32).read_to_string(&mut pid);
    let pid = Some(pid.trim()).filter(|pid| read.is_ok() && !pid.is_empty());
    let shown = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    if !socket.exists() {
        let sentence = format!("a daemon runs already{shown}, but somebody removed its socket");
        let pid = pid.unwrap_or("PID");
        return Error::new(Kind::Daemon, sentence)
            .hint(format!("end it with `kill {pid}`, and start it again"));
    }
    Error::new(Kind::Daemon, format!("a daemon runs already{shown}"))
        .hint(format!("use that one, or give this one another socket with --socket or {VARIABLE}"))
}

/// Removes a socket nobody listens on. Called with the lock held.
fn remove_stale(path: &Path) -> Result<(), Error> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, error)),
        Ok(found) => found,
    };
    if !found.file_type().is_socket() {
        return Err(refused(path, "something that is not a socket is there, and it stays"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| refused(path, error))
        }
        _ => Err(refused(path, "another program listens there")),
    }
}

/// The uid that our files have.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn refused(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Daemon, format!("the daemon cannot use {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn private(folder: &Path) -> PathBuf {
        let private = folder.join("private");
        make_private(&private).unwrap();
        private
    }

    fn why(result: Result<Bound, Error>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.kind, Kind::Daemon);
        error.to_string()
    }

    #[test]
    fn folder_and_socket_are_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/daemon.sock");
        let bound = Bound::new(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&path), 0o600);
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_others_may_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let private = private(folder.path());
        for mode in [0o755, 0o750, 0o701, 0o770, 0o1700] {
            fs::set_permissions(&private, Permissions::from_mode(mode)).unwrap();
            let why = why(Bound::new(&private.join(NAME)));
            assert!(why.contains(&format!("{mode:04o}")) && why.contains("chmod 700"), "{why}");
        }
    }

    #[test]
    fn a_link_or_a_file_in_place_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink(private(folder.path()), &link).unwrap();
        assert!(why(Bound::new(&link.join(NAME))).contains("not a link"));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(why(Bound::new(&file.join(NAME))).contains("folder"));
    }

    #[test]
    fn the_folder_of_another_is_refused() {
        // Nobody but root can make one; /proc/1 is root's, for everyone else.
        let folder = tempfile::tempdir().unwrap();
        let theirs = match own_uid() {
            0 => {
                let theirs = private(folder.path());
                std::os::unix::fs::chown(&theirs, Some(65534), None).unwrap();
                theirs
            }
            _ => PathBuf::from("/root"),
        };
        assert!(why(Bound::new(&theirs.join(NAME))).contains("belongs to uid"));
    }

    #[test]
    fn what_is_not_a_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path()).join(NAME);
        fs::write(&path, "precious").unwrap();
        assert!(why(Bound::new(&path)).contains("not a socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_lock_file_that_is_a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path()).join(NAME);
        let target = folder.path().join("target");
        fs::write(&target, "precious").unwrap();
        symlink(&target, path.with_extension("sock.lock")).unwrap();
        why(Bound::new(&path));
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }

    #[test]
    fn a_second_daemon_learns_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/daemon.sock");
        let first = Bound::new(&path).unwrap();
        let pid = std::process::id();
        assert!(why(Bound::new(&path)).contains(&format!("runs already (pid {pid})")));
        drop(first);
        Bound::new(&path).unwrap();
    }

    #[test]
    fn a_daemon_whose_socket_was_removed_is_named_with_the_way_to_mend_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path()).join(NAME);
        let _first = Bound::new(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let why = why(Bound::new(&path));
        assert!(why.contains("removed its socket"), "{why}");
        assert!(why.contains(&format!("kill {}", std::process::id())), "{why}");
    }

    #[test]
    fn a_daemon_that_ends_leaves_the_socket_of_its_successor() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path()).join(NAME);
        let first = Bound::new(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::remove_file(path.with_extension("sock.lock")).unwrap();
        let second = Bound::new(&path).unwrap();
        drop(first);
        assert!(UnixStream::connect(&path).is_ok());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_nobody_listens_on_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path()).join(NAME);
        let stranger = UnixListener::bind(&path).unwrap();
        assert!(why(Bound::new(&path)).contains("another program"));
        drop(stranger);
        assert!(path.exists());
        Bound::new(&path).unwrap();
    }

    #[test]
    fn a_runtime_folder_that_is_not_ours_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("ours");
        let users = folder.path().join("users");
        fs::create_dir(&ours).unwrap();
        assert_eq!(default_folder(Some(ours.clone()), &users), ours.join("dbgmate"));

        let fallback = PathBuf::from(format!("/tmp/dbgmate-{}", own_uid()));
        for not_ours in ["/nonexistent", "relative", "/proc/1/status"] {
            assert_eq!(default_folder(Some(not_ours.into()), &users), fallback, "{not_ours}");
        }
        let link = folder.path().join("link");
        symlink(&ours, &link).unwrap();
        assert_eq!(default_folder(Some(link), &users), fallback);

        let user = users.join(own_uid().to_string());
        fs::create_dir_all(&user).unwrap();
        assert_eq!(default_folder(None, &users), user.join("dbgmate"));
    }
}
