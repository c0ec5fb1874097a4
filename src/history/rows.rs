//! What is stored, changed and read by its key.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::pairs::{hash, pairs};
use super::record::{digest_in_words, digest_of, in_seconds, in_words};
use super::{Entry, Error, History, Imported, Line, Page, PersonNote, Record, Seen};

/// All that an [`Entry`] is made of.
const ENTRY: &str = "SELECT record.id, digest, record.at, record.fingerprint, because, frames, notes, \
    person_note.text FROM record JOIN stack ON stack.id = record.stack \
    LEFT JOIN person_note ON person_note.fingerprint = record.fingerprint";

impl History {
    /// Stores lines, all or none, and keeps the latest `keep` records. What cannot be a line of a
    /// history is refused before: [`Line::flaw`].
    pub fn store(&mut self, lines: &[Line], keep: u64) -> Result<Imported, Error> {
        let stored = (|| {
            let transaction = begin(&mut self.connection)?;
            let (mut imported, mut new_pairs) = (Imported::default(), Vec::new());
            for line in lines {
                let is_new = match line {
                    Line::Record(record) => add(&transaction, record, &mut new_pairs)?,
                    Line::Note(note) => put(&transaction, note)?,
                };
                *(if is_new { &mut imported.added } else { &mut imported.known }) += 1;
            }
            insert_pairs(&transaction, new_pairs)?;
            let keep = i64::try_from(keep).unwrap_or(i64::MAX);
            let old = "DELETE FROM record WHERE id <= (SELECT max(id) FROM record) - ?1 \
                RETURNING stack";
            delete(&transaction, old, keep)?;
            transaction.commit()?;
            Ok(imported)
        })();
        stored.map_err(|error| self.error(error))
    }

    /// Deletes records; how many there were.
    pub fn delete(&mut self, ids: &[i64]) -> Result<usize, Error> {
        let deleted = (|| {
            let transaction = begin(&mut self.connection)?;
            let mut count = 0;
            for id in ids {
                count +=
                    delete(&transaction, "DELETE FROM record WHERE id = ?1 RETURNING stack", *id)?;
            }
            transaction.commit()?;
            Ok(count)
        })();
        deleted.map_err(|error| self.error(error))
    }

    /// Attaches a person's words to a fingerprint, in the place of earlier ones; empty words take
    /// them away.
    pub fn annotate(&mut self, note: &PersonNote) -> Result<(), Error> {
        let annotated = (|| {
            let transaction = begin(&mut self.connection)?;
            if note.text.is_empty() {
                let delete = "DELETE FROM person_note WHERE fingerprint = ?1";
                transaction.execute(delete, [&note.fingerprint])?;
            } else {
                let replace = "INSERT OR REPLACE INTO person_note VALUES (?1, ?2, ?3)";
                let at = in_seconds(&note.at).unwrap_or_default();
                transaction.execute(replace, params![note.fingerprint, note.text, at])?;
            }
            transaction.commit()
        })();
        annotated.map_err(|error| self.error(error))
    }

    /// The record of this number.
    pub fn get(&self, id: i64) -> Result<Option<Entry>, Error> {
        let sql = format!("{ENTRY} WHERE record.id = ?1");
        let found = self.connection.query_row(&sql, [id], entry).optional();
        found.map_err(|error| self.error(error))
    }

    /// The latest record of a fingerprint, other than that of this number.
    pub fn latest(&self, fingerprint: &str, except: Option<i64>) -> Result<Option<Entry>, Error> {
        let sql = format!(
            "{ENTRY} WHERE record.fingerprint = ?1 AND record.id IS NOT ?2 \
             ORDER BY record.at DESC, record.id DESC LIMIT 1"
        );
        let found = self.connection.query_row(&sql, params![fingerprint, except], entry).optional();
        found.map_err(|error| self.error(error))
    }

    /// So many records, the latest first, from before the one of this number on.
    pub fn list(&self, before: Option<i64>, limit: usize) -> Result<Page, Error> {
        let sql = format!("{ENTRY} WHERE record.id < ?1 ORDER BY record.id DESC LIMIT ?2");
        self.page(&sql, before.unwrap_or(i64::MAX), limit)
    }

    /// So many records in the order in which they were stored, from after the one of this number on.
    pub fn in_order(&self, after: Option<i64>, limit: usize) -> Result<Page, Error> {
        let sql = format!("{ENTRY} WHERE record.id > ?1 ORDER BY record.id LIMIT ?2");
        self.page(&sql, after.unwrap_or(i64::MIN), limit)
    }

    fn page(&self, sql: &str, from: i64, limit: usize) -> Result<Page, Error> {
        let read = (|| {
            let mut statement = self.connection.prepare(sql)?;
            let one_more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
            statement.query_map(params![from, one_more], entry)?.collect::<Result<Vec<Entry>, _>>()
        })();
        let mut entries = read.map_err(|error| self.error(error))?;
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().map(|entry| entry.id).filter(|_| has_more);
        Ok(Page { entries, next })
    }

    /// All that persons noted down.
    pub fn person_notes(&self) -> Result<Vec<PersonNote>, Error> {
        let read = (|| {
            let sql = "SELECT fingerprint, text, at FROM person_note ORDER BY fingerprint";
            let mut statement = self.connection.prepare(sql)?;
            let note = |row: &Row<'_>| {
                let (fingerprint, text) = (row.get(0)?, row.get(1)?);
                Ok(PersonNote { fingerprint, text, at: in_words(row.get(2)?) })
            };
            statement.query_map([], note)?.collect::<Result<_, _>>()
        })();
        read.map_err(|error| self.error(error))
    }

    /// How often a fingerprint was seen in pastes other than that of this digest; none where
    /// neither that nor a note is known of it.
    pub fn seen(&self, fingerprint: &str, digest: &str) -> Result<Option<Seen>, Error> {
        let seen = (|| {
            let sql = "SELECT count(*), min(at), max(at) FROM record \
                WHERE fingerprint = ?1 AND digest IS NOT ?2";
            let this = digest_of(digest);
            let time = |seconds: Option<i64>| seconds.map(in_words);
            let (times, first, last) =
                self.connection.query_row(sql, params![fingerprint, this], |row| {
                    Ok((row.get::<_, i64>(0)?, time(row.get(1)?), time(row.get(2)?)))
                })?;
            let sql = "SELECT id FROM record WHERE fingerprint = ?1 AND digest IS NOT ?2 \
                ORDER BY at DESC LIMIT 1";
            let last_id =
                self.connection.query_row(sql, params![fingerprint, this], |row| row.get(0));
            let sql = "SELECT text FROM person_note WHERE fingerprint = ?1";
            let note =
                self.connection.query_row(sql, [fingerprint], |row| row.get(0)).optional()?;
            let (times, last_id) = (times.cast_unsigned(), last_id.optional()?);
            Ok(Seen { times, first, last, last_id, note })
        })();
        let seen = seen.map_err(|error| self.error(error))?;
        Ok(Some(seen).filter(|seen| seen.times > 0 || seen.note.is_some()))
    }
}

impl Line {
    /// Why this cannot be a line of a history, if so.
    pub fn flaw(&self) -> Option<&'static str> {
        let (at, fingerprint) = match self {
            Line::Record(record) => {
                if digest_of(&record.digest).is_none() {
                    return Some("`digest` is not a number such as 0x0123456789abcdef");
                }
                let names = record.frames.iter().chain(&record.notes);
                if names.into_iter().any(|name| name.contains('\n')) {
                    return Some("a name in `frames` or `notes` has a line break");
                }
                (&record.at, record.fingerprint.as_deref())
            }
            Line::Note(note) => (&note.at, Some(note.fingerprint.as_str())),
        };
        if in_seconds(at).is_none() {
            return Some("`at` is not a time such as 2026-01-31T12:00:00Z");
        }
        fingerprint
            .is_some_and(|text| !is_fingerprint(text))
            .then_some("`fingerprint` is not one such as v1-0123456789abcdef")
    }
}

/// A version and what it makes of a crash, as `v1-0123456789abcdef`; what later versions make is not known.
fn is_fingerprint(text: &str) -> bool {
    let parts = text.strip_prefix('v').and_then(|text| text.split_once('-'));
    parts.is_some_and(|(version, made)| version.parse::<u32>().is_ok() && !made.is_empty())
}

/// A transaction that writes: it waits for others at its start, where nothing can be lost.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// A pair of functions, and a stack that has it.
type PairOf = (i64, i64);

/// Stores a record unless its paste has one; the pairs of a stack that is new are still to be stored.
fn add(
    connection: &Connection,
    record: &Record,
    new_pairs: &mut Vec<PairOf>,
) -> rusqlite::Result<bool> {
    let digest = digest_of(&record.digest).unwrap_or_default();
    let known = "SELECT 1 FROM record WHERE digest = ?1";
    if connection.prepare(known)?.exists([digest])? {
        return Ok(false);
    }
    let stack = stack(connection, &record.frames, new_pairs)?;
    let at = in_seconds(&record.at).unwrap_or_default();
    let notes = record.notes.join("\n");
    connection.execute(
        "INSERT INTO record (digest, at, fingerprint, because, stack, notes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![digest, at, record.fingerprint, record.because, stack, notes],
    )?;
    Ok(true)
}

/// The number of the stack with these functions, which is stored once.
fn stack(
    connection: &Connection,
    frames: &[String],
    new_pairs: &mut Vec<PairOf>,
) -> rusqlite::Result<i64> {
    let text = frames.join("\n");
    let hash = hash(&[&text]);
    let known = "SELECT id FROM stack WHERE hash = ?1 AND frames = ?2";
    let known = connection.query_row(known, params![hash, text], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection.execute("INSERT INTO stack (hash, frames) VALUES (?1, ?2)", params![hash, text])?;
    let id = connection.last_insert_rowid();
    let found = pairs(frames.iter().map(String::as_str));
    new_pairs.extend(found.into_iter().map(|pair| (pair, id)));
    Ok(id)
}

/// In the order of their table: hashes go to any page of it, and an import would write most pages
/// again and again.
fn insert_pairs(connection: &Connection, mut new: Vec<PairOf>) -> rusqlite::Result<()> {
    new.sort_unstable();
    let mut insert = connection.prepare("INSERT INTO pair (hash, stack) VALUES (?1, ?2)")?;
    new.into_iter().try_for_each(|(pair, stack)| insert.execute([pair, stack]).map(|_| ()))
}

/// Deletes records, and the stacks that no other has; how many records there were.
fn delete(connection: &Connection, sql: &str, parameter: i64) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare(sql)?;
    let stacks = statement.query_map([parameter], |row| row.get(0))?;
    let stacks: Vec<i64> = stacks.collect::<Result<_, _>>()?;
    for stack in &stacks {
        let used = "SELECT 1 FROM record WHERE stack = ?1";
        if connection.prepare(used)?.exists([stack])? {
            continue;
        }
        let frames = "DELETE FROM stack WHERE id = ?1 RETURNING frames";
        let frames: Option<String> =
            connection.query_row(frames, [stack], |row| row.get(0)).optional()?;
        for pair in pairs(frames.unwrap_or_default().split('\n')) {
            connection
                .execute("DELETE FROM pair WHERE hash = ?1 AND stack = ?2", [pair, *stack])?;
        }
    }
    Ok(stacks.len())
}

/// Stores a note unless there is one that is not older.
fn put(connection: &Connection, note: &PersonNote) -> rusqlite::Result<bool> {
    let changed = connection.execute(
        "INSERT INTO person_note VALUES (?1, ?2, ?3) ON CONFLICT (fingerprint) \
         DO UPDATE SET text = excluded.text, at = excluded.at WHERE excluded.at > at",
        params![note.fingerprint, note.text, in_seconds(&note.at).unwrap_or_default()],
    )?;
    Ok(changed > 0)
}

/// An entry of a row of [`ENTRY`].
fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let lines = |text: String| -> Vec<String> {
        if text.is_empty() { Vec::new() } else { text.split('\n').map(str::to_owned).collect() }
    };
    let record = Record {
        digest: digest_in_words(row.get(1)?),
        at: in_words(row.get(2)?),
        fingerprint: row.get(3)?,
        because: row.get(4)?,
        frames: lines(row.get(5)?),
        notes: lines(row.get(6)?),
    };
    Ok(Entry { id: row.get(0)?, record, note: row.get(7)? })
}
