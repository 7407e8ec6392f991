//! What templates and conditions see of a run, and what a switch makes of it.

use std::collections::BTreeSet;

use crate::data::Json;
use crate::decide::{Decision, StepState, Tried};
use crate::definition::outside::Outside;
use crate::definition::template::{self, Form, Problem, Scope};
use crate::definition::{Branch, Flow, StepIndex, Switch};

/// What came of a step, as far as templates can ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepResult {
    pub(crate) state: Option<StepState>,
    pub(crate) output: Option<String>,
    pub(crate) data: Option<Json>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) worktree: Option<String>,
    pub(crate) attempt: u32,
}

impl StepResult {
    /// What is not there has no key, so that asking for it is an error and `default` works.
    fn to_value(&self) -> serde_json::Value {
        let mut value = serde_json::Map::new();
        let state = self.state.unwrap_or(StepState::Pending);
        value.insert("state".to_owned(), state.name().into());
        value.insert("attempt".to_owned(), self.attempt.into());
        if let Some(output) = &self.output {
            value.insert("output".to_owned(), output.as_str().into());
        }
        if let Some(data) = &self.data {
            value.insert("data".to_owned(), data.value());
        }
        if let Some(code) = self.exit_code {
            value.insert("exit_code".to_owned(), code.into());
        }
        if let Some(worktree) = &self.worktree {
            value.insert("worktree".to_owned(), worktree.as_str().into());
        }
        value.into()
    }
}

/// Where the values come from.
pub(crate) trait Values {
    fn inputs(&self) -> &serde_json::Map<String, serde_json::Value>;
    fn result(&self, step: StepIndex) -> StepResult;
    /// What a step came to in the round before.
    fn last(&self, step: StepIndex) -> StepResult;
    /// The number of the round that a `repeat` is in, or ended with.
    fn round(&self, repeat: StepIndex) -> u32;
    /// What the step is done for, and its number, where it is done for each item of a list.
    fn item(&self) -> Option<(serde_json::Value, u32)> {
        None
    }
    fn run(&self) -> serde_json::Map<String, serde_json::Value>;
    fn env(&self, name: &str) -> Option<String>;
    /// What conditions may ask about the world.
    fn outside(&self) -> Outside;
    /// Whether the output that a result has, or its data, is not all that it was: a secret was covered in it.
    fn withheld(&self, _result: &StepResult) -> bool {
        false
    }
}

/// Collects what `source` asks for, and nothing else: a long run has many results.
pub(crate) fn scope(
    flow: &Flow,
    values: &impl Values,
    source: &str,
    form: Form,
) -> Result<Scope, Problem> {
    if form == Form::Text && !source.contains('{') {
        return Ok(Scope::default());
    }
    let (item, index) = values.item().unzip();
    let mut scope = Scope {
        inputs: values.inputs().clone(),
        item,
        index,
        run: values.run(),
        outside: values.outside(),
        ..Scope::default()
    };
    let names = template::names(source, form)?;
    for name in &names {
        let mut parts = name.splitn(4, '.');
        if let (Some(space @ ("results" | "last")), Some(id), None | Some("output" | "data")) =
            (parts.next(), parts.next(), parts.next())
            && flow.step(id).is_some_and(|step| {
                values.withheld(&match space {
                    "last" => values.last(step),
                    _ => values.result(step),
                })
            })
        {
            return Err(Problem {
                message: format!(
                    "what `{id}` gave held a secret, which was covered: it can't be handed on; hand the secret itself on, as `{{{{ inputs.NAME }}}}` in `env`"
                ),
                fragment: Some(id.to_owned()),
            });
        }
    }
    let wanted: BTreeSet<(String, String)> = names
        .iter()
        .filter_map(|name| {
            let mut parts = name.splitn(3, '.');
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        })
        .collect();
    for (space, name) in wanted {
        match space.as_str() {
            "results" => {
                if let Some(step) = flow.step(&name) {
                    let result = values.result(step);
                    if let Some(data) = result.data.as_ref().filter(|data| data.may_be_rounded()) {
                        scope.texts.insert(name.clone(), data.text().to_owned());
                    }
                    scope.results.insert(name, result.to_value());
                }
            }
            "last" => {
                if let Some(step) = flow.step(&name) {
                    let result = values.last(step);
                    if let Some(data) = result.data.as_ref().filter(|data| data.may_be_rounded()) {
                        let text = data.text().to_owned();
                        scope.last_texts.insert(name.clone(), text);
                    }
                    scope.last.insert(name, result.to_value());
                }
            }
            "rounds" => {
                if let Some(repeat) = flow.step(&name) {
                    scope.rounds.insert(name, values.round(repeat).into());
                }
            }
            "env" => {
                if let Some(value) = values.env(&name) {
                    scope.env.insert(name, value.into());
                }
            }
            _ => {}
        }
    }
    Ok(scope)
}

/// Folds a template with what it asks for.
pub(crate) fn render(flow: &Flow, values: &impl Values, source: &str) -> Result<String, String> {
    scope(flow, values, source, Form::Text)
        .and_then(|scope| template::render(source, &scope))
        .map_err(|problem| problem.message)
}

/// The list that an expression comes to.
pub(crate) fn list(
    flow: &Flow,
    values: &impl Values,
    of: &str,
) -> Result<Vec<serde_json::Value>, String> {
    scope(flow, values, of, Form::Condition)
        .and_then(|scope| template::list(of, &scope))
        .map_err(|problem| problem.message)
}

/// Something about the world must be looked up before a condition can be evaluated.
#[derive(Debug)]
pub(crate) struct Unknown(pub(crate) BTreeSet<String>);

/// Evaluates one condition, with what it saw.
pub(crate) fn holds(
    flow: &Flow,
    values: &impl Values,
    when: &str,
    case: Option<&str>,
) -> Result<(Result<bool, String>, Tried), Unknown> {
    let (answer, saw) = match scope(flow, values, when, Form::Condition) {
        Ok(scope) => {
            let answer = template::holds(when, &scope);
            let missing = scope.outside.missing();
            if !missing.is_empty() {
                return Err(Unknown(missing));
            }
            (answer, template::seen(when, &scope))
        }
        Err(problem) => (Err(problem), std::collections::BTreeMap::new()),
    };
    let tried = Tried {
        case: case.map(str::to_owned),
        when: when.to_owned(),
        holds: answer.as_ref().ok().copied(),
        saw,
    };
    Ok((answer.map_err(|problem| problem.message), tried))
}

/// Tries the cases of a switch in order; the first whose condition is true is taken.
pub(crate) fn choose(
    flow: &Flow,
    values: &impl Values,
    switch: &Switch,
) -> Result<(Result<Option<Branch>, String>, Decision), Unknown> {
    let mut decision = Decision {
        taken: None,
        tried: Vec::new(),
    };
    for (position, case) in switch.cases.iter().enumerate() {
        let (answer, tried) = holds(flow, values, &case.when, Some(&case.label))?;
        decision.tried.push(tried);
        match answer {
            Ok(true) => {
                decision.taken = Some(case.label.clone());
                return Ok((Ok(Some(Branch::Case(position))), decision));
            }
            Ok(false) => {}
            Err(message) => {
                let message = format!("the condition of the case `{}`: {message}", case.label);
                return Ok((Err(message), decision));
            }
        }
    }
    let taken = otherwise(switch);
    decision.taken = taken
        .as_ref()
        .ok()
        .copied()
        .flatten()
        .map(|_| "default".to_owned());
    Ok((taken, decision))
}

/// What a switch does when no case matches.
pub(crate) fn otherwise(switch: &Switch) -> Result<Option<Branch>, String> {
    match (&switch.default, switch.required) {
        (Some(_), _) => Ok(Some(Branch::Default)),
        (None, false) => Ok(None),
        (None, true) => Err("no case matches, and one is required".to_owned()),
    }
}

/// The output of a switch.
pub(crate) fn branch_output(flow: &Flow, switch: StepIndex, branch: Option<Branch>) -> String {
    branch.map_or_else(String::new, |branch| {
        format!("branch:{}", flow.branch_label(switch, branch))
    })
}
