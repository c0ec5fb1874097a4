//! Generics, closures, traits and the standard library: what Rust makes of names and inlined calls.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display};
use std::num::ParseIntError;
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Debug, PartialEq)]
enum Item {
    Tool { name: String, weight: u32 },
    Part(u64),
    Nothing,
}

trait Weighs {
    fn weight(&self) -> u64;
}

impl Weighs for Item {
    fn weight(&self) -> u64 {
        match self {
            Item::Tool { weight, .. } => u64::from(*weight),
            Item::Part(number) => number % 17,
            Item::Nothing => 0,
        }
    }
}

impl<W: Weighs> Weighs for Vec<W> {
    fn weight(&self) -> u64 {
        self.iter().map(Weighs::weight).sum()
    }
}

#[derive(Debug)]
enum Malformed {
    Kind(String),
    Number(ParseIntError),
}

impl From<ParseIntError> for Malformed {
    fn from(error: ParseIntError) -> Malformed {
        Malformed::Number(error)
    }
}

impl Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Kind(kind) => write!(f, "no such kind: {kind}"),
            Malformed::Number(error) => write!(f, "{error}"),
        }
    }
}

fn parse(line: &str) -> Result<Item, Malformed> {
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("tool"), Some(name), Some(weight)) => {
            Ok(Item::Tool { name: name.to_owned(), weight: weight.parse()? })
        }
        (Some("part"), Some(number), None) => Ok(Item::Part(number.parse()?)),
        (None, ..) => Ok(Item::Nothing),
        (Some(kind), ..) => Err(Malformed::Kind(kind.to_owned())),
    }
}

fn grouped<T, K: Ord, F>(items: &[T], key: F) -> BTreeMap<K, Vec<&T>>
where
    F: Fn(&T) -> K,
{
    let mut groups: BTreeMap<K, Vec<&T>> = BTreeMap::new();
    for item in items {
        groups.entry(key(item)).or_default().push(item);
    }
    groups
}

fn largest<'a>(items: &'a [Item], weigh: &dyn Fn(&Item) -> u64) -> Option<&'a Item> {
    items.iter().filter(|item| **item != Item::Nothing).max_by_key(|item| weigh(item))
}

fn main() {
    let text = "tool saw 900\npart 12345\n\nbox 1\ntool vice 4100\npart x\npart 99";
    let shared: Arc<Mutex<HashMap<usize, Item>>> = Arc::default();
    let workers: Vec<_> = text
        .lines()
        .map(str::to_owned)
        .enumerate()
        .map(|(at, line)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || match parse(&line) {
                Ok(item) => drop(shared.lock().unwrap().insert(at, item)),
                Err(error) => println!("line {at}: {error}"),
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let mut items: Vec<Item> = shared.lock().unwrap().values().cloned().collect();
    items.sort_by_key(Weighs::weight);
    for (heavy, group) in grouped(&items, |item| item.weight() > 100) {
        println!("{heavy}: {}", group.len());
    }
    println!("{} {:?}", items.weight(), largest(&items, &|item| item.weight() * 2));
}
