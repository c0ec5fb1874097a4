//! Does the tree keep its own rules? The rules are in ARCHITECTURE.md and CONTRIBUTING.md; each
//! test here holds one of them, and its failure says which file breaks it.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

/// Who may use whom. Each row names only rows above it: data flows one way.
const EDGES: &[(&str, &[&str])] = &[
    ("address", &[]),
    ("job", &[]),
    ("public_name", &[]),
    ("history", &[]),
    ("binary", &["address", "job"]),
    ("dwarf", &["binary", "job"]),
    ("symbols", &["address", "binary", "dwarf", "job", "public_name"]),
    ("types", &["dwarf", "job"]),
    ("error", &["binary", "history", "job", "types"]),
    ("config", &["error"]),
    ("trace", &["address", "job", "public_name"]),
    ("redact", &["address", "trace"]),
    ("notes", &["address", "public_name", "trace"]),
    ("triage", &["history", "job", "notes", "public_name", "trace"]),
    ("authoring", &["job", "notes", "public_name", "trace", "triage"]),
    ("api", &["address", "authoring", "history", "notes", "trace", "triage", "types"]),
    ("render", &["api", "job", "trace", "triage"]),
    (
        "engine",
        &[
            "address",
            "api",
            "authoring",
            "binary",
            "config",
            "dwarf",
            "error",
            "history",
            "job",
            "notes",
            "render",
            "symbols",
            "trace",
            "triage",
            "types",
        ],
    ),
    ("rpc", &["api", "config", "engine", "error", "job"]),
];

/// What a person who has just cloned the project looks for.
const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "clients",
    "deny.toml",
    "docs",
    "plugins",
    "src",
    "tests",
];

/// A file has at most so many lines: beyond, it holds more than one concept.
const MOST_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder of the project, by path.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            // What tools leave behind is not the project's.
            if ["__pycache__", "node_modules", "target"].contains(&name) {
                continue;
            }
            if path.is_dir() { &mut folders } else { &mut found }.push(path);
        }
    }
    assert!(!found.is_empty(), "nothing below {folder}");
    found.sort();
    found
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = files(folder);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

fn page(name: &str) -> String {
    read(&root().join(name))
}

/// The numbered lines of a file that are code: without comments, without its unit tests, which
/// stand last.
fn code(text: &str) -> Vec<(usize, &str)> {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let numbered = product.lines().enumerate().map(|(at, line)| (at + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

/// Files that are compiled into tests only.
fn test_files() -> BTreeSet<PathBuf> {
    let declared = Regex::new(r"#\[cfg\(test\)\]\s*mod (\w+);").unwrap();
    let mut found = BTreeSet::new();
    for path in rust_files("src") {
        for name in declared.captures_iter(&read(&path)) {
            found.insert(path.with_file_name(format!("{}.rs", &name[1])));
        }
    }
    found
}

fn product_files() -> Vec<PathBuf> {
    let tests = test_files();
    rust_files("src").into_iter().filter(|path| !tests.contains(path)).collect()
}

/// Each place in the code of `src` where a pattern stands, outside the paths excepted.
fn in_source(pattern: &str, except: &[&str]) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = Vec::new();
    for path in product_files() {
        let name = shown(&path);
        if except.iter().any(|except| name.starts_with(except)) {
            continue;
        }
        for (number, line) in code(&read(&path)) {
            if pattern.is_match(line) {
                found.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    found
}

fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// The module of `src` that a file belongs to.
fn module_of(path: &Path) -> String {
    let name = shown(path);
    let below = name.strip_prefix("src/").unwrap();
    below.split('/').next().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules that a file names from the root: `crate::a`, `crate::{a, b::c}`.
fn named_modules(text: &str) -> BTreeSet<String> {
    let code: String = code(text).iter().map(|(_, line)| format!("{line}\n")).collect();
    let single = Regex::new(r"\bcrate::(\w+)").unwrap();
    let group = Regex::new(r"\bcrate::\{((?:[^{}]|\{[^{}]*\})*)\}").unwrap();
    let nested = Regex::new(r"\{[^{}]*\}").unwrap();
    let mut named: BTreeSet<String> =
        single.captures_iter(&code).map(|name| name[1].to_owned()).collect();
    for group in group.captures_iter(&code) {
        let flat = nested.replace_all(&group[1], "").into_owned();
        let first = |item: &str| item.split("::").next().unwrap().trim().to_owned();
        named.extend(flat.split(',').map(first).filter(|name| !name.is_empty()));
    }
    named
}

#[test]
fn data_flows_one_way() {
    let modules: BTreeSet<&str> = EDGES.iter().map(|(module, _)| *module).collect();
    let mut actual: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in product_files() {
        let module = module_of(&path);
        if module == "lib" {
            continue;
        }
        let mut named = named_modules(&read(&path));
        named.retain(|name| *name != module && modules.contains(name.as_str()));
        actual.entry(module).or_default().extend(named);
    }
    let mut above = BTreeSet::new();
    for (module, allowed) in EDGES {
        for used in *allowed {
            assert!(
                above.contains(used),
                "the row of {module} names {used}, which is not above it"
            );
        }
        above.insert(*module);
        let used = actual.remove(*module).unwrap_or_else(|| panic!("there is no src/{module}"));
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(used, allowed, "what src/{module} uses (left) is not what its row allows");
    }
    let rowless: Vec<String> = actual.into_keys().collect();
    assert!(rowless.is_empty(), "modules of src without a row: {rowless:?}");
}

/// Otherwise the edges above would not be all.
#[test]
fn other_modules_are_named_from_the_root() {
    let climb = Regex::new(r"^(?:pub(?:\([^)]*\))? )?use ((?:super::)+)").unwrap();
    let mut found = Vec::new();
    for path in product_files() {
        let name = shown(&path);
        let depth = name.matches('/').count() - usize::from(name.ends_with("/mod.rs"));
        for (number, line) in code(&read(&path)) {
            let Some(climbed) = climb.captures(line) else { continue };
            if climbed[1].matches("super").count() >= depth {
                found.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    none(found, "write `crate::…` for what is in another module");
}

#[test]
fn the_library_prints_nothing() {
    none(in_source(r"\b(e?print(ln)?|dbg)!", &[]), "src prints nothing; return text instead");
}

#[test]
fn only_rpc_is_asynchronous() {
    none(in_source(r"\b(tokio|jsonrpsee)\b", &["src/rpc/"]), "tokio and jsonrpsee are rpc's");
    none(in_source(r"\basync (fn|move|\{)", &["src/rpc/"]), "below rpc all code is synchronous");
}

#[test]
fn unsafe_stands_only_where_files_are_mapped() {
    let mapping = ["src/binary/mapping.rs", "src/binary/sigbus.rs"];
    none(in_source(r"\bunsafe\b", &mapping), "`unsafe` belongs where files are mapped");
    for file in mapping {
        assert!(page(file).contains("SAFETY:"), "{file}: `unsafe` without its reason");
    }
    let clients = rust_files("clients").into_iter();
    let block = Regex::new(r"\bunsafe (\{|fn|impl)").unwrap();
    let found = clients.filter(|path| block.is_match(&read(path))).map(|path| shown(&path));
    none(found.collect(), "no `unsafe` outside the library");
}

#[test]
fn a_file_is_one_concept() {
    let code = rust_files("src").into_iter().chain(files("clients")).chain(rust_files("tests"));
    let long = code.filter_map(|path| {
        let lines = read(&path).lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines", shown(&path)))
    });
    none(long.collect(), &format!("at most {MOST_LINES} lines a file; split it by act"));
}

#[test]
fn every_file_says_what_it_is() {
    let code = ["src", "clients", "tests", "benches"].into_iter().flat_map(rust_files);
    let silent = code.filter(|path| {
        let is_fixture = shown(path).starts_with("tests/fixtures/");
        // A unit-test file is named by the module it tests.
        let is_tests = path.file_stem().is_some_and(|stem| stem == "tests");
        !is_fixture && !is_tests && !read(path).starts_with("//! ")
    });
    none(silent.map(|path| shown(&path)).collect(), "open each file with a `//!` line");
}

#[test]
fn nothing_is_left_for_later_and_no_machine_is_named() {
    let wrong = Regex::new(r"\b(TODO|FIXME|XXX|HACK)\b|(?:^|[^\w.])/work/").unwrap();
    let homes = Regex::new(r"/home/[a-z]|/Users/").unwrap();
    let mut found = Vec::new();
    for path in ["src", "clients", "benches", "docs"].into_iter().flat_map(files) {
        // What takes home folders out has examples of them.
        let of_homes = shown(&path).starts_with("src/redact/");
        for (at, line) in read(&path).lines().enumerate() {
            if wrong.is_match(line) || !of_homes && homes.is_match(line) {
                found.push(format!("{}:{}: {}", shown(&path), at + 1, line.trim()));
            }
        }
    }
    none(found, "finish it, or leave it out");
}

#[test]
fn plugins_are_knowledge_and_no_code() {
    let found = files("plugins").into_iter().filter(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_text = matches!(extension, Some("toml" | "tsv" | "txt" | "log"));
        !is_text || fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0
    });
    none(found.map(|path| shown(&path)).collect(), "a plugin holds TOML, tables and pastes only");
}

#[test]
fn the_top_level_is_complete() {
    let missing = TOP_LEVEL.iter().filter(|name| !root().join(name).exists());
    none(missing.map(|name| (*name).to_owned()).collect(), "missing at the top of the tree");
    for script in ["tests/run", "tests/real/prepare", "benches/peers", "benches/offsets-of"] {
        let mode = fs::metadata(root().join(script)).unwrap().permissions().mode();
        assert!(mode & 0o100 != 0, "{script} cannot be run");
    }
}

/// The pages that people read: at the top, in docs/, and beside the clients.
fn pages() -> Vec<PathBuf> {
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let below = ["docs", "clients"].into_iter().flat_map(files);
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    top.chain(below).filter(is_page).collect()
}

/// The anchors of a page's headings, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>()
    };
    headings.map(slug).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut dead = Vec::new();
    for path in pages() {
        let text = read(&path);
        for target in link.captures_iter(&text).map(|link| link.get(1).unwrap().as_str()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let leads =
                file.exists() && (anchor.is_empty() || anchors(&read(&file)).contains(anchor));
            if !leads {
                dead.push(format!("{}: {target}", shown(&path)));
            }
        }
    }
    none(dead, "links that lead nowhere");
}

#[test]
fn the_map_shows_every_module_and_nothing_else() {
    let map = page("ARCHITECTURE.md");
    for (module, _) in EDGES {
        let folder = root().join("src").join(module).is_dir();
        let named = if folder { format!("src/{module}/") } else { format!("src/{module}.rs") };
        assert!(map.contains(&named), "ARCHITECTURE.md does not speak of {named}");
    }
    let path =
        Regex::new(r"`((?:src|clients|tests|benches|docs|plugins|fuzz)/[a-z\d_./-]*)`").unwrap();
    let named = path.captures_iter(&map).map(|path| path[1].to_owned());
    none(
        named.filter(|path| !root().join(path).exists()).collect(),
        "ARCHITECTURE.md names what is not there",
    );
}

/// The lines of a page's blocks of commands, without prompts.
fn commands(text: &str) -> Vec<String> {
    let fences = text.split("```").skip(1).step_by(2);
    let shell = fences.filter(|block| block.starts_with("sh\n") || block.starts_with("console\n"));
    let lines = shell.flat_map(|block| {
        let is_session = block.starts_with("console");
        let lines = block.lines().skip(1);
        lines.filter_map(move |line| match line.strip_prefix("$ ") {
            Some(command) => Some(command.to_owned()),
            None => (!is_session).then(|| line.to_owned()),
        })
    });
    let bare = lines.map(|line| line.split(" #").next().unwrap().trim().to_owned());
    bare.filter(|line| !line.is_empty()).collect()
}

/// The help of a subcommand, or of the one of its own that is named next.
fn help_of(subcommand: &str, rest: &str) -> Option<String> {
    let help = |words: &[&str]| {
        let mut dbgmate = Command::new(env!("CARGO_BIN_EXE_dbgmate"));
        let output = dbgmate.args(words).arg("--help").output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    let own = help(&[subcommand])?;
    if !own.contains("\nCommands:\n") {
        return Some(own);
    }
    help(&[subcommand, rest.split_whitespace().next()?])
}

#[test]
fn what_the_pages_tell_to_type_exists() {
    let file = Regex::new(r"(?:^|[ <])((?:tests|benches|plugins|clients)/[\w./-]+)").unwrap();
    let invocation = Regex::new(r"(?:\bdbgmate|\brelease --) ([a-z][a-z-]*)(.*)").unwrap();
    let option = Regex::new(r" (--[a-z-]+|-[a-z])\b").unwrap();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for name in ["README.md", "CONTRIBUTING.md"] {
        for command in commands(&page(name)) {
            for file in file.captures_iter(&command) {
                if !root().join(&file[1]).exists() {
                    wrong.push(format!("{name}: {command}: no file {}", &file[1]));
                }
            }
            let Some(invoked) = invocation.captures(&command) else { continue };
            checked += 1;
            let Some(help) = help_of(&invoked[1], &invoked[2]) else {
                wrong.push(format!("{name}: {command}: no subcommand {}", &invoked[1]));
                continue;
            };
            // What follows in a pipe is another program's.
            let own = invoked[2].split('|').next().unwrap();
            let unknown = option.captures_iter(own).filter(|option| !help.contains(&option[1]));
            wrong.extend(unknown.map(|option| format!("{name}: {command}: no {}", &option[1])));
        }
    }
    none(wrong, "commands that do not work");
    assert!(checked >= 4, "the README shows too few commands to be one");
}
