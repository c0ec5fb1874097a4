//! The tables, and how a file of an earlier version becomes one of this.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::Error;

/// `dbgm`: what says that a database is a history of ours (<https://sqlite.org/pragma.html#pragma_application_id>).
const APPLICATION: i64 = 0x6462_676d;

/// What makes a file of each version one of the next: the first makes one of nothing. A step is
/// never changed once it was released.
const STEPS: [&str; 1] = ["
    CREATE TABLE stack (
        id INTEGER PRIMARY KEY,
        hash INTEGER NOT NULL,      -- of its frames
        frames TEXT NOT NULL        -- a line a function, innermost first; an empty one is unknown
    );
    CREATE INDEX stack_hash ON stack (hash);
    CREATE TABLE pair (             -- which stacks have these two functions next to each other
        hash INTEGER NOT NULL,
        stack INTEGER NOT NULL,
        PRIMARY KEY (hash, stack)
    ) WITHOUT ROWID;
    CREATE TABLE record (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        digest INTEGER NOT NULL UNIQUE,
        at INTEGER NOT NULL,        -- seconds since 1970, UTC
        fingerprint TEXT,
        because TEXT NOT NULL,
        stack INTEGER NOT NULL REFERENCES stack (id),
        notes TEXT NOT NULL         -- a line an id, best first
    );
    CREATE INDEX record_fingerprint ON record (fingerprint, at);
    CREATE INDEX record_stack ON record (stack);
    CREATE TABLE person_note (
        fingerprint TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
"];

/// The version of a file that all steps were made on.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Makes a connection ready for use; waits so long for others. Where there is a log, it may hold what the
/// file itself lacks.
pub(super) fn prepare(
    connection: &mut Connection,
    path: &Path,
    has_log: bool,
    wait: Duration,
) -> Result<(), Error> {
    let failed = |error| Error::of(error, path);
    connection.busy_timeout(wait).map_err(failed)?;
    let read = connection.transaction().map_err(failed)?;
    check(&read, path)?;
    if !has_log {
        refuse_cut(&read, path)?;
    }
    read.finish().map_err(failed)?;
    write_ahead(connection, wait).map_err(failed)?;
    // Each commit is on the disk when it returns; deleted text is overwritten.
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    // At most, in KiB: a large import would otherwise write its pages to the log many times.
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(failed)?;
    if version(connection).map_err(failed)? < VERSION {
        migrate(connection, path)?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// A file that is not ours, or of a version that is not known yet, is not touched. Within one transaction:
/// another process may be making it.
fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |error| Error::of(error, path);
    let version = version(connection).map_err(failed)?;
    let query = |row: &rusqlite::Row<'_>| row.get(0);
    let application: i64 =
        connection.pragma_query_value(None, "application_id", query).map_err(failed)?;
    let pages: i64 = connection.pragma_query_value(None, "page_count", query).map_err(failed)?;
    let is_new = pages == 0 || application == 0 && version == 0 && !has_tables(connection, path)?;
    if !is_new && application != APPLICATION {
        return Err(Error::NotOurs { path: path.to_owned() });
    }
    if version > VERSION {
        return Err(Error::Newer { path: path.to_owned(), version, known: VERSION });
    }
    Ok(())
}

fn has_tables(connection: &Connection, path: &Path) -> Result<bool, Error> {
    let count = "SELECT count(*) FROM sqlite_schema";
    let count: rusqlite::Result<i64> = connection.query_row(count, [], |row| row.get(0));
    count.map(|count| count > 0).map_err(|error| Error::of(error, path))
}

/// SQLite takes a file that is shorter than a page for an empty one, and a last page that is cut for one
/// with zeros in it: it would write over what is left.
/// (<https://sqlite.org/fileformat.html#the_database_header>)
fn refuse_cut(read: &Connection, path: &Path) -> Result<(), Error> {
    let page = read.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0));
    let page = page.map_err(|error| Error::of(error, path))?;
    // Not before what a journal holds was played back, which the transaction has done.
    let length =
        path.metadata().map_err(|error| Error::Unusable { path: path.to_owned(), error })?;
    if length.len().is_multiple_of(u64::from(page)) {
        return Ok(());
    }
    Err(Error::Damaged { path: path.to_owned(), why: "its end is missing".to_owned() })
}

/// Changes to write-ahead logging, which the file remembers. SQLite does not wait for others here:
/// it is asked again.
fn write_ahead(connection: &Connection, wait: Duration) -> rusqlite::Result<()> {
    let query = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let until = Instant::now() + wait;
    loop {
        let mode = connection.pragma_query_value(None, "journal_mode", query);
        if mode.as_deref() == Ok("wal") {
            return Ok(());
        }
        let changed = mode
            .and_then(|_| connection.pragma_update_and_check(None, "journal_mode", "WAL", query));
        match changed {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            // A file system without shared memory keeps another mode, which is slower and as safe.
            changed => return changed.map(|_| ()),
        }
    }
}

/// All steps that are missing, as one: another process that does the same is waited for.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let migrated = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = usize::try_from(version(&transaction)?).unwrap_or(0);
        for step in STEPS.iter().skip(done) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    })();
    migrated.map_err(|error| Error::of(error, path))
}
