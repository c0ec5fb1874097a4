use std::collections::BTreeMap;
use std::fmt::Debug;

struct Counter<T> {
    seen: BTreeMap<T, usize>,
}

impl<T: Ord + Debug + Clone> Counter<T> {
    fn add(&mut self, item: &T) -> usize {
        let count = self.seen.entry(item.clone()).or_default();
        *count += 1;
        *count
    }

    #[inline(never)]
    fn most(&self) -> Option<(&T, usize)> {
        self.seen.iter().map(|(item, count)| (item, *count)).max_by_key(|(_, count)| *count)
    }
}

enum Shape {
    Circle(u32),
    Square { side: u32 },
}

impl Shape {
    #[inline(never)]
    fn area(&self) -> u32 {
        match self {
            Shape::Circle(radius) => 3 * radius * radius,
            Shape::Square { side } => side.checked_mul(*side).expect("it is small"),
        }
    }
}

#[inline(never)]
fn apply(values: &[u32], f: impl Fn(u32) -> u32) -> u32 {
    values.iter().copied().map(f).sum()
}

fn main() {
    let mut counter = Counter { seen: BTreeMap::new() };
    for argument in std::env::args() {
        counter.add(&argument);
        counter.add(&argument.to_uppercase());
    }
    let shapes = [Shape::Circle(2), Shape::Square { side: 3 }];
    let areas: Vec<u32> = shapes.iter().map(Shape::area).collect();
    println!("{:?} {}", counter.most(), apply(&areas, |area| area + areas.len() as u32));
}
