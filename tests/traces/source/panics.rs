//! Panics two calls deep, in a closure and behind an inlined function.

#[inline(always)]
fn third(values: &[i32]) -> i32 {
    values[std::hint::black_box(3)]
}

#[inline(never)]
fn read(values: &[i32]) -> i32 {
    let read = |values: &[i32]| third(values) + 1;
    read(values)
}

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "nothing" {
        let nothing: Result<i32, String> = Err("no\nnumber".to_owned());
        nothing.expect("a number");
    }
    if argument == "thread" {
        let worker = std::thread::Builder::new().name("worker".to_owned());
        let worker = worker.spawn(|| read(&[1, 2])).unwrap();
        let joined: Result<i32, _> = worker.join();
        joined.unwrap();
    }
    let text: Result<usize, _> = argument.parse();
    println!("{}", read(&vec![1; text.unwrap_or(2)]));
}
