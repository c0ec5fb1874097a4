//! Addresses, one type a meaning, so that they cannot be mixed up.
//!
//! An ELF file numbers its bytes three ways and a process adds a fourth. Most bases are zero in
//! small tests, so mixing them passes unnoticed there and prints wrong lines in the field:
//!
//! ```text
//! file offset ──(PT_LOAD)──> file address ──(+ load bias)──> run-time address
//!                                └ module offset: run-time address − where the module starts
//! ```
//!
//! On the wire each is a string `"0x…"`: JSON numbers lose bits above 2^53.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! address {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }

        impl From<$name> for String {
            fn from(address: $name) -> String {
                address.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotHexadecimal;

            fn try_from(text: String) -> Result<Self, NotHexadecimal> {
                text.parse()
            }
        }

        impl FromStr for $name {
            type Err = NotHexadecimal;

            fn from_str(text: &str) -> Result<Self, NotHexadecimal> {
                parse_hexadecimal(text).map($name)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^0x[0-9a-fA-F]{1,16}$",
                    "description": concat!($($doc),*).trim(),
                })
            }
        }
    };
}

address! {
    /// An address as the ELF file numbers it: what symbols, segments and DWARF speak of.
    FileAddress
}
address! {
    /// An address in a running process: what backtraces print.
    RuntimeAddress
}
address! {
    /// `lib.so+0x…`: a run-time address less the address at which the module starts.
    ModuleOffset
}
address! {
    /// A position in the file on disk, as maps and core notes print it.
    FileOffset
}

address! {
    /// What a loaded module's run-time addresses have over its file addresses, modulo 2^64: the
    /// one bridge between the two. It is 0 for a program that is not position-independent.
    LoadBias
}

impl LoadBias {
    /// The bias of a module of which both addresses of one place are known.
    pub fn between(runtime: RuntimeAddress, file: FileAddress) -> LoadBias {
        LoadBias(runtime.0.wrapping_sub(file.0))
    }

    /// Where the file has what the process has at `address`.
    pub fn to_file(self, address: RuntimeAddress) -> FileAddress {
        FileAddress(address.0.wrapping_sub(self.0))
    }

    /// Where the process has what the file has at `address`.
    pub fn to_runtime(self, address: FileAddress) -> RuntimeAddress {
        RuntimeAddress(address.0.wrapping_add(self.0))
    }
}

/// Which instruction a frame's address names: the one that runs, or the one after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pc {
    /// The instruction that was being executed: the innermost frame, the one after a signal.
    Exact,
    /// A return address: the call is before it.
    Return,
    /// Already moved back into the call by the printer (sanitizers, valgrind).
    Adjusted,
}

impl Pc {
    /// Where the instruction is that a frame stands at: before a return address it is the call,
    /// which may be the last of its function. Any byte of an instruction finds what it is part of.
    pub fn lookup_address(self, address: FileAddress) -> FileAddress {
        match self {
            Pc::Return => FileAddress(address.0.wrapping_sub(1)),
            Pc::Exact | Pc::Adjusted => address,
        }
    }
}

/// The text is not `0x` and one to sixteen hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHexadecimal(String);

impl fmt::Display for NotHexadecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an address: write 0x and up to 16 hexadecimal digits", self.0)
    }
}

impl std::error::Error for NotHexadecimal {}

fn parse_hexadecimal(text: &str) -> Result<u64, NotHexadecimal> {
    let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| NotHexadecimal(text.chars().take(40).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_bits_survive_the_wire() {
        let address = RuntimeAddress(u64::MAX);
        let wire = serde_json::to_string(&address).unwrap();
        assert_eq!(wire, "\"0xffffffffffffffff\"");
        assert_eq!(serde_json::from_str::<RuntimeAddress>(&wire).unwrap(), address);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "0x", "12", "0x+1", "0x1_0", "0x11112222333344445"] {
            assert!(text.parse::<FileAddress>().is_err(), "{text}");
        }
    }
}
