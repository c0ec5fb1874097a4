//! What a type has to be, besides its name.

use std::collections::BTreeSet;

use crate::api::find::FindRequest;
use crate::error::Error;
use crate::job::Job;
use crate::types::{self, Layout, MemberKind, Members, Relations, Survey, Surveyor};

/// Names are looked at so many between two questions whether to go on.
const CHECK_EVERY: usize = 256;

/// What is asked of the types of one binary.
pub(super) struct Conditions<'r> {
    request: &'r FindRequest,
    /// Types by their spelling: those that are related as asked; each set has to have the type.
    related: Vec<BTreeSet<String>>,
}

impl<'r> Conditions<'r> {
    /// Whether more is asked for than a name.
    pub(super) fn are_in(request: &FindRequest) -> bool {
        let numbers = [request.size, request.align];
        request.has_member.is_some()
            || numbers.iter().any(Option::is_some)
            || !request.seen.is_empty()
            || asks_for_relations(request)
    }

    /// Goes through all types once where their relations matter.
    pub(super) fn of(
        job: &Job,
        request: &'r FindRequest,
        survey: &Survey,
        surveyor: &Surveyor<'_>,
    ) -> Result<Conditions<'r>, Error> {
        let mut related = Vec::new();
        if asks_for_relations(request) {
            let relations = relations(job, survey, surveyor)?;
            let mut keep = |names: BTreeSet<&str>| {
                related.push(names.into_iter().map(str::to_owned).collect());
            };
            request.holds.iter().for_each(|held| keep(relations.holders().of(held)));
            request.part_of.iter().for_each(|holder| keep(relations.parts_of(holder)));
            request.points_to.iter().for_each(|to| keep(relations.pointing_to(to)));
        }
        Ok(Conditions { request, related })
    }

    /// Whether a type is as asked.
    pub(super) fn fit(&self, surveyor: &Surveyor<'_>, layout: &Layout) -> Result<bool, Error> {
        let request = self.request;
        let has_size = request.size.is_none_or(|size| layout.size.known() == Some(size));
        let has_member =
            request.has_member.as_ref().is_none_or(|name| has_member(&layout.members, name));
        let is_related = self.related.iter().all(|names| names.contains(types::spelled(layout)));
        if !has_size || !has_member || !is_related {
            return Ok(false);
        }
        match self.is_as_read(surveyor, layout) {
            Err(types::Error::Stopped(stopped)) => Err(stopped.into()),
            // One type that is damaged, or without end, is none of the answer, and no reason to give none.
            Err(_) => Ok(false),
            Ok(fits) => Ok(fits),
        }
    }

    /// What more than its layout has to be read for.
    fn is_as_read(&self, surveyor: &Surveyor<'_>, layout: &Layout) -> Result<bool, types::Error> {
        let request = self.request;
        if request.align.is_some() && surveyor.alignment(layout.die)? != request.align {
            return Ok(false);
        }
        for seen in &request.seen {
            let end = seen.offset.saturating_add(seen.size);
            let is_inside = layout.size.known().is_none_or(|size| end <= size);
            if !is_inside || !surveyor.has_place(layout.die, seen.offset..end)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn asks_for_relations(request: &FindRequest) -> bool {
    [&request.holds, &request.part_of, &request.points_to].iter().any(|text| text.is_some())
}

fn relations(job: &Job, survey: &Survey, surveyor: &Surveyor<'_>) -> Result<Relations, Error> {
    let mut relations = Relations::default();
    for (count, name) in survey.names().enumerate() {
        if count.is_multiple_of(CHECK_EVERY) {
            job.check()?;
        }
        for found in surveyor.definitions(name, None)? {
            relations.add(name, &found);
        }
    }
    Ok(relations)
}

fn has_member(members: &Members, name: &str) -> bool {
    members.iter().any(|member| {
        member.name() == name
            || (member.kind() != MemberKind::Field && has_member(member.members(), name))
    })
}
