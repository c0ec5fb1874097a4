//! `layout.functions`: the functions of binaries that take or return a type.

use std::collections::BTreeMap;

use super::find::opened;
use super::{Answer, Engine};
use crate::api::functions::{
    FoundFunction, FunctionRole, Functions, FunctionsMethod, FunctionsRequest,
};
use crate::api::layout::DeclaredAt;
use crate::error::Error;
use crate::job::Job;
use crate::types::{self, Function, TypeName};

/// An answer has so many functions where the request does not say.
const DEFAULT_LIMIT: usize = 100;

impl Answer for FunctionsMethod {
    fn answer(engine: &Engine, job: &Job, request: FunctionsRequest) -> Result<Functions, Error> {
        let name = TypeName::parse(&request.type_name)?;
        let mut found: BTreeMap<String, FoundFunction> = BTreeMap::new();
        for binary in opened(engine, job, &request.binaries)? {
            let path = binary.binary().path().display().to_string();
            for function in types::functions(job, &binary.file, &name, engine.threads())? {
                let is_wanted = match request.only {
                    Some(FunctionRole::Takes) => function.takes,
                    Some(FunctionRole::Returns) => function.returns,
                    None => true,
                };
                if is_wanted {
                    // The cursor: what is sorted by.
                    let key = format!("{} {}", function.name, function.signature);
                    let same = found.entry(key).or_insert_with(|| found_function(function));
                    same.binaries.push(path.clone());
                }
            }
        }
        let after = request.cursor.unwrap_or_default();
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT).max(1);
        let mut left = found.into_iter().skip_while(|(key, _)| *key <= after).peekable();
        let mut answer = Functions { functions: Vec::new(), next: None };
        let mut last = String::new();
        for (key, function) in left.by_ref().take(limit) {
            answer.functions.push(function);
            last = key;
        }
        answer.next = left.peek().map(|_| last);
        Ok(answer)
    }
}

fn found_function(function: Function) -> FoundFunction {
    FoundFunction {
        name: function.name,
        signature: function.signature,
        takes: function.takes,
        returns: function.returns,
        declared_at: function.declared_at.map(|(file, line)| DeclaredAt { file, line }),
        binaries: Vec::new(),
    }
}
