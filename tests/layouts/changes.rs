//! What has changed in a type, as far as its members are looked behind: within bounds, and stopped when asked.

use dbgmate::job::{Job, Limits, Stopped};
use dbgmate::types::{Change, Ground, Layout, Reach, diff};

use super::toolchain::{Compiled, GCC};

/// Two builds, and a struct `s` of theirs.
struct Builds {
    files: [Compiled; 2],
    layouts: [Layout; 2],
}

impl Builds {
    /// Of a source with and without a macro `NEW`.
    fn of(source: &str) -> Builds {
        let files = ["", "#define NEW\n"]
            .map(|define| GCC.compile(&format!("{define}{source} struct s z;")).unwrap());
        let layouts = files.each_ref().map(|file| file.layout("s"));
        Builds { files, layouts }
    }

    fn changes(&self, job: &Job, reach: Reach) -> Result<Vec<Change>, Stopped> {
        let [old, new] = self.files.each_ref().map(|file| Ground::new(job, file.opened(), 1));
        let (old, new) = (old?, new?);
        diff(&self.layouts[0], &self.layouts[1], reach, Some([&old.behind(), &new.behind()]))
    }

    fn paths(&self, job: &Job, reach: Reach) -> Vec<String> {
        self.changes(job, reach).unwrap().into_iter().map(|change| change.path).collect()
    }
}

/// A job whose questions may read so many DIEs.
fn reading(dies: usize) -> Job {
    Job::new().with_limits(Limits { dies, ..Limits::default() })
}

fn members(count: usize) -> String {
    (0..count).map(|number| format!("int m{number};")).collect()
}

/// A type that many members have is read once: with the DIEs that once takes, the last is still compared.
#[test]
fn a_struct_that_many_arrays_consist_of_is_read_once() {
    let many: String = (0..50).map(|number| format!("struct big q{number}[2];")).collect();
    let source = format!(
        "struct big {{ {} }};
        #ifdef NEW
        struct last {{ short b, a; }};
        #else
        struct last {{ short a, b; }};
        #endif
        struct s {{ {many} struct last last[2]; }};",
        members(1000)
    );
    assert_eq!(Builds::of(&source).paths(&reading(5000), Reach::Whole), ["last[].b", "last[].a"]);
}

#[test]
fn who_asks_for_a_comparison_may_stop_it() {
    let builds = Builds::of("struct s { struct { int a; } in[2]; };");
    let job = Job::new();
    let [old, new] =
        builds.files.each_ref().map(|file| Ground::new(&job, file.opened(), 1).unwrap());
    let behind = [&old.behind(), &new.behind()];
    let [before, after] = &builds.layouts;
    assert_eq!(diff(before, after, Reach::Own, Some(behind)), Ok(Vec::new()));
    job.cancel_handle().cancel();
    assert_eq!(diff(before, after, Reach::Own, Some(behind)), Err(Stopped::Cancelled));
}

fn notes(changes: Vec<Change>) -> Vec<(String, Option<String>)> {
    changes.into_iter().map(|change| (change.path, change.why)).collect()
}

#[test]
fn what_is_nested_too_deep_to_be_compared_is_said() {
    let (open, close): (String, String) =
        ("struct { ".repeat(9), (0..9).rev().map(|level| format!("}} l{level}[1]; ")).collect());
    let (a, b) = ("int a, b; ", "int b, a; ");
    let source = format!(
        "struct s {{
        #ifdef NEW
        {open} {b} {close}
        #else
        {open} {a} {close}
        #endif
        }};"
    );
    let path = "l0[].l1[].l2[].l3[].l4[].l5[].l6[].l7[].l8".to_owned();
    let why = Some("it is nested too deep".to_owned());
    let changes = Builds::of(&source).changes(&Job::new(), Reach::Own).unwrap();
    assert_eq!(notes(changes), [(path, why)]);
}

/// All members of a type together may lead to so much: what is left out then is said once.
#[test]
fn what_is_too_much_to_be_compared_is_said() {
    let inside = members(1000);
    let many: String =
        (0..9).map(|number| format!("struct {{ {inside} }} q{number}[2];")).collect();
    let source = format!("struct s {{ {many} }};");
    let builds = Builds::of(&source);
    assert_eq!(builds.changes(&Job::new(), Reach::Own), Ok(Vec::new()));
    let why = Some("it is too much; what follows was not looked into either".to_owned());
    let changes = builds.changes(&reading(5000), Reach::Own).unwrap();
    assert_eq!(notes(changes), [("q4".to_owned(), why)]);
}
