//! What in a paste tells the release of a project?
//!
//! Rules of `plugin.toml` read it from the name of a file (`libxenlight.so.4.17.0`), from a log
//! record, or know a build. A table beside it says on which line each assertion stands in which release.

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use super::patterns::compile;
use super::problem::Flaw;
use super::releases::Release;

/// What the plugins know of releases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions {
    pub(crate) rules: Vec<VersionRule>,
    pub(crate) lines: Vec<AssertionLines>,
}

/// One way to tell a release.
#[derive(Clone, Debug)]
pub(crate) struct VersionRule {
    pub(crate) project: String,
    pub(crate) told_by: ToldBy,
    release: String,
}

/// By what.
#[derive(Clone, Debug)]
pub(crate) enum ToldBy {
    /// The path of a program or library.
    File(Regex),
    /// A log record that matches this pattern.
    Log(String, Regex),
    /// A build-id.
    Build(String),
}

/// One assertion, with its lines in each release.
#[derive(Clone, Debug)]
pub(crate) struct AssertionLines {
    pub(crate) project: String,
    /// None for an expression that several functions assert.
    pub(crate) function: Option<String>,
    /// Without blanks.
    pub(crate) expression: String,
    pub(crate) lines: Vec<(Release, Vec<u32>)>,
}

/// `[[version]]` of a `plugin.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionKeys {
    project: Option<String>,
    file: Option<String>,
    log: Option<String>,
    build_id: Option<String>,
    release: String,
}

impl Versions {
    /// Those of all plugins.
    pub(super) fn all(plugins: impl Iterator<Item = Versions>) -> Versions {
        let mut all = Versions::default();
        for Versions { rules, lines } in plugins {
            all.rules.extend(rules);
            all.lines.extend(lines);
        }
        all
    }

    /// The patterns that tell a release in a log.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|rule| match &rule.told_by {
            ToldBy::Log(pattern, _) => Some(pattern.as_str()),
            ToldBy::File(_) | ToldBy::Build(_) => None,
        })
    }
}

impl VersionRule {
    pub(super) fn read(keys: Spanned<VersionKeys>, plugin: &str) -> Result<VersionRule, Flaw> {
        const HINT: &str =
            "give one of `file`, `log` and `build_id`, and a `release` such as \"$1\"";
        let flaw = |what: String| Flaw::at(&keys, what, HINT);
        let VersionKeys { project, file, log, build_id, release } = keys.get_ref();
        let told_by = match (file, log, build_id) {
            (Some(file), None, None) => ToldBy::File(compile(file).map_err(flaw)?),
            (None, Some(log), None) => ToldBy::Log(log.clone(), compile(log).map_err(flaw)?),
            (None, None, Some(build_id)) => ToldBy::Build(build_id.clone()),
            _ => return Err(flaw("a release is told by exactly one thing".to_owned())),
        };
        let project = project.clone().unwrap_or_else(|| plugin.to_owned());
        Ok(VersionRule { project, told_by, release: release.clone() })
    }

    /// The release that a file's path tells.
    pub(crate) fn of_file(&self, path: &str) -> Option<Release> {
        match &self.told_by {
            ToldBy::File(regex) => self.expand(regex, path),
            ToldBy::Log(..) | ToldBy::Build(_) => None,
        }
    }

    /// The release that a log record tells.
    pub(crate) fn of_record(&self, text: &str) -> Option<Release> {
        match &self.told_by {
            ToldBy::Log(_, regex) => self.expand(regex, text),
            ToldBy::File(_) | ToldBy::Build(_) => None,
        }
    }

    /// The release of a build.
    pub(crate) fn of_build(&self, build_id: &str) -> Option<Release> {
        match &self.told_by {
            ToldBy::Build(own) if own == build_id => Release::parse(&self.release),
            _ => None,
        }
    }

    fn expand(&self, regex: &Regex, text: &str) -> Option<Release> {
        let captures = regex.captures(text)?;
        let mut release = String::new();
        captures.expand(&self.release, &mut release);
        Release::parse(&release)
    }
}

/// Reads a table: a first row of `function: expression`, then a release a row.
pub(super) fn read_lines(text: &str, project: &str) -> Result<Vec<AssertionLines>, Flaw> {
    const HINT: &str = "docs/notes.md shows the table of assertion lines";
    let flaw = |line: &str, what: String| {
        let start = line.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        Flaw { span: Some(start..start + line.len()), what, hint: HINT }
    };
    let mut rows = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let head = rows.next().unwrap_or_default();
    let mut columns = Vec::new();
    for cell in head.split('\t').skip(1) {
        let (function, expression) = cell
            .split_once(": ")
            .ok_or_else(|| flaw(head, format!("{cell:?} is not `function: expression`")))?;
        columns.push(AssertionLines {
            project: project.to_owned(),
            function: (function != "*").then(|| function.to_owned()),
            expression: expression.split_whitespace().collect(),
            lines: Vec::new(),
        });
    }
    for row in rows {
        let mut cells = row.split('\t');
        let release = cells.next().and_then(Release::parse);
        let release =
            release.ok_or_else(|| flaw(row, "the row begins with no release".to_owned()))?;
        for (column, cell) in columns.iter_mut().zip(cells) {
            let numbers = cell.split(',').filter(|number| !number.is_empty());
            let numbers = numbers.map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>();
            let numbers = numbers.ok_or_else(|| flaw(row, format!("{cell:?} are no lines")))?;
            column.lines.push((release.clone(), numbers));
        }
    }
    Ok(columns)
}

impl AssertionLines {
    /// The releases in which the assertion stands on this line.
    pub(crate) fn releases(&self, line: u32) -> Vec<&Release> {
        let on_line = self.lines.iter().filter(|(_, lines)| lines.contains(&line));
        on_line.map(|(release, _)| release).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_knows_the_releases_of_a_line() {
        let text = "# x\nrelease\tf: a == b\t*: c\n1.0\t10\t1,2\n1.1\t\t2\n1.2\t10\t\n";
        let columns = read_lines(text, "x").unwrap();
        let releases = |column: usize, line| -> Vec<String> {
            columns[column].releases(line).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            (columns[0].function.as_deref(), columns[1].function.as_deref()),
            (Some("f"), None)
        );
        assert_eq!(columns[0].expression, "a==b");
        assert_eq!(releases(0, 10), ["1.0", "1.2"]);
        assert_eq!(releases(1, 2), ["1.0", "1.1"]);
        assert_eq!(releases(1, 3), [""; 0]);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (text, line) in
            [("release\tf\n", 1), ("release\tf: a\nx\t1\n", 2), ("release\tf: a\n1\tx\n", 2)]
        {
            let problem = read_lines(text, "x").unwrap_err().in_file("t.tsv", text);
            assert_eq!(problem.line, Some(line), "{problem}");
        }
        assert!(read_lines("", "x").unwrap().is_empty());
    }
}
