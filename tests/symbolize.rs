//! `dbgmate symbolize` as people meet it: backtraces that a real gdb prints of stripped programs.

#![allow(clippy::unwrap_used)]

mod home;
mod layers;
mod tools;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use dbgmate::api::symbols::{Refusal, Symbolized};
use dbgmate::trace::Certainty;
use home::Home;
use layers::{Layers, parsed, run, shown};

#[test]
fn a_stripped_backtrace_becomes_what_gdb_shows_of_the_whole_program() {
    for flags in [&[][..], &["-no-pie"], &["-fno-plt"], &["-Og"]] {
        let Some(layers) = Layers::built(flags) else { return };
        // Without randomised addresses both are at the same ones.
        let truth = shown(&parsed(&layers.backtrace("whole", &["bt"])));
        let inlined = truth.iter().filter(|(name, _)| name == "once_more").count();
        assert!(truth.len() > 8 && inlined >= 2, "{truth:?}");
        for commands in [&["bt"][..], &["bt -no-filters"], &["where"]] {
            let paste = layers.backtrace("stripped", commands);
            let answer = layers.symbolize("whole", &paste);
            let mut ours = shown(&answer.trace);
            // The frame at the breakpoint has no source line in gdb's list, as nothing was run.
            ours.truncate(truth.len());
            assert_eq!(ours, truth, "{flags:?} {commands:?}\n{paste}");
            assert_eq!(answer.refused, [], "{flags:?}");
        }
    }
}

#[test]
fn a_randomised_address_space_changes_nothing() {
    let Some(layers) = Layers::built(&[]) else { return };
    let truth = shown(&parsed(&layers.backtrace("whole", &["bt"])));
    let commands = ["kill", "set disable-randomization off", "run", "bt"];
    let paste = layers.backtrace("stripped", &commands);
    let answer = layers.symbolize("whole", &paste);
    assert_eq!(shown(&answer.trace), truth, "{paste}");
    let library = answer.modules.iter().find(|module| module.name.is_some()).unwrap();
    // The innermost frame stands before all calls, and nothing says which instruction it is at.
    assert!(library.proved >= 9 && library.certainty == Certainty::Probable, "{library:?}");
}

#[test]
fn another_build_is_refused_and_the_frame_that_proves_it_is_named() {
    let Some(layers) = Layers::built(&[]) else { return };
    fs::create_dir(layers.home.path().join("other")).unwrap();
    layers.build("other", &["-O0"]);
    let paste = layers.backtrace("stripped", &["bt"]);
    // Else the very files that the paste names would do.
    fs::remove_dir_all(layers.home.path().join("stripped")).unwrap();
    let answer = layers.symbolize("other", &paste);
    let library = answer.refused.iter().find(|module| module.name.is_some());
    let library = library.unwrap_or_else(|| panic!("{:?} {:?}", answer.modules, answer.refused));
    assert_eq!(library.why, Refusal::OtherBuild, "{answer:?}");
    assert!(library.tried[0].misfit.is_some(), "{library:?}");
    let run = layers.ask("other", &[], &paste);
    assert!(run.stderr.contains("is from another build than"), "{run:?}");
    assert!(!run.stdout.contains("layers.c:"), "no line may be shown: {run:?}");
}

#[test]
fn of_several_builds_the_one_that_fits_is_taken() {
    let Some(layers) = Layers::built(&[]) else { return };
    fs::create_dir(layers.home.path().join("other")).unwrap();
    layers.build("other", &["-O1"]);
    let paste = layers.backtrace("stripped", &["bt"]);
    let arguments: Vec<String> = ["other", "whole"]
        .into_iter()
        .flat_map(|folder| {
            let library = layers.path(folder, "liblayers.so");
            ["--binary".to_owned(), library.to_str().unwrap().to_owned()]
        })
        .collect();
    let mut all = vec!["symbolize", "--json"];
    all.extend(arguments.iter().map(String::as_str));
    let run = layers.home.feed(&all, paste.as_bytes());
    let answer: Symbolized = serde_json::from_str(&run.stdout).unwrap();
    let placed: Vec<&str> = answer.modules.iter().map(|module| module.path.as_str()).collect();
    assert_eq!(placed, [layers.path("whole", "liblayers.so").to_str().unwrap()], "{run:?}");
}

#[test]
fn a_proved_build_is_taken_before_one_that_only_fits() {
    let Some(layers) = Layers::built(&[]) else { return };
    let paste = layers.backtrace("stripped", &["bt"]);
    let [whole, stripped] = ["whole", "stripped"].map(|one| layers.path(one, "liblayers.so"));
    // Neither says which build it is; the first has no code that could prove it.
    let [data, copy] =
        ["data/liblayers.so", "copy/liblayers.so"].map(|at| layers.home.write(at, ""));
    for (flag, path) in [("--only-keep-debug", &data), ("--strip-debug", &copy)] {
        let remove = ["--remove-section", ".note.gnu.build-id", flag];
        run(Command::new("objcopy").args(remove).args([&whole, path]));
    }
    let asked = |binaries: &[&Path]| -> Symbolized {
        let mut all = vec!["symbolize", "--json"];
        for binary in binaries {
            all.extend(["--binary", binary.to_str().unwrap()]);
        }
        let run = layers.home.feed(&all, paste.as_bytes());
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
    };
    let answer = asked(&[&data, &whole]);
    let placed = answer.modules.iter().find(|module| module.name.is_some());
    let placed = placed.unwrap_or_else(|| panic!("{:?}", answer.refused));
    assert_eq!(placed.path, whole.to_str().unwrap());
    let answer = asked(&[&whole, &stripped, &copy]);
    let refused = answer.refused.iter().find(|module| module.why == Refusal::Ambiguous);
    let tried: Vec<&str> = refused.unwrap().tried.iter().map(|one| one.path.as_str()).collect();
    // Two files of one build are one possibility.
    assert_eq!(tried, [&whole, &copy].map(|path| path.to_str().unwrap()), "{answer:?}");
}

#[test]
fn a_named_debug_file_is_used_by_its_build_id_and_what_is_not_used_is_said() {
    let Some(layers) = Layers::built(&[]) else { return };
    let paste = layers.backtrace("stripped", &["bt"]);
    let [whole, stripped] = ["whole", "stripped"].map(|one| layers.path(one, "liblayers.so"));
    let twin = layers.home.write(".build-id/1f/25cc.debug", "");
    run(Command::new("objcopy").arg("--only-keep-debug").args([&whole, &twin]));
    let other = layers.home.path().join("unrelated.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/symbols/layers.c");
    run(Command::new("gcc").args(["-shared", "-fPIC", "-o"]).args([&other, &source]));
    let truth = shown(&parsed(&layers.backtrace("whole", &["bt"])));
    // Else the files that the paste names would do.
    let library = fs::read(&stripped).unwrap();
    fs::remove_dir_all(layers.home.path().join("stripped")).unwrap();
    let stripped = layers.home.write("elsewhere/liblayers.so", library);
    let [twin, other, stripped] = [&twin, &other, &stripped].map(|path| path.to_str().unwrap());
    let named = ["--binary", stripped, "--binary", twin, "--binary", other];
    let run = layers.home.feed(&[&["symbolize", "--json"], &named[..]].concat(), paste.as_bytes());
    let answer: Symbolized = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown(&answer.trace)[..4], truth[..4], "{answer:#?}");
    let unused: Vec<&str> = answer.unused.iter().map(|binary| binary.path.as_str()).collect();
    assert_eq!(unused, [other]);
    let run = layers.home.feed(&[&["symbolize"], &named[..]].concat(), paste.as_bytes());
    assert!(run.stderr.contains(&format!("{other} is not used: no frame to look up")), "{run:?}");
}

#[test]
fn a_stripped_binary_names_what_it_exports() {
    let Some(layers) = Layers::built(&[]) else { return };
    let paste = layers.backtrace("stripped", &["bt"]);
    let run = layers.ask("stripped", &[], &paste);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains(" in layers_run+0x"), "{run:?}");
    assert!(run.stderr.contains("it has no debug info"), "{run:?}");
}

#[test]
fn addresses_are_looked_up_as_addr2line_takes_them() {
    let Some(layers) = Layers::built(&[]) else { return };
    let library = layers.path("whole", "liblayers.so");
    let library = library.to_str().unwrap();
    let symbols = Command::new("nm").arg(library).output().unwrap().stdout;
    let symbols = String::from_utf8(symbols).unwrap();
    let step = symbols.lines().find(|line| line.ends_with(" t step")).unwrap();
    let address = step.split_whitespace().next().unwrap();
    for (arguments, input) in [(vec![address], ""), (vec![], address), (vec!["-"], address)] {
        let mut all = vec!["symbolize", "--verify", "--binary", library];
        all.extend(arguments);
        let run = layers.home.feed(&all, input.as_bytes());
        assert_eq!(run.status, 0, "{run:?}");
        assert!(run.stdout.contains(" step at ") && run.stdout.contains("/layers.c:2"), "{run:?}");
        assert!(!run.stdout.contains("addr2line says"), "{run:?}");
    }
    let nowhere = layers.home.run(&["symbolize", "--binary", library, "0xffffff"]);
    assert_eq!((nowhere.status, nowhere.stdout.as_str()), (1, "0x0000000000ffffff ??\n"));
    let misspelt = layers.home.run(&["symbolize", "--binary", library, "0x5faf4", "zzz"]);
    assert_eq!(misspelt.status, 2, "{misspelt:?}");
    assert!(misspelt.stderr.contains("`zzz` is no address"), "{misspelt:?}");
    let which = layers.home.run(&["symbolize", "0x1234"]);
    assert_eq!(which.status, 2, "{which:?}");
    assert!(which.stderr.contains("name it with --binary PATH"), "{which:?}");
}

#[test]
fn sources_are_shown_from_configured_folders_only() {
    let Some(layers) = Layers::built(&[]) else { return };
    let paste = layers.backtrace("stripped", &["bt"]);
    let without = layers.ask("whole", &["-C", "1"], &paste);
    assert!(!without.stdout.contains("prepare(depth, callback, opaque);"), "{without:?}");
    assert!(without.stderr.contains("no source is shown: none of the files"), "{without:?}");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    layers.home.write("dbgmate/config.toml", format!("source_roots = [{sources:?}]\n"));
    let with = layers.ask("whole", &["-C", "1"], &paste);
    let line = "    >     44      int result = prepare(depth, callback, opaque);\n";
    assert!(with.stdout.contains(line), "{with:?}");
    assert!(!with.stderr.contains("no source is shown"), "{with:?}");
}

#[test]
fn a_stop_alone_is_looked_up_and_shown() {
    let Some(layers) = Layers::built(&["-no-pie"]) else { return };
    let commands = ["break *callback", "continue"];
    let paste = layers.backtrace("whole", &[&["bt 2"], &commands[..]].concat());
    let address = paste
        .lines()
        .find_map(|line| line.strip_prefix("Breakpoint 2 at ")?.split([':', ' ']).next());
    let address = u64::from_str_radix(address.unwrap().trim_start_matches("0x"), 16).unwrap();
    let stop = format!("Breakpoint 2, {address:#018x} in ?? ()\n(gdb)\n");
    let run = layers.ask("whole", &[], &stop);
    assert_eq!(run.status, 0, "{run:?}");
    let shown = format!("Breakpoint 2\n#0  {address:#018x} in ");
    assert!(run.stdout.starts_with(&shown) && run.stdout.contains("layers_main.c:"), "{run:?}");
    // A backtrace shows it once.
    let run = layers.ask("whole", &[], &format!("{stop}#0  {address:#018x} in ?? ()\n"));
    assert!(run.stdout.starts_with("#0  ") && !run.stdout.contains("Breakpoint"), "{run:?}");
}

#[test]
fn a_paste_of_nothing_known_says_what_is_missing() {
    let home = Home::new();
    let paste = "#0  0x00007f0000001234 in f () from /nowhere/libnowhere.so.1\n#1  0x0000000000401000 in main ()\n";
    let run = home.feed(&["symbolize"], paste.as_bytes());
    assert_eq!(run.status, 1);
    assert!(
        run.stdout.starts_with("#0  0x00007f0000001234 in f () from /nowhere/libnowhere.so.1\n"),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("libnowhere.so.1 (1 frame) is not looked up: no such binary is here"),
        "{run:?}"
    );
}

#[test]
fn a_note_that_names_static_functions_matches_a_stripped_backtrace() {
    if !tools::have(&["gdb", "gcc", "strip"]) {
        return;
    }
    let home = Home::new();
    let whole = tools::racing_libvirtd(home.path(), &[]);
    fs::create_dir(home.path().join("stripped")).unwrap();
    let stripped = home.path().join("stripped/libvirtd");
    run(Command::new("strip").arg("-o").args([&stripped, &whole]));
    let mut gdb = Command::new("gdb");
    // With what the program itself says, which names it.
    gdb.args(["-nx", "-q", "-batch", "-ex", "run 2>&1", "-ex", "bt"]).arg(&stripped);
    let paste = gdb.stdin(Stdio::null()).output().unwrap().stdout;
    let evidence = "libxl_osevent_occurred_fd ← … ← virEventPollRunOnce";
    let without = home.feed(&["triage"], &paste);
    let said = without.stdout.split("would also speak for it").next().unwrap();
    assert!(!said.contains(evidence), "{without:?}");
    let with = home.feed(&["triage", "--binary", whole.to_str().unwrap()], &paste);
    let said = with.stdout.split("would also speak for it").next().unwrap();
    assert!(said.contains(evidence), "{with:?}");
}
