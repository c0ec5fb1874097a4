//! The Vim client as people meet it: a real Vim, its window filled by the real program.

#![allow(clippy::unwrap_used)]

mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tools::{go_without, have, racing_libvirtd};

const TRACE: &str = include_str!("traces/fd-deregister-race-values.txt");

/// What every script may use: `Answer()` waits for the answer and returns its lines, `Say()` writes
/// a line that the test reads.
const PRELUDE: &str = r#"
set nocompatible noswapfile
let &runtimepath = $CLIENT . ',' . &runtimepath
filetype plugin on
syntax on
runtime plugin/dbgmate.vim
let g:dbgmate_program = $DBGMATE
function! Answer() abort
  let lines = ['…']
  for _ in range(3000)
    let lines = getbufline('^\[dbgmate\]$', 1, '$')
    if lines !=# ['…'] | break | endif
    sleep 10m
  endfor
  return lines
endfunction
function! Say(what) abort
  call writefile(type(a:what) == v:t_list ? a:what : [a:what], $SAID, 'a')
endfunction
"#;

/// A Vim that starts in a folder of its own, which holds the program to ask about.
struct Vim {
    folder: TempDir,
}

impl Vim {
    /// None where Vim is missing and may be.
    fn here() -> Option<Vim> {
        if !have(&["vim", "gcc"]) {
            return None;
        }
        let output = Command::new("vim").arg("--version").output().unwrap();
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        let fits = version.contains("+job") && version.contains("IMproved 9");
        if !fits && !go_without("this vim is not a Vim 9 with +job") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        racing_libvirtd(folder.path(), &[]);
        Some(Vim { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the script says when it is run on a file with this text.
    fn run(&self, text: &str, script: &str) -> String {
        let binaries =
            format!("let g:dbgmate_binaries = ['{}']\n", self.path("libvirtd").display());
        self.run_with(text, &(binaries + script))
    }

    fn run_with(&self, text: &str, script: &str) -> String {
        let (file, commands, said) =
            (self.path("file"), self.path("script.vim"), self.path("said"));
        std::fs::write(&file, text).unwrap();
        std::fs::write(&said, "").unwrap();
        let whole =
            format!("{PRELUDE}try\n{script}\ncatch\ncall Say(v:exception)\nendtry\nqall!\n");
        std::fs::write(&commands, whole).unwrap();
        let status = Command::new("vim")
            .args(["-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "--not-a-term", "-S"])
            .args([&commands, &file])
            .env("CLIENT", Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/vim"))
            .env("DBGMATE", env!("CARGO_BIN_EXE_dbgmate"))
            .env("DBGMATE_SOCKET", self.path("run/daemon.sock"))
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_CACHE_HOME", self.folder.path())
            .env("SAID", &said)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .status()
            .unwrap();
        let said = std::fs::read_to_string(&said).unwrap();
        assert!(status.success(), "{status}\n{said}");
        said
    }
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn the_type_under_the_cursor_is_laid_out() {
    let Some(vim) = Vim::here() else { return };
    let said = vim.run(
        "    const struct  libxl__ev_fd *ev = for_libxl;\n    ns::Foo x(libxl_ctx *ctx)\n",
        "for [line, column] in [[1, 11], [1, 22], [1, 1], [2, 7], [2, 20]]
           call cursor(line, column)
           OffsetsOf
           call Say(Answer()[0])
         endfor",
    );
    let answers: Vec<&str> = said.lines().collect();
    // In column 1 the next name is `const`, which is no type.
    assert_eq!(answers[..2], ["struct libxl__ev_fd {"; 2], "{said}");
    assert!(answers[2].starts_with("dbgmate: no type `const`"), "{said}");
    assert!(answers[3].starts_with("dbgmate: no type `ns::Foo`"), "{said}");
    assert_eq!(answers[4], "struct libxl_ctx {", "{said}");
}

#[test]
fn a_type_can_be_named_and_shown_in_full() {
    let Some(vim) = Vim::here() else { return };
    let script = "OffsetsOf struct libxl__ev_fd\ncall Say(Answer())\n\
                  OffsetsOf! libxl__ev_fd\ncall Say(Answer())";
    let said = vim.run("", script);
    contains(&said, &["struct libxl__ev_fd {\n    fd => 0\n    events => 4\n    func => 8\n"]);
    contains(&said, &["    for_app_reg => 32\n}\ndbgmate: from ", "/libvirtd\n"]);
    contains(&said, &["struct libxl__ev_fd { /* ", "/* size 40, 5 members"]);
}

#[test]
fn a_trace_is_triaged_and_its_evidence_leads_back_to_it() {
    let Some(vim) = Vim::here() else { return };
    // The report counts from the first line selected: two lines further down here.
    let script = "3,$Triage
        call Say(Answer())
        call Say('in window ' . winnr() . ' of ' . winnr('$'))
        2wincmd w
        call search('lines 12-13')
        execute \"normal \\<CR>\"
        call Say('at line ' . line('.') . ' of ' . bufname() . ': ' . getline('.'))";
    let said = vim.run(&format!("one\ntwo\n{TRACE}"), script);
    contains(
        &said,
        &["THIS IS IT  libxl/fd-deregister-race: ", "lines 12-13  assertion fd == ev->fd"],
    );
    contains(&said, &["the paste has it: -1, which confirms it", "in window 1 of 2\n"]);
    contains(&said, &["at line 14 of ", ": #2  0x00007fa553183a10 in *__GI___assert_fail ("]);
}

/// The backtrace of a program without symbols, as a real gdb prints it.
fn stripped_backtrace(vim: &Vim) -> Option<String> {
    if !have(&["gdb", "strip"]) {
        return None;
    }
    let (whole, stripped) = (vim.path("libvirtd"), vim.path("stripped"));
    let strip = Command::new("strip").arg("-o").args([&stripped, &whole]).status().unwrap();
    assert!(strip.success());
    let commands = ["-nx", "-q", "-batch", "-ex", "run", "-ex", "bt"];
    let gdb = Command::new("gdb").args(commands).arg(stripped).stdin(Stdio::null()).output();
    Some(String::from_utf8(gdb.unwrap().stdout).unwrap())
}

#[test]
fn a_stripped_backtrace_is_filled_in_and_its_frames_lead_to_their_source() {
    let Some(vim) = Vim::here() else { return };
    let Some(backtrace) = stripped_backtrace(&vim) else { return };
    let script = "Symbolize
        call Say(Answer())
        2wincmd w
        call search('in virEventPollRunOnce ')
        execute \"normal \\<CR>\"
        call Say('at line ' . line('.') . ' of ' . bufname() . ': ' . getline('.'))";
    let said = vim.run(&backtrace, script);
    contains(&said, &[" in libxl_osevent_occurred_fd () at ", "/libxl_event.c:77"]);
    contains(&said, &["dbgmate: the program is ", "by where its first frame has main"]);
    contains(
        &said,
        &["at line 94 of ", "libxl_event.c: ", "virEventPollDispatchHandles(ctx, for_libxl);"],
    );
}

#[test]
fn without_a_range_the_whole_buffer_is_sent_changed_or_not() {
    let Some(vim) = Vim::here() else { return };
    let script = "call append(0, readfile('file'))\nTriage\ncall Say(Answer())";
    std::fs::write(vim.path("file"), TRACE).unwrap();
    let said = vim.run_with(TRACE, script.replace("'file'", "expand('%')").as_str());
    contains(&said, &["THIS IS IT  libxl/fd-deregister-race: "]);
    let said = vim.run("just words\n", "Triage\ncall Say(Answer())");
    assert_eq!(
        said.lines().next().unwrap(),
        "No known bug fits. Read: 0 stacks, 0 events, 0 \
        printed values, 0 log records, 1 line not understood."
    );
}

#[test]
fn a_long_trace_does_not_stop_vim() {
    let Some(vim) = Vim::here() else { return };
    // More than a pipe holds, written while Vim waits for nothing.
    let text = "some words of a person's own\n".repeat(200_000) + TRACE;
    let said = vim.run(&text, "Triage\ncall Say(Answer())");
    contains(&said, &["THIS IS IT  libxl/fd-deregister-race: ", "lines 200012-200013  assertion"]);
}

#[test]
fn the_window_is_one_scratch_window_that_is_used_again() {
    let Some(vim) = Vim::here() else { return };
    let script = "OffsetsOf libxl_ctx
        OffsetsOf libxl__ev_fd
        call Say(Answer()[0])
        call Say(winnr('$') . ' windows')
        wincmd b
        call Say([&buftype, &bufhidden, &filetype, &syntax, bufname()])
        call Say((&swapfile ? '' : 'no') . 'swapfile ' . (&modifiable ? '' : 'no') . 'modifiable')
        call search('func')
        normal q
        call Say(winnr('$') . ' window')
        call Say(bufexists('[dbgmate]') ? 'left behind' : 'wiped')
        OffsetsOf libxl_ctx
        call Say(Answer()[0])
        tabnew
        OffsetsOf libxl__ev_fd
        call Say(Answer()[0] . ' ' . winnr('$'))";
    let said = vim.run("", script);
    let expected = "struct libxl__ev_fd {\n2 windows\nnofile\nwipe\ndbgmate\ndbgmate\n[dbgmate]\n\
                    noswapfile nomodifiable\n1 window\nwiped\nstruct libxl_ctx {\nstruct libxl__ev_fd { 2\n";
    assert_eq!(said, expected);
}

#[test]
fn what_goes_wrong_is_said() {
    let Some(vim) = Vim::here() else { return };
    let script = "OffsetsOf struct nosuch
        call Say(Answer())
        wincmd b
        redir => messages
        silent Triage
        silent execute \"normal \\<CR>\"
        wincmd t
        silent OffsetsOf
        let g:dbgmate_program = '/nonexistent/dbgmate'
        silent OffsetsOf struct foo
        redir END
        call Say(messages)";
    let said = vim.run("", script);
    contains(&said, &["dbgmate: no type `struct nosuch` in ", "\n  try: "]);
    contains(&said, &["this is an answer", "names no line to go to", "no name under the cursor"]);
    contains(&said, &["there is no program `/nonexistent/dbgmate`"]);
}

#[test]
fn a_hostile_name_is_only_a_name() {
    let Some(vim) = Vim::here() else { return };
    let witness = vim.path("witness");
    let script = format!(
        "OffsetsOf --json; touch {0} `touch {0}` $(touch {0}) | !touch {0}\ncall \
        Say(Answer())",
        witness.display()
    );
    let said = vim.run("", &script);
    assert!(!witness.exists(), "{said}");
    contains(&said, &["dbgmate: ", "  try: "]);
}

#[test]
fn maps_are_offered_and_no_keys_are_taken() {
    let Some(vim) = Vim::here() else { return };
    let script = "call Say(maparg('<Plug>(dbgmate-offsets-of)', 'n'))
        call Say(maparg('<Plug>(dbgmate-triage)', 'n'))
        call Say(maparg('<Plug>(dbgmate-triage)', 'x'))
        call Say(filter(split(execute('map'), '\\n'), 'v:val =~? \"dbgmate\" && v:val !~# \"<Plug>\"'))
        xmap T <Plug>(dbgmate-triage)
        normal 12GVGT
        call Say(Answer()[0])";
    let said = vim.run(TRACE, script);
    let (maps, report) = said.split_once("THIS IS IT").unwrap_or_else(|| panic!("{said}"));
    assert_eq!(maps, ":<C-U>OffsetsOf<CR>\n:<C-U>Triage<CR>\n:Triage<CR>\n");
    contains(report, &["libxl/fd-deregister-race"]);
}

#[test]
fn every_tag_of_the_help_is_there_and_defined_once() {
    let Some(vim) = Vim::here() else { return };
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/vim/doc/dbgmate.txt");
    std::fs::create_dir(vim.path("doc")).unwrap();
    std::fs::copy(doc, vim.path("doc/dbgmate.txt")).unwrap();
    let script = format!(
        "helptags {0}/doc
        let &runtimepath = '{0},' . $VIMRUNTIME
        for tag in ['dbgmate', ':OffsetsOf', ':Triage', 'g:dbgmate_binaries', 'g:dbgmate_program',
              \\ '<Plug>(dbgmate-triage)', '<Plug>(dbgmate-offsets-of)', 'dbgmate-window']
          execute 'help' tag
          call Say(expand('%:t'))
        endfor
        call Say(filter(map(split(join(getline(1, '$')), '|'), {{at, text -> at % 2 ? text : ''}}),
              \\ {{_, tag -> tag =~# '^\\S\\+$' && empty(taglist('^\\V' . escape(tag, '\\') . '\\$'))}}))",
        vim.folder.path().display()
    );
    let said = vim.run("", &script);
    assert_eq!(said, "dbgmate.txt\n".repeat(8));
}
