use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Instant;

use super::*;

const WAIT: Duration = Duration::from_millis(200);

fn open(path: &Path) -> History {
    History::open(path, WAIT).unwrap()
}

fn record(number: u64, frames: &[&str]) -> Line {
    Line::Record(Record {
        digest: format!("{number:#018x}"),
        at: format!("2026-01-31T12:{:02}:{:02}Z", number / 60 % 60, number % 60),
        fingerprint: Some(format!("v1-{}", frames.join("."))),
        because: "frames".to_owned(),
        frames: frames.iter().map(|name| (*name).to_owned()).collect(),
        notes: vec!["libxl/x".to_owned()],
    })
}

fn note(text: &str, at: &str) -> PersonNote {
    PersonNote { fingerprint: "v1-a".into(), text: text.into(), at: at.into() }
}

#[test]
fn what_is_stored_is_there_after_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/history.db");
    assert!(History::open_existing(&path, WAIT).unwrap().is_none());
    let lines = [record(1, &["a", "", "c"]), record(2, &["a"])];
    let imported = open(&path).store(&lines, 10).unwrap();
    assert_eq!(imported, Imported { added: 2, known: 0 });
    let history = History::open_existing(&path, WAIT).unwrap().unwrap();
    let page = history.list(None, 10).unwrap();
    assert_eq!(page.next, None);
    let found: Vec<Line> =
        page.entries.into_iter().rev().map(|entry| Line::Record(entry.record)).collect();
    assert_eq!(found, lines);
    for (file, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, mode, "{file:?}");
    }
}

#[test]
fn a_list_comes_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    let lines: Vec<Line> = (0..7).map(|number| record(number, &["a"])).collect();
    history.store(&lines, 100).unwrap();
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let page = history.list(from, 3).unwrap();
        ids.extend(page.entries.iter().map(|entry| entry.id));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(ids, [7, 6, 5, 4, 3, 2, 1]);
    let page = history.in_order(Some(5), 3).unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [6, 7]);
}

#[test]
fn a_paste_counts_once_and_is_not_its_own_precedent() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    let lines = [record(1, &["a"]), record(1, &["a"]), record(9, &["a"]), record(3, &["b"])];
    let imported = history.store(&lines, 10).unwrap();
    assert_eq!(imported, Imported { added: 3, known: 1 });
    let seen = history.seen("v1-a", "0x09").unwrap().unwrap();
    assert_eq!((seen.times, seen.last_id), (1, Some(1)));
    let seen = history.seen("v1-a", "0x77").unwrap().unwrap();
    assert_eq!((seen.times, seen.last_id), (2, Some(2)));
    assert_eq!(seen.first.as_deref(), Some("2026-01-31T12:00:01Z"));
    assert_eq!(seen.last.as_deref(), Some("2026-01-31T12:00:09Z"));
    assert_eq!(history.seen("v1-b", "0x03").unwrap(), None);
}

#[test]
fn a_note_is_kept_and_replaced_by_later_words_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    history.annotate(&note("ours", "2026-01-02T00:00:00Z")).unwrap();
    let older = Line::Note(note("theirs", "2026-01-01T00:00:00Z"));
    assert_eq!(history.store(&[older], 10).unwrap(), Imported { added: 0, known: 1 });
    let seen = history.seen("v1-a", "0x1").unwrap().unwrap();
    assert_eq!((seen.times, seen.note.as_deref()), (0, Some("ours")));
    let later = Line::Note(note("later", "2026-01-03T00:00:00Z"));
    assert_eq!(history.store(&[later], 10).unwrap(), Imported { added: 1, known: 0 });
    assert_eq!(history.person_notes().unwrap()[0].text, "later");
    history.annotate(&note("", "2026-01-04T00:00:00Z")).unwrap();
    assert_eq!(history.seen("v1-a", "0x1").unwrap(), None);
}

/// Every stack and pair belongs to a record.
fn rows(history: &History) -> [i64; 3] {
    ["record", "stack", "pair"].map(|table| {
        let sql = format!("SELECT count(*) FROM {table}");
        history.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    })
}

#[test]
fn what_is_deleted_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    let lines = [record(1, &["a", "b"]), record(2, &["a", "b"]), record(3, &["c"])];
    history.store(&lines, 10).unwrap();
    assert_eq!(rows(&history), [3, 2, 3]);
    assert_eq!(history.delete(&[1, 3, 77]).unwrap(), 2);
    assert_eq!(rows(&history), [1, 1, 2]);
    assert_eq!(history.delete(&[2]).unwrap(), 1);
    assert_eq!(rows(&history), [0, 0, 0]);
    history.store(&lines, 10).unwrap();
    assert_eq!(history.list(None, 1).unwrap().entries[0].id, 6, "a number is not used again");
}

#[test]
fn the_oldest_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    for number in 0..20 {
        history.store(&[record(number, &[&format!("f{number}")])], 5).unwrap();
    }
    assert_eq!(rows(&history), [5, 5, 5]);
    assert_eq!(history.list(None, 9).unwrap().entries.last().unwrap().id, 16);
}

#[test]
fn the_most_alike_come_first_and_the_unlike_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    let lines = [
        record(1, &["x", "y", "z"]),
        record(2, &["a", "b", "c", "other"]),
        record(3, &["a", "b", "c", "d"]),
        record(4, &["inlined", "a", "b", "c", "d"]),
        record(5, &["", "", ""]),
    ];
    history.store(&lines, 10).unwrap();
    let asked = ["a", "b", "c", "d"].map(str::to_owned);
    let found = history.similar(None, &asked, None, 10).unwrap();
    assert_eq!(found.iter().map(|one| one.entry.id).collect::<Vec<_>>(), [3, 4, 2]);
    assert!((found[0].similarity - 1.0).abs() < 1e-12);
    assert_eq!(history.similar(None, &asked, None, 1).unwrap().len(), 1);
    assert!(history.similar(None, &[String::new()], None, 9).unwrap().is_empty());
    // A fingerprint counts more than the stack.
    let found = history.similar(Some("v1-x.y.z"), &asked, None, 10).unwrap();
    assert_eq!(found.iter().map(|one| one.entry.id).collect::<Vec<_>>(), [1, 3, 4, 2]);
    assert!(found[0].same_fingerprint && !found[1].same_fingerprint);
}

#[test]
fn what_is_like_a_record_are_the_others_of_its_stack_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    let lines = [1, 2, 3].map(|number| record(number, &["a", "b"]));
    history.store(&lines, 10).unwrap();
    let asked = ["a", "b"].map(str::to_owned);
    let found = |except| {
        let found = history.similar(Some("v1-a.b"), &asked, except, 10).unwrap();
        found.iter().map(|one| (one.entry.id, one.times)).collect::<Vec<_>>()
    };
    assert_eq!(found(None), [(3, 3)]);
    assert_eq!(found(Some(3)), [(2, 2)]);
    assert_eq!(found(Some(1)), [(3, 2)]);
    history.delete(&[1, 2]).unwrap();
    assert_eq!(found_in(&history, &asked, Some(3)), []);
}

fn found_in(history: &History, asked: &[String], except: Option<i64>) -> Vec<Similar> {
    history.similar(Some("v1-a.b"), asked, except, 10).unwrap()
}

#[test]
fn a_line_that_cannot_be_one_is_refused() {
    let Line::Record(good) = record(1, &["a"]) else { unreachable!() };
    assert_eq!(Line::Record(good.clone()).flaw(), None);
    for bad in [
        Record { digest: "7".into(), ..good.clone() },
        Record { at: "yesterday".into(), ..good.clone() },
        Record { fingerprint: Some("1".into()), ..good.clone() },
        Record { fingerprint: Some("v9".into()), ..good.clone() },
        Record { fingerprint: Some("vx-1".into()), ..good.clone() },
        Record { frames: vec!["a\nb".into()], ..good },
    ] {
        assert!(Line::Record(bad.clone()).flaw().is_some(), "{bad:?}");
    }
}

fn opened(path: &Path) -> Error {
    History::open(path, WAIT).unwrap_err()
}

#[test]
fn a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    let history = open(&path);
    history.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(history);
    let error = opened(&path);
    assert!(matches!(error, Error::Newer { version: 99, known: 1, .. }), "{error:?}");
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(opened(&path), Error::NotOurs { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_cut_or_overwritten_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    let mut history = open(&path);
    let lines: Vec<Line> =
        (0..500).map(|number| record(number, &[&format!("f{number}")])).collect();
    history.store(&lines, 1000).unwrap();
    drop(history);
    let whole = fs::read(&path).unwrap();
    let use_all = || -> Result<(), Error> {
        let mut history = History::open(&path, WAIT)?;
        history.list(None, 1000)?;
        history.similar(None, &["f7".to_owned()], None, 5)?;
        history.store(&[record(7777, &["g"])], 1000).map(|_| ())
    };
    for length in [1, 50, 99, 100, 1000, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = use_all().unwrap_err();
        assert!(
            matches!(error, Error::Damaged { .. } | Error::Failed { .. }),
            "{length}: {error:?}"
        );
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("h{suffix}")));
        }
    }
    fs::write(&path, "no database at all, but text\n".repeat(100)).unwrap();
    assert!(matches!(use_all().unwrap_err(), Error::Damaged { .. }));
    // Any byte overwritten: an answer or an error, nothing else.
    for at in (0..whole.len()).step_by(997) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&path, &bytes).unwrap();
        let _ = use_all();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("h{suffix}")));
        }
    }
}

/// Whoever opens a file makes such a log, and one who is killed leaves it.
#[test]
fn a_log_that_holds_nothing_hides_no_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    open(&path).store(&[record(1, &["a"])], 10).unwrap();
    let whole = fs::read(&path).unwrap();
    let cut = &whole[..whole.len() - 700];
    for log in [0, 32] {
        fs::write(&path, cut).unwrap();
        fs::write(folder.path().join("h-wal"), vec![0; log]).unwrap();
        let error = opened(&path);
        assert!(matches!(error, Error::Damaged { .. }), "{log}: {error:?}");
        assert_eq!(fs::read(&path).unwrap(), cut);
    }
}

#[test]
fn a_history_may_be_behind_links() {
    let folder = tempfile::tempdir().unwrap();
    let (path, middle) = (folder.path().join("h"), folder.path().join("m"));
    fs::create_dir(folder.path().join("far")).unwrap();
    symlink("m", &path).unwrap();
    symlink("far/history.db", &middle).unwrap();
    open(&path).store(&[record(1, &["a"])], 10).unwrap();
    let there = folder.path().join("far/history.db");
    assert_eq!(fs::metadata(&there).unwrap().permissions().mode() & 0o777, 0o600);
    // What the log beside the file itself holds is not missing.
    let mut first = open(&path);
    first.store(&[record(2, &["b"])], 10).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["history.db", "history.db-wal"] {
        fs::copy(there.with_file_name(name), copy.path().join(name)).unwrap();
    }
    let file = fs::OpenOptions::new().append(true).open(copy.path().join("history.db")).unwrap();
    file.set_len(file.metadata().unwrap().len() + 100).unwrap();
    let link = copy.path().join("link");
    symlink("history.db", &link).unwrap();
    assert_eq!(open(&link).list(None, 10).unwrap().entries.len(), 2);
}

#[test]
fn a_locked_file_is_waited_for_and_then_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h");
    let mut history = open(&path);
    let other = open(&path);
    other.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let error = history.store(&[record(1, &["a"])], 10).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error:?}");
    assert!(start.elapsed() >= WAIT);
    assert!(history.list(None, 10).unwrap().entries.is_empty(), "who reads waits for nobody");
    other.connection.execute_batch("ROLLBACK").unwrap();
    history.store(&[record(1, &["a"])], 10).unwrap();
}

#[test]
fn without_room_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = open(&folder.path().join("h"));
    history.store(&[record(1, &["a"])], 10_000).unwrap();
    // SQLite answers as it does on a full disk.
    let pages: i64 =
        history.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    history.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let lines: Vec<Line> =
        (2..500).map(|number| record(number, &[&format!("f{number}")])).collect();
    let error = history.store(&lines, 10_000).unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert_eq!(history.list(None, 10).unwrap().entries.len(), 1);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(opened(folder.path()), Error::Unusable { .. }));
    let below = folder.path().join("file");
    fs::write(&below, "").unwrap();
    assert!(matches!(opened(&below.join("h")), Error::Unusable { .. }));
}
