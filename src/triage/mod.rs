//! Which known bug does this trace show, and by which evidence?

mod report;

pub use report::{
    Affected, Ask, Claim, Confidence, Evidence, Fix, Interleaving, MatchedNote, Rank, Report, Step,
};
