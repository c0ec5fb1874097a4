//! What a paste tells of releases, and what that does to a note.

use std::fs;
use std::path::Path;

use super::*;
use crate::notes::Plugins;
use crate::trace::{Piece, parse};

fn first(text: &str) -> MatchedNote {
    let job = Job::new();
    let trace = parse(&job, &[Piece::unnamed(text)]).unwrap();
    let (plugins, problems) = Plugins::load(&[]);
    assert_eq!(problems, []);
    report(&job, trace, plugins.notes()).unwrap().notes.remove(0)
}

fn fd_race() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join("tests/traces/fd-deregister-race.txt")).unwrap()
}

fn told(note: &MatchedNote) -> Vec<(&str, &str, ReleaseVerdict, bool)> {
    let told = note.releases.iter();
    told.map(|one| (one.project.as_str(), one.release.as_str(), one.verdict, one.hint)).collect()
}

const XEN_SERIES: (&str, &str, ReleaseVerdict, bool) = ("xen", "4.2", ReleaseVerdict::Open, false);
const XEN_LINE: (&str, &str, ReleaseVerdict, bool) =
    ("xen", "4.2.0 or 4.2.1", ReleaseVerdict::Affected, true);

#[test]
fn the_library_and_the_line_narrow_the_release() {
    let note = first(&fd_race());
    assert_eq!(told(&note), [XEN_SERIES, XEN_LINE]);
    let lines: Vec<usize> = note.releases.iter().map(|one| one.lines.first).collect();
    assert_eq!(lines, [13, 9]);
    let note = first(&fd_race().replace("1020", "1030"));
    assert_eq!(told(&note), [XEN_SERIES], "a line that no release has tells nothing");
    assert_eq!(note.rank, Rank::Match);
}

#[test]
fn a_release_that_was_mended_takes_the_certainty() {
    for (version, verdict, rank) in [
        ("1.0.0", ReleaseVerdict::Affected, Rank::Match),
        ("0.10.2", ReleaseVerdict::Affected, Rank::Match),
        ("1.0.2", ReleaseVerdict::NotAffected, Rank::Consistent),
        ("9.0.0", ReleaseVerdict::NotAffected, Rank::Consistent),
    ] {
        let log = format!(
            "2012-11-15 03:00:53.748+0000: 4312: info : libvirt version: {version}\n\n{}",
            fd_race()
        );
        let note = first(&log);
        assert!(told(&note).contains(&("libvirt", version, verdict, false)), "{version}");
        assert_eq!(note.rank, rank, "{version}");
    }
}

#[test]
fn sonames_are_read_as_each_project_counts() {
    for (library, project, release) in [
        ("/usr/lib/libvirt.so.0.9000.0", "libvirt", "9.0.0"),
        ("/usr/lib/libvirt.so.0.1002.14", "libvirt", "1.2.14"),
        ("/usr/lib/libvirt.so.0.10.2", "libvirt", "0.10.2"),
        ("/usr/lib64/libxenlight.so.4.17.0", "xen", "4.17"),
        ("/usr/lib64/libxenlight.so.1.0", "xen", "4.1"),
    ] {
        let text = fd_race()
            + "\nFrom                To                  Syms Read   Shared Object Library\n"
            + &format!("0x00007f0000001000  0x00007f0000002000  Yes         {library}\n");
        let note = first(&text);
        let found = told(&note).iter().any(|one| (one.0, one.1) == (project, release));
        assert!(found, "{library}: {:?}", told(&note));
    }
}

#[test]
fn a_build_is_known_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("demo");
    fs::create_dir_all(plugin.join("notes")).unwrap();
    let manifest = "name = \"demo\"\n[[version]]\nproject = \"xen\"\nbuild_id = \"89abcdef0123\"\nrelease = \"4.2.5\"\n";
    fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    assert_eq!(problems, []);
    let (job, text) = (Job::new(), fd_race());
    let mut trace = parse(&job, &[Piece::unnamed(&text)]).unwrap();
    trace.modules.push(crate::trace::Module {
        build_id: Some("89abcdef0123".to_owned()),
        path: "/lib/libxenlight.so".to_owned(),
        bias: None,
        start: None,
        end: None,
        file_offset: None,
        source: crate::trace::ModuleSource::ModuleList,
        lines: Default::default(),
    });
    let note = report(&job, trace, plugins.notes()).unwrap().notes.remove(0);
    assert!(told(&note).contains(&("xen", "4.2.5", ReleaseVerdict::NotAffected, false)));
    assert_eq!(note.rank, Rank::Consistent);
}
