//! Which role does a piece of output play?
//!
//! Roles, not colours: a renderer says *evidence*, and this file alone decides how that looks.

use anstyle::{AnsiColor, Color, Style};

/// The headline of an answer.
pub const TITLE: Style = Style::new().bold();

/// A verdict that is certain.
pub const CERTAIN: Style = AnsiColor::Green.on_default().bold();

/// A verdict that is not.
pub const UNCERTAIN: Style = AnsiColor::Yellow.on_default().bold();

/// The heading of a part.
pub const HEADING: Style = Style::new().bold();

/// Where in the paste something stands.
pub const EVIDENCE: Style = AnsiColor::Cyan.on_default();

/// What to do next.
pub const HINT: Style = AnsiColor::Green.on_default();

/// What went wrong.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();

/// What may be skipped in reading.
pub const DIM: Style = Style::new().dimmed();

/// The members in a picture of a layout, in turn: what matters is that neighbours differ.
pub const MEMBERS: [Style; 6] = [
    block(AnsiColor::Blue),
    block(AnsiColor::Green),
    block(AnsiColor::Yellow),
    block(AnsiColor::Red),
    block(AnsiColor::Magenta),
    block(AnsiColor::Cyan),
];

const fn block(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(AnsiColor::Black))).bg_color(Some(Color::Ansi(colour)))
}
