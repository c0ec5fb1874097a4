//! `dbgmate notes`, and what docs/notes.md says of writing one.

#![allow(clippy::unwrap_used)] // a helper of tests that unwraps is a test that unwraps

mod home;

use std::fs;

use home::Home;

/// The blocks of the page's section on writing a note, each with the word behind its fence.
fn blocks() -> Vec<(String, String)> {
    let page = include_str!("../docs/notes.md");
    let section = page.split("\n## Writing one\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let fenced = section.split("```").skip(1).step_by(2);
    fenced
        .map(|block| {
            let (word, text) = block.split_once('\n').unwrap();
            (word.to_owned(), text.to_owned())
        })
        .collect()
}

/// A block of commands: the arguments of the one command in it, and what it prints.
fn session(block: &str) -> (Vec<String>, String) {
    let (command, printed) = block.split_once('\n').unwrap();
    let words = command.strip_prefix("$ dbgmate ").unwrap().split(' ').map(str::to_owned);
    (words.collect(), printed.to_owned())
}

#[test]
fn the_page_is_what_happens() {
    let blocks = blocks();
    let words: Vec<&str> = blocks.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["text", "console", "toml", "console"]);
    let home = Home::new();
    home.write("crash.txt", &blocks[0].1);
    let plugins = home.path().join("dbgmate/plugins");
    let run = |block: &str| {
        let (arguments, printed) = session(block);
        let folder = plugins.to_str().unwrap();
        let place = "~/.config/dbgmate/plugins";
        let arguments: Vec<String> =
            arguments.iter().map(|argument| argument.replace(place, folder)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = home.run(&arguments);
        assert_eq!(run.status, 0, "{run:?}");
        assert_eq!((run.stdout.clone() + &run.stderr).replace(folder, place), printed);
    };
    run(&blocks[1].1);
    let begun = home.run(&["triage", "crash.txt", "--daemon", "never"]);
    assert!(begun.stdout.starts_with("THIS IS IT  mine/queue-empty: "), "{begun:?}");
    let checked = home.run(&["notes", "check"]);
    assert!(checked.status == 0 && checked.stdout.contains("errors: 0; remarks: 1"), "{checked:?}");
    home.write("dbgmate/plugins/mine/notes/queue-empty.toml", &blocks[2].1);
    run(&blocks[3].1);
    let told = home.run(&["triage", "crash.txt", "--daemon", "never"]).stdout;
    for part in ["Two workers are woken", "the paste has it: 0, which confirms it", "worker 2"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn nothing_is_written_over() {
    let home = Home::new();
    home.write("crash.txt", &blocks()[0].1);
    let arguments = ["notes", "new", "crash.txt", "--into", "plugins"];
    assert_eq!(home.run(&arguments).status, 0);
    let note = home.write("plugins/mine/notes/crash.toml", "mine");
    let run = home.run(&arguments);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stderr.contains("choose another --name"), "{run:?}");
    assert_eq!(fs::read_to_string(note).unwrap(), "mine");
}

#[test]
fn the_exit_status_says_whether_something_has_to_be_mended() {
    let home = Home::new();
    let status = |arguments: &[&str]| home.run(arguments).status;
    assert_eq!(status(&["notes", "check"]), 0, "there are none");
    assert_eq!(status(&["notes", "check", "nowhere"]), 1);
    assert_eq!(status(&["notes", "new", "/dev/null"]), 1);
    assert_eq!(status(&["notes", "new", "/dev/null", "--name", "../x"]), 2);
    assert_eq!(status(&["notes", "show", "libxl/nothing"]), 1);
    assert_eq!(status(&["notes"]), 2);
    home.write("dbgmate/plugins/mine/plugin.toml", "name = \"mine\"\nbinaries = []\n");
    home.write("dbgmate/plugins/mine/notes/a.toml", "schema = 1\nknid = 2\n");
    let run = home.run(&["notes", "check"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stdout.contains("mine/notes/a.toml:2: error: unknown field `knid`"), "{run:?}");
    let json = home.run(&["notes", "check", "--json"]);
    let checked: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.status, &checked["findings"][0]["line"]), (1, &2.into()));
}

#[test]
fn what_is_known_is_listed_and_shown() {
    let home = Home::new();
    let listed = home.run(&["notes", "list"]).stdout;
    assert!(listed.contains("libxl/fd-deregister-race ") && listed.contains("(race)"), "{listed}");
    let shown = home.run(&["notes", "show", "libxl/fd-deregister-race"]);
    let written = include_str!("../plugins/libxl/notes/fd-deregister-race.toml");
    assert_eq!((shown.status, shown.stdout.as_str()), (0, written));
    let own = written.replace("A late fd callback", "A callback");
    home.write("dbgmate/plugins/libxl/notes/fd-deregister-race.toml", &own);
    assert_eq!(home.run(&["notes", "show", "libxl/fd-deregister-race"]).stdout, own);
    let listed = home.run(&["notes", "list", "--json"]).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let own = listed["notes"].as_array().unwrap().iter();
    assert_eq!(own.filter(|note| note.get("file").is_some()).count(), 1);
}

#[test]
fn the_daemon_says_the_same_of_notes() {
    let home = Home::new();
    home.write("dbgmate/plugins/mine/plugin.toml", "name = \"mine\"\nbinaries = []\n");
    home.write("dbgmate/plugins/mine/notes/bad.toml", "schema = 1\nknid = 2\n");
    home.write("dbgmate/plugins/libxl/notes/mine.toml", TWO_EXAMPLES);
    let _daemon = home.serve();
    let commands: [&[&str]; 5] = [
        &["notes", "list", "--json"],
        &["notes", "show", "libxl/mine", "--json"],
        &["notes", "show", "libxl/nothing"],
        &["notes", "check", "--json"],
        &["notes", "check", "dbgmate/plugins/libxl", "--json"],
    ];
    for command in commands {
        let by = |who: &str| {
            let run = home.run(&[&["--daemon", who], command].concat());
            (run.status, run.stdout, run.stderr)
        };
        let asked = by("require");
        assert_eq!(asked, by("never"), "{command:?}");
        assert!(!asked.1.is_empty() || asked.2.contains("no note libxl/nothing"), "{asked:?}");
    }
    // What is not used is said, with its line, and the others are listed all the same.
    let listed = home.run(&["notes", "list"]);
    assert!(listed.stderr.contains("not used: ") && listed.stderr.contains("bad.toml:2: "));
    assert!(listed.stdout.contains("libxl/mine ") && listed.stdout.contains("your own"));
}

/// A note with an example that is not there and one outside its plugin.
const TWO_EXAMPLES: &str = r#"schema = 1
id = "libxl/mine"
title = "It crashes"
kind = "bug"
cause = { confidence = "inferred", text = "Nobody knows." }
source = [{ what = "the code" }]
match = [{ rank = "match", all = [{ assertion = "left > 0", function = "work" }] }]
example = [{ file = "a.txt", rank = "match" }, { file = "../../../etc/passwd", rank = "match" }]
"#;

#[test]
fn a_plugin_that_changes_shows_in_the_daemons_next_answer() {
    let home = Home::new();
    let _daemon = home.serve();
    let crash = "mine: m.c:7: work: Assertion `left > 0' failed.\n";
    let ask = || home.feed(&["--daemon", "require", "triage"], crash.as_bytes());
    assert_eq!(ask().status, 1, "{:?}", ask());
    let note = |title: &str| {
        format!(
            "schema = 1\nid = \"mine/work\"\ntitle = \"{title}\"\nkind = \"bug\"\n\
             cause = {{ confidence = \"code\", text = \"It does.\" }}\nsource = [{{ what = \"m.c\" }}]\n\
             match = [{{ rank = \"match\", all = [{{ assertion = \"left > 0\", function = \"work\" }}] }}]\n"
        )
    };
    home.write("dbgmate/plugins/mine/plugin.toml", "name = \"mine\"\nbinaries = [\"mine\"]\n");
    for title in ["Work without input", "Work with nothing left"] {
        home.write("dbgmate/plugins/mine/notes/work.toml", note(title));
        let run = ask();
        assert!(run.stdout.contains(&format!("mine/work: {title}\n")), "{run:?}");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{run:?}");
    }
    fs::remove_dir_all(home.path().join("dbgmate/plugins")).unwrap();
    assert_eq!(ask().status, 1, "{:?}", ask());
}

/// A note on an assertion of this function, with this beside it in its signature.
fn note_on(id: &str, function: &str, more: &str) -> String {
    format!(
        "schema = 1\nid = \"{id}\"\ntitle = \"{function} has nothing left\"\nkind = \"bug\"\n\
         cause = {{ confidence = \"code\", text = \"It does.\" }}\nsource = [{{ what = \"m.c\" }}]\n\
         match = [{{ rank = \"match\", all = [{{ assertion = \"left > 0\", function = \"{function}\" }}{more}] }}]\n"
    )
}

#[test]
fn notes_that_cannot_be_used_are_named_and_the_others_work() {
    let home = Home::configured("plugins = [\"first\", \"second\"]\n");
    for folder in ["first", "second"] {
        home.write(
            &format!("dbgmate/{folder}/mine/plugin.toml"),
            "name = \"mine\"\nbinaries = []\n",
        );
    }
    let write = |name: &str, more: &str| {
        let id = format!("mine/{name}");
        home.write(&format!("dbgmate/first/mine/notes/{name}.toml"), note_on(&id, name, more));
    };
    write("good", "");
    write("bad-pattern", ", { log = 'ab(' }");
    write("large-pattern", ", { log = '(a{1,1000}){1,1000}' }");
    write("slow-pattern", ", { log = '^(a+)+$' }");
    home.write("dbgmate/first/mine/notes/typo.toml", "schema = 1\nknid = \"bug\"\n");
    write("twice", "");
    home.write("dbgmate/second/mine/notes/twice.toml", note_on("mine/twice", "twice", ""));
    // What would take a pattern that goes back and tries again longer than the world stands.
    let slow = format!("2026-01-31 12:00:00.000+0000: 7: error : f:1 : {}b\n", "a".repeat(5_000));
    let crash =
        |function: &str| format!("{slow}mine: m.c:7: {function}: Assertion `left > 0' failed.\n");
    let _daemon = home.serve();
    for who in ["never", "require"] {
        let triage =
            |function: &str| home.feed(&["--daemon", who, "triage"], crash(function).as_bytes());
        for function in ["good", "twice"] {
            let run = triage(function);
            assert!(run.stdout.starts_with(&format!("THIS IS IT  mine/{function}: ")), "{run:?}");
            assert!(run.stderr.contains("and 1 more; `dbgmate notes check` names all"), "{run:?}");
        }
        assert_eq!(triage("slow-pattern").status, 1);
        let checked = home.run(&["--daemon", who, "notes", "check"]);
        assert_eq!(checked.status, 1, "{checked:?}");
        for said in [
            "first/mine/notes/bad-pattern.toml:7: error: the pattern \"ab(\" cannot be used: unclosed group",
            "first/mine/notes/large-pattern.toml:7: error: the pattern \"(a{1,1000}){1,1000}\" cannot be used",
            "first/mine/notes/typo.toml:2: error: unknown field `knid`",
            "second/mine/notes/twice.toml: error: the note mine/twice is also in ",
        ] {
            assert!(checked.stdout.contains(said), "{said}: {checked:?}");
        }
    }
}

#[test]
fn a_folder_of_plugins_that_vanishes_is_named_and_the_rest_works() {
    let home = Home::configured("plugins = [\"mine\"]\n");
    home.write("dbgmate/mine/mine/plugin.toml", "name = \"mine\"\nbinaries = []\n");
    home.write("dbgmate/mine/mine/notes/work.toml", note_on("mine/work", "work", ""));
    let _daemon = home.serve();
    let shipped = include_bytes!("traces/fd-deregister-race.txt");
    let crash = b"mine: m.c:7: work: Assertion `left > 0' failed.\n";
    let triage = |paste: &[u8]| home.feed(&["--daemon", "require", "triage"], paste);
    assert!(triage(crash).stdout.starts_with("THIS IS IT  mine/work: "), "{:?}", triage(crash));
    let (there, away) = (home.path().join("dbgmate/mine"), home.path().join("away"));
    fs::rename(&there, &away).unwrap();
    let gone = triage(crash);
    let said =
        format!("not used: {}: there is no such folder of plugins; put it back", there.display());
    assert!(gone.status == 1 && gone.stderr.contains(&said), "{gone:?}");
    let other = triage(shipped);
    assert!(other.stdout.starts_with("THIS IS IT  libxl/fd-deregister-race: "), "{other:?}");
    let checked = home.run(&["notes", "check"]);
    assert!(
        checked.status == 1 && checked.stdout.contains("there is no such folder"),
        "{checked:?}"
    );
    fs::rename(&away, &there).unwrap();
    let back = triage(crash);
    assert_eq!((back.status, back.stderr.as_str()), (0, ""), "{back:?}");
}
