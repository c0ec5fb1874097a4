//! A trace for a bug report, as text: what happened, every stack, values and log records, in the
//! order of the paste, each on one line however it was wrapped.

use std::fmt::Write;

use super::in_order::{Told, in_order};
use super::style::{DIM, ERROR, HEADING};
use super::{told, trace as frames};
use crate::trace::Trace;

/// The whole trace, styled.
pub fn text(trace: &Trace) -> String {
    let mut page = String::new();
    let mut in_stack = false;
    // Writing to a String cannot fail.
    for one in in_order(trace) {
        let is_stack = matches!(one, Told::Stack(_));
        if (in_stack || is_stack) && !page.is_empty() {
            page.push('\n');
        }
        in_stack = is_stack;
        match one {
            Told::Stack(stack) => {
                let heading = told::stack(stack);
                if !heading.is_empty() {
                    let _ = writeln!(page, "{HEADING}{heading}{HEADING:#}");
                }
                stack.frames.iter().for_each(|frame| frames::write_whole_frame(&mut page, frame));
            }
            Told::Event(event) => {
                let Some(line) = told::event(event) else { continue };
                let _ = writeln!(page, "{ERROR}{line}{ERROR:#}");
                if let Some(frame) = &event.frame {
                    frames::write_whole_frame(&mut page, frame);
                }
            }
            Told::Value(value) => {
                let _ = writeln!(page, "{}", told::value(value));
            }
            Told::Record(record) => {
                told::record(record).iter().for_each(|line| page.extend([line.as_str(), "\n"]));
            }
        }
    }
    for (position, module) in trace.modules.iter().enumerate() {
        if position == 0 && !page.is_empty() {
            page.push('\n');
        }
        let _ = writeln!(page, "{DIM}module {}{DIM:#}", told::module(module));
    }
    page
}
