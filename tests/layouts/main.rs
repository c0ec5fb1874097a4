//! Layouts of types that the tests compile, compared with what the compiler itself says of them.
//!
//! One case is compiled in many ways ([`toolchain::EVERYWHERE`]): every DWARF version, type units,
//! compressed sections, relocatable files, link-time optimisation, 32 bits, big endian. The compiler's
//! own word is in the file that it writes: see [`case`].

#![allow(clippy::unwrap_used)]

mod ada;
mod asserts;
mod bit_fields;
mod case;
mod changes;
mod containers;
mod cxx;
mod decode;
#[path = "../bad_binaries/dies.rs"]
#[allow(dead_code)] // what is made to be refused needs more of it
mod dies;
mod fortran;
mod go;
mod handmade;
mod kept_index;
mod known_types;
mod locate;
mod map;
mod names;
mod nasty;
mod nested;
mod order;
mod passes;
mod plain_members;
mod random;
mod random_cxx;
mod rust;
mod simple_names;
mod spelled;
mod survey;
mod templates;
mod text;
mod toolchain;
mod twins;
mod unused;
mod variants;
