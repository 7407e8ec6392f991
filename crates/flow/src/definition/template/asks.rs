//! What a template or a condition asks for, read from its parsed form: names, filters and tests.

use std::collections::BTreeSet;

use minijinja::machinery::ast::{Call, CallArg, Expr, Stmt};

/// What a source asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asks {
    /// The dotted names that it takes from outside: `inputs.question`, `results.plan.data.kind`. A name ends
    /// where what follows is only known when it is folded.
    pub(crate) names: BTreeSet<String>,
    pub(crate) filters: BTreeSet<String>,
    pub(crate) tests: BTreeSet<String>,
    /// Whether it makes namespaces, which are the only values that a template can change.
    pub(crate) has_namespaces: bool,
    /// A namespace that is used otherwise than by its fields: so it might come to hold itself.
    pub(crate) loose_namespace: Option<String>,
}

/// The function that makes a namespace.
const NAMESPACE: &str = "namespace";

impl Asks {
    pub(super) fn of_expression(expression: &Expr<'_>) -> Self {
        let mut reader = Reader::default();
        reader.expression(expression);
        reader.asks
    }

    pub(super) fn of_template(template: &Stmt<'_>) -> Self {
        let mut reader = Reader::default();
        reader.statements(std::slice::from_ref(template));
        reader.namespaces.insert(NAMESPACE);
        let mut loose = reader.whole.intersection(&reader.namespaces);
        reader.asks.loose_namespace = loose.next().map(|name| (*name).to_owned());
        reader.asks
    }
}

/// Reads a tree from its top to its end, with the names that it gives itself on the way.
#[derive(Default)]
struct Reader<'a> {
    asks: Asks,
    own: Vec<BTreeSet<&'a str>>,
    /// The names that namespaces were given.
    namespaces: BTreeSet<&'a str>,
    /// The names that were used otherwise than to ask for what is below them.
    whole: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn within(&mut self, read: impl FnOnce(&mut Self)) {
        self.own.push(BTreeSet::new());
        read(self);
        self.own.pop();
    }

    fn is_own(&self, name: &str) -> bool {
        self.own.iter().any(|own| own.contains(name))
    }

    /// From here on, these names are the template's own.
    fn assign(&mut self, target: &Expr<'a>) {
        match target {
            Expr::Var(name) => {
                if let Some(own) = self.own.last_mut() {
                    own.insert(name.id);
                }
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.assign(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item)),
            other => self.expression(other),
        }
    }

    fn statements(&mut self, statements: &[Stmt<'a>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'a>) {
        match statement {
            Stmt::Template(all) => self.within(|inner| inner.statements(&all.children)),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(each) => {
                self.expression(&each.iter);
                self.within(|inner| {
                    if let Some(own) = inner.own.last_mut() {
                        own.insert("loop");
                    }
                    inner.assign(&each.target);
                    inner.expressions(&each.filter_expr);
                    inner.statements(&each.body);
                });
                self.within(|inner| inner.statements(&each.else_body));
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                // What is set on one way only may still be what was there before.
                self.within(|inner| inner.statements(&condition.true_body));
                self.within(|inner| inner.statements(&condition.false_body));
            }
            Stmt::WithBlock(with) => self.within(|inner| {
                for (target, value) in &with.assignments {
                    inner.expression(value);
                    inner.assign(target);
                }
                inner.statements(&with.body);
            }),
            Stmt::Set(set) => {
                match (&set.target, &set.expr) {
                    (Expr::Var(target), Expr::Call(call)) if is_namespace(&call.expr) => {
                        self.asks.has_namespaces = true;
                        self.namespaces.insert(target.id);
                        self.arguments(&call.args);
                    }
                    (_, value) => self.expression(value),
                }
                self.assign(&set.target);
            }
            Stmt::SetBlock(set) => {
                self.expressions(&set.filter);
                self.within(|inner| inner.statements(&set.body));
                self.assign(&set.target);
            }
            Stmt::AutoEscape(escape) => {
                self.expression(&escape.enabled);
                self.within(|inner| inner.statements(&escape.body));
            }
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter);
                self.within(|inner| inner.statements(&block.body));
            }
            Stmt::Do(what) => self.call(&what.call),
        }
    }

    fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr<'a>>)
    where
        'a: 'e,
    {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn call(&mut self, call: &Call<'a>) {
        self.expression(&call.expr);
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[CallArg<'a>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.expression(value),
            }
        }
    }

    fn expression(&mut self, expression: &Expr<'a>) {
        if let Expr::Var(name) = expression {
            self.whole.insert(name.id);
        }
        if let Some(name) = self.name(expression) {
            self.asks.names.extend(name);
            return;
        }
        match expression {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                self.expressions(
                    [&slice.start, &slice.stop, &slice.step]
                        .into_iter()
                        .flatten(),
                );
            }
            Expr::UnaryOp(operator) => self.expression(&operator.expr),
            Expr::BinOp(operator) => self.expressions([&operator.left, &operator.right]),
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                self.expressions(compare.ops.iter().map(|operator| &operator.expr));
            }
            Expr::IfExpr(choice) => {
                self.expressions([&choice.test_expr, &choice.true_expr]);
                self.expressions(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.asks.filters.insert(filter.name.to_owned());
                self.expressions(&filter.expr);
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.asks.tests.insert(test.name.to_owned());
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::GetAttr(part) => self.expression(&part.expr),
            Expr::GetItem(part) => self.expressions([&part.expr, &part.subscript_expr]),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.expressions(&list.items),
            Expr::Tuple(tuple) => self.expressions(&tuple.items),
            Expr::Map(map) => self.expressions(map.keys.iter().chain(&map.values)),
        }
    }

    /// The name that an expression is, if it is one: none inside when the template gave it itself.
    fn name(&self, expression: &Expr<'a>) -> Option<Option<String>> {
        match expression {
            Expr::Var(name) if self.is_own(name.id) => Some(None),
            Expr::Var(name) => Some(Some(name.id.to_owned())),
            Expr::GetAttr(part) => {
                let whole = self.name(&part.expr)?;
                Some(whole.map(|whole| format!("{whole}.{}", part.name)))
            }
            Expr::GetItem(part) => {
                let Expr::Const(key) = &part.subscript_expr else {
                    return None;
                };
                let key = key.value.as_str().filter(|key| is_word(key))?;
                let whole = self.name(&part.expr)?;
                Some(whole.map(|whole| format!("{whole}.{key}")))
            }
            _ => None,
        }
    }
}

fn is_namespace(expression: &Expr<'_>) -> bool {
    matches!(expression, Expr::Var(name) if name.id == NAMESPACE)
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use minijinja::Value;
    use minijinja::value::Object;
    use proptest::prelude::*;

    use super::super::{Form, asks, environment};
    use super::*;

    /// A world that writes down what it is asked for: below every name there is another one, or a text.
    #[derive(Debug)]
    struct Trace {
        path: Vec<String>,
        asked: Arc<Mutex<BTreeSet<String>>>,
    }

    impl Object for Trace {
        fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
            let mut path = self.path.clone();
            path.push(key.as_str()?.to_owned());
            if path.len() == 2 {
                self.asked.lock().unwrap().insert(path.join("."));
            }
            Some(match path.len() {
                3 => Value::from("abcdef"),
                _ => Value::from_object(Trace {
                    path,
                    asked: Arc::clone(&self.asked),
                }),
            })
        }
    }

    /// Renders `source` and gives what it asked its world for, as `results.m`.
    fn asked(source: &str) -> BTreeSet<String> {
        let asked = Arc::default();
        let spaces = ["inputs", "results"].map(|space| {
            let path = vec![space.to_owned()];
            let asked = Arc::clone(&asked);
            (space, Value::from_object(Trace { path, asked }))
        });
        // Some fail on their way, and have asked for something by then.
        let template = environment().template_from_str(source).unwrap();
        let _ = template.render(Value::from_pairs(spaces));
        asked.lock().unwrap().clone()
    }

    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("results.a.output".to_owned()),
            Just("results['b'].output".to_owned()),
            Just("results.c['output']".to_owned()),
            Just("inputs.d.e".to_owned()),
            Just("results.f".to_owned()),
            Just("own".to_owned()),
            Just("'text'".to_owned()),
            Just("2".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let three = (inner.clone(), inner.clone(), inner.clone(), 0..FORMS.len());
            three.prop_map(|(a, b, c, form)| {
                FORMS[form]
                    .replace("AA", &a)
                    .replace("BB", &b)
                    .replace("CC", &c)
            })
        })
    }

    const FORMS: [&str; 24] = [
        "(AA)[:3]",
        "(AA)[1:]",
        "'abc'[BB | length:]",
        "'abc'[::BB | length]",
        "(AA)[BB]",
        "(AA).k",
        "(AA if BB else CC)",
        "(AA if BB)",
        "(AA ~ BB)",
        "[AA, BB]",
        "(AA, BB)",
        "{'k': AA}",
        "{AA: BB}",
        "(not AA)",
        "(AA == BB)",
        "(AA < BB <= CC)",
        "(AA in [BB])",
        "(AA and BB or CC)",
        "(AA | default(BB))",
        "(AA | upper)",
        "(AA is defined)",
        "(AA is in([BB]))",
        "dict(k=AA).k",
        "range(*[AA | length])",
    ];

    const STATEMENTS: [&str; 12] = [
        "{{ AA }}",
        "{% set own = AA %}{{ BB }}",
        "{% set results = AA %}{{ BB }}",
        "{% set own, results = [AA, BB] %}{{ CC }}",
        "{% with own = AA, inputs = BB %}{{ CC }}{% endwith %}{{ AA }}",
        "{% for own in [AA] if BB %}{{ CC }}{{ loop.index }}{% else %}{{ BB }}{% endfor %}{{ CC }}",
        "{% for results in [AA] %}{{ BB }}{% endfor %}{{ CC }}",
        "{% if AA %}{% set results = BB %}{% else %}{{ CC }}{% endif %}{{ BB }}",
        "{% filter default(AA) %}{{ BB }}{% endfilter %}{{ CC }}",
        "{% set own | default(AA) %}{{ BB }}{% endset %}{{ CC }}",
        "{% set ns = namespace(k=AA) %}{% set ns.k = BB %}{{ ns.k }}{{ CC }}",
        "{% autoescape AA %}{{ BB }}{% endautoescape %}{% do dict(k=CC) %}",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn whatever_a_run_asks_for_was_named(
            statement in 0..STATEMENTS.len(), a in expression(), b in expression(), c in expression()
        ) {
            let source = STATEMENTS[statement].replace("AA", &a).replace("BB", &b).replace("CC", &c);
            let names = asks(&source, Form::Text).unwrap().names;
            for asked in asked(&source) {
                let space = asked.split('.').next().unwrap();
                let below = format!("{asked}.");
                // A space without a name after it is refused, so it stands for all that is in it.
                let named = names.iter().any(|name| *name == asked || name.starts_with(&below) || name == space);
                prop_assert!(named, "{} asks for {}, of {:?}", source, asked, names);
            }
        }
    }
}
