//! Binaries before they are damaged: every form of debug info that is read by a way of its own, small.

use std::fs;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSection};

use super::ask::SOURCE;

/// The same in C++: what only it has.
const CXX: &str = "
    namespace n {
    template <typename T, int N> struct box { T v[N]; static int count; enum class e : char { A, B }; };
    struct base { virtual ~base() {} int i : 5; }; struct empty {};
    struct left : virtual base { int l; };
    struct s : left, empty { box<long, 3> b; int s::*m; int &r; union { int u; char c[8]; }; long d;
               explicit s(int &n) : r(n) {} };
    using number = box<char, 2>; number held;
    static inline __attribute__((always_inline)) int inner(int n) { return n * held.v[0]; }
    int first(s *x, int n) { return inner(n) + x->l + x->b.v[1]; }
    int second(s *x) { auto f = [x](int n) { return inner(n) + x->u; }; return f(3) + first(x, 2); }
    }
    int number; n::s kept(number);";

/// The same in Rust: variants, niches, tuples, members out of order.
const RUST: &str = r"
    #![no_std]
    #![allow(non_camel_case_types)]
    pub enum data { Unit, Tuple(u32, u8), Fields { x: u64, y: u8 } }
    pub struct s { pub c: u8, pub d: data, pub b: Option<&'static u8>, pub t: (u8, u32), pub n: Option<data> }
    #[inline(always)] fn inner(x: &s) -> u32 { x.t.1 ^ u32::from(x.c) }
    #[unsafe(no_mangle)] pub fn first(x: &s) -> u32 { inner(x) + if let data::Tuple(a, _) = x.d { a } else { 1 } }
    #[unsafe(no_mangle)] pub fn second(x: &s) -> u32 { first(x) + x.b.map_or(2, |b| u32::from(*b)) }";

/// How they are made of `s.c`, `s.cc` and `s.rs`: each makes `sound`, and what it needs beside it. The C
/// compiler has to be there; what other program is not is passed over.
const WAYS: &[&str] = &[
    "gcc -shared -fPIC -nostdlib -g -o sound s.c",
    "gcc -c -gdwarf-2 -gstrict-dwarf -o sound s.c",
    "gcc -m32 -c -gdwarf-3 -gstrict-dwarf -o sound s.c",
    "gcc -c -gdwarf-4 -fdebug-types-section -o sound s.c",
    "gcc -c -gdwarf-5 -fdebug-types-section -o sound s.c",
    "gcc -c -gdwarf-5 -gdwarf64 -O2 -o sound s.c",
    "gcc -shared -fPIC -nostdlib -g -gz=zlib -o sound s.c",
    "gcc -c -g -gz=zlib-gnu -o sound s.c",
    "gcc -shared -fPIC -nostdlib -g -O2 -flto -o sound s.c",
    "gcc -shared -fPIC -nostdlib -gdwarf-4 -gsplit-dwarf -o sound s.c",
    "gcc -shared -fPIC -nostdlib -gdwarf-5 -gsplit-dwarf -fdebug-types-section -o sound s.c",
    "g++ -shared -fPIC -O1 -g -o sound s.cc",
    "g++ -c -gdwarf-3 -gstrict-dwarf -o sound s.cc",
    "clang -c -O1 -gdwarf-4 -o sound s.c",
    "clang -c -O1 -gdwarf-5 -fdebug-types-section -x c++ -o sound s.cc",
    "rustc --edition 2024 --crate-type lib --emit obj -C panic=abort -g -o sound s.rs",
    "rustc --edition 2024 --crate-type lib --emit obj -C panic=abort -O -g -o sound s.rs",
    "dwp --version >/dev/null && gcc -shared -fPIC -nostdlib -gdwarf-4 -gsplit-dwarf -o sound s.c &&
        dwp -e sound -o sound.dwp && rm *.dwo",
    "llvm-dwp --version >/dev/null && clang -shared -fPIC -nostdlib -gdwarf-5 -gsplit-dwarf -o sound s.c &&
        llvm-dwp -e sound -o sound.dwp && rm *.dwo",
    "dwz --version 2>/dev/null && gcc -shared -fPIC -nostdlib -g -o sound s.c &&
        gcc -shared -fPIC -nostdlib -g -DOTHER -o other s.c && dwz -m shared -M shared sound other && rm other",
    "powerpc64-linux-gnu-gcc-12 -c -gdwarf-2 -gstrict-dwarf -o sound s.c",
    "s390x-linux-gnu-gcc-12 -c -O1 -gdwarf-5 -o sound s.c",
];

/// A file of a binary.
pub(crate) struct Piece {
    pub(crate) name: String,
    bytes: Vec<u8>,
    /// Where in it the sections are that are read.
    read: Vec<(usize, usize)>,
}

/// A binary: the file itself, `sound`, and those it needs.
pub(crate) struct Sound {
    pub(crate) how: &'static str,
    pub(crate) pieces: Vec<Piece>,
}

/// All of them, of the compilers that are here.
pub(crate) fn all() -> Vec<Sound> {
    WAYS.iter().filter_map(|way| Sound::make(way)).collect()
}

impl Sound {
    #[allow(clippy::print_stderr)]
    fn make(how: &'static str) -> Option<Sound> {
        let folder = tempfile::tempdir().unwrap();
        let sources = [("s.c", SOURCE), ("s.cc", CXX), ("s.rs", RUST)];
        for (name, text) in sources {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut shell = Command::new("sh");
        let made = shell.current_dir(&folder).args(["-ec", how]).output().unwrap();
        let program = how.split(' ').next().unwrap();
        if made.status.code() == Some(127) && program != "gcc" {
            eprintln!("passed over: {program} is not installed");
            return None;
        }
        assert!(made.status.success(), "{how}: {}", String::from_utf8_lossy(&made.stderr));
        let entries = fs::read_dir(&folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !sources.iter().any(|(source, _)| source == name));
        names.sort_by_key(|name| (name != "sound", name.clone()));
        let pieces = names.into_iter().map(|name| Piece::read(folder.path(), name)).collect();
        Some(Sound { how, pieces })
    }

    /// Writes the binary into a folder.
    pub(crate) fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for piece in &self.pieces {
            fs::write(folder.join(&piece.name), &piece.bytes).unwrap();
        }
    }

    /// Writes the binary into a folder, one of its files damaged.
    pub(crate) fn write_mutant(&self, random: &mut Random, folder: &Path) {
        self.write(folder);
        let piece = &self.pieces[random.below(self.pieces.len())];
        fs::write(folder.join(&piece.name), mutant(&piece.bytes, &piece.read, random)).unwrap();
    }
}

impl Piece {
    fn read(folder: &Path, name: String) -> Piece {
        let bytes = fs::read(folder.join(&name)).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let is_read = |section: &object::Section<'_, '_>| {
            let others = [
                ".eh_frame",
                ".symtab",
                ".strtab",
                ".dynsym",
                ".dynstr",
                ".rela.plt",
                ".plt",
                ".text",
            ];
            section.name().is_ok_and(|name| name.contains("debug_") || others.contains(&name))
        };
        let ranges = file.sections().filter(is_read).filter_map(|section| section.file_range());
        let read: Vec<_> = ranges
            .filter(|(_, size)| *size > 0)
            .map(|(start, size)| (start as usize, size as usize))
            .collect();
        drop(file);
        assert!(read.len() >= 3, "{name}");
        Piece { name, bytes, read }
    }
}

/// One to eight changes, most of them inside of what is read.
pub(crate) fn mutant(whole: &[u8], read: &[(usize, usize)], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(8) {
        let (start, size) = match random.below(8) {
            0 => (0, bytes.len()),
            _ => read[random.below(read.len())],
        };
        let at = start + random.below(size);
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            3 => fill(&mut bytes, at, random.below(8), 0xff),
            4 => fill(&mut bytes, at, random.below(64), 0),
            5 => {
                // A piece of another place: whole DIEs and headers where they do not belong.
                let (other, other_size) = read[random.below(read.len())];
                let from = other + random.below(other_size);
                let length = random.below(32).min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + length, at);
            }
            _ => {
                let value = [u32::MAX, 0x7fff_ffff, 0xffff_fff0, 1, 0x100][random.below(5)];
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
            }
        }
    }
    if random.below(20) == 0 {
        bytes.truncate(random.below(bytes.len()));
    }
    bytes
}

fn fill(bytes: &mut [u8], at: usize, length: usize, value: u8) {
    let end = (at + length).min(bytes.len());
    bytes[at..end].fill(value);
}

/// SplitMix64 (Steele, Lea and Flood, 2014): a seed is a whole sequence, the same on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}
