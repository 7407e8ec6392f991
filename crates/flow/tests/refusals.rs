//! Everything that is refused or warned of when a flow is read: line, column, words.

use std::fmt::Write as _;

use flow::Flow;

/// Reads a flow and lists what was found, with the text that stands at each place.
fn findings(text: &str) -> String {
    let found = match Flow::read(text) {
        Ok(flow) => flow.warnings().to_vec(),
        Err(refused) => refused.findings,
    };
    let mut told = String::new();
    for finding in found {
        let line = text
            .lines()
            .nth(finding.at.line.saturating_sub(1) as usize)
            .unwrap_or_default();
        let rest: String = line
            .chars()
            .skip(finding.at.column.saturating_sub(1) as usize)
            .take(14)
            .collect();
        let _ = writeln!(told, "{finding}  <<{rest}>>");
    }
    told
}

/// A flow of steps, each on a line of its own from line 3 on.
fn steps(lines: &[&str]) -> String {
    let mut text = "name: test\nsteps:\n".to_owned();
    for line in lines {
        let _ = writeln!(text, "  - {{ {line} }}");
    }
    findings(&text)
}

fn with_head(head: &str, lines: &[&str]) -> String {
    let mut text = format!("name: test\n{head}\nsteps:\n");
    for line in lines {
        let _ = writeln!(text, "  - {{ {line} }}");
    }
    findings(&text)
}

#[test]
fn the_file_must_be_what_it_says() {
    let mut told = String::new();
    for text in [
        "",
        "name: x\n",
        "name: x\nsteps: []\n",
        "name: x\nstep: []\n",
        "name: x\nname: y\nsteps: [{ id: a, value: x }]\n",
        "name: x\nsteps:\n  - id: a\n    vaule: x\n",
        "name: x\nsteps:\n  - id: a\n    value: x\n    trigger: all_sucess\n",
        "name: x\nsteps:\n  - id: a\n    run: x\n    retries: often\n",
        "name: x\nsteps:\n  - id: [\n",
        "name: x\nsteps: 7\n",
        "name: x\nsteps: [{ id: a, value: x }]\n---\nname: y\n",
    ] {
        told += &findings(text);
    }
    insta::assert_snapshot!(told, @r##"
    1:1: error: the file is empty (a flow has a `name` and `steps`)  <<>>
    1:1: error: the key `steps` is missing (add `steps:`)  <<name: x>>
    2:8: error: there are no steps (add at least one)  <<[]>>
    2:1: error: unknown key `step` (did you mean `steps`?)  <<step: []>>
    2:1: error: the key `name` is there twice (leave one of the two out)  <<name: y>>
    4:5: error: unknown key `vaule` (did you mean `value`?)  <<vaule: x>>
    5:14: error: `all_sucess` is not allowed here (did you mean `all_success`? there are `all_success`, `all_success_strict`, `one_success`, `all_done`, `all_settled`, `one_failed`, `all_failed`, `none_skipped`)  <<all_sucess>>
    5:14: error: this value has the wrong type (must be a whole number)  <<often>>
    3:9: error: this value has the wrong type (must be text)  <<[>>
    2:8: error: this value has the wrong type (must be a list)  <<7>>
    4:1: error: there is more than one document in the file (a file holds one flow; leave out the `---`)  <<name: y>>
    "##);
}

#[test]
fn names_must_lead_somewhere() {
    let mut told = String::new();
    told += &steps(&["id: a, value: x, needs: [b]"]);
    told += &steps(&["id: build, value: x", "id: test, value: x, needs: [biuld]"]);
    told += &steps(&["id: a, value: x, needs: ['batch:few']"]);
    told += &steps(&["id: a, value: x, batch: few"]);
    told += &steps(&["id: a, value: x", "id: a, value: y"]);
    told += &steps(&["id: my-step, value: x"]);
    told += &steps(&["id: a, agent: { backend: claude }, prompt: x"]);
    told += &steps(&["id: a, agent: { backend: command }, prompt: x"]);
    told += &steps(&["id: a, agent: { backend: acp }"]);
    told += &steps(&["id: a"]);
    told += &steps(&["id: a, run: x, value: y"]);
    told += &steps(&["id: a, run: x, prompt: y"]);
    told += &with_head(
        "defaults: { agent: { backend: claude } }",
        &[
            "id: a, prompt: x",
            "id: b, prompt: y",
            "id: c, run: x, prompt: z",
        ],
    );
    told += &steps(&["id: a, value: x", "id: b, value: x, needs: [a, a]"]);
    told += &with_head(
        "batches: { few: { max_concurrent: 0 } }",
        &["id: a, value: x, batch: few"],
    );
    told += &with_head(
        "batches: { few: { max_concurrent: 1 } }",
        &["id: a, value: x, needs: ['batch:few']"],
    );
    told += &steps(&["id: a, run: x, timeout: 10"]);
    told += &steps(&["id: a, run: x, retry_on: [soon]"]);
    insta::assert_snapshot!(told, @r##"
    3:32: error: there is no step `b` (there are `a`)  <<b] }>>
    4:35: error: there is no step `biuld` (did you mean `build`?)  <<biuld] }>>
    3:32: error: there is no batch `few` (there is no batch to name)  <<'batch:few'] }>>
    3:31: error: there is no batch `few` (there is no batch to name)  <<few }>>
    4:11: error: there is a step `a` already (the first is on line 3; every step has an id of its own)  <<a, value: y }>>
    3:11: error: `my-step` can't be the name of a step (a name starts with a letter and has letters, digits and `_` only, 64 at most, so that templates can say it, as in `my_step`)  <<my-step, value>>
    3:32: error: there is no backend `claude` (there are `acp`, `command`, `opencode`, `paseo`)  <<claude }, prom>>
    3:32: error: the backend `command` needs a `program` (as in `program: [claude, -p]`)  <<command }, pro>>
    3:21: error: the agent of `a` has no `prompt` (add `prompt:`)  <<{ backend: acp>>
    3:5: error: the step `a` does nothing (one of `agent`, `run`, `value`, `approval`, `switch` and `repeat` says what the step does)  <<{ id: a }>>
    3:29: error: the step `a` has both `run` and `value` (one of `agent`, `run`, `value`, `approval`, `switch` and `repeat` says what the step does)  <<y }>>
    3:30: error: `prompt` belongs to `agent`, which the step `a` does not have (leave it out)  <<y }>>
    2:31: error: there is no backend `claude` (there are `acp`, `command`, `opencode`, `paseo`)  <<claude } }>>
    6:30: error: `prompt` belongs to `agent`, which the step `c` does not have (leave it out)  <<z }>>
    4:35: error: `a` is needed twice (list it once)  <<a] }>>
    2:35: error: `max_concurrent` is 0 (must be at least 1, or no step could ever run)  <<0 } }>>
    4:32: error: no step is in the batch `few` (put steps into it, or leave the need out)  <<'batch:few'] }>>
    3:31: error: `10` is not a duration; write a number and a unit, as in `500ms`, `30s`, `10m`, `1h30m` or `2d`  <<10 }>>
    3:33: error: `soon` is no exit code (list exit codes, as in `[1, 75]`, and `timeout`)  <<soon] }>>
    "##);
}

#[test]
fn steps_must_be_able_to_run() {
    let always = "id: S, default: [], switch: [{ case: a, when: env.A == 'a', steps: [x] }, { case: b, when: env.A == 'b', steps: [y] }]";
    let mut told = String::new();
    told += &steps(&[
        "id: a, value: x, needs: [c]",
        "id: b, value: x, needs: [a]",
        "id: c, value: x, needs: [b]",
    ]);
    told += &steps(&["id: a, value: x, needs: [a]"]);
    told += &steps(&[always, "id: x, value: x, needs: [y]", "id: y, value: y"]);
    told += &steps(&[
        always,
        "id: x, value: x",
        "id: y, value: y",
        "id: z, value: z, needs: [x, y], trigger: all_success_strict",
    ]);
    told += &steps(&["id: a, value: x, when: false"]);
    told += &steps(&[
        "id: a, value: x, allow_failure: true",
        "id: b, value: x, needs: [a], trigger: one_failed",
    ]);
    told += &steps(&["id: a, value: x, bands: [small]"]);
    told += &with_head(
        "inputs: { band: { type: enum, values: [small] } }",
        &["id: a, value: x, bands: [huge]"],
    );
    told += &with_head(
        "inputs: { band: { type: enum, values: [small] } }",
        &["id: a, value: x, bands: []"],
    );
    told += &steps(&[
        "id: S, default: [], switch: [{ case: a, when: env.A == 'a' }, { case: a, when: env.A == 'b' }]",
    ]);
    told +=
        &steps(&["id: S, switch: [{ case: a, when: 1 == 1 }, { case: b, when: env.A == 'b' }]"]);
    told += &steps(&[
        "id: S, default: [x], switch: [{ case: a, when: 1 == 1 }]",
        "id: x, value: x",
    ]);
    told += &steps(&["id: S, default: [], switch: [{ case: a, when: 1 == 2 }]"]);
    told += &steps(&["id: S, default: [], switch: [{ case: default, when: env.A == 'b' }]"]);
    told +=
        &steps(&["id: S, default: [], switch: [{ case: a, when: env.A == 'b', steps: [nobody] }]"]);
    told += &steps(&[
        "id: a, value: x",
        "id: ok, approval: { message: x, on_reject: { goto: a } }",
    ]);
    told += &steps(&["id: ok, approval: { message: x, on_timeout: reject }"]);
    insta::assert_snapshot!(told, @r##"
    3:31: error: these steps wait for one another: `a` waits for `c` waits for `b` waits for `a` (take one of the needs out)  <<[c] }>>
    3:31: error: these steps wait for one another: `a` waits for `a` (take one of the needs out)  <<[a] }>>
    4:32: error: `x` runs in the case `a` of `S` and needs `y`, which runs in the case `b` only (list it in both cases, or in none)  <<y] }>>
    6:11: error: the step `z` can never run: it wants both `x` and `y`, which are in cases that exclude one another (change it, or leave the step out)  <<z, value: z, n>>
    3:11: error: the step `a` can never run: its condition is always false (change it, or leave the step out)  <<a, value: x, w>>
    4:11: error: the step `b` can never run: its needs can never end as its `trigger` wants (change it, or leave the step out)  <<b, value: x, n>>
    3:31: error: `bands` needs an input `band` (add `band: { type: enum, values: [small, large] }` to `inputs`)  <<[small] }>>
    4:32: error: `inputs.band` is never `huge` (one of `small`)  <<huge] }>>
    4:31: error: the step `a` can never run: `bands` is empty (list at least one band, or leave out `bands`)  <<[] }>>
    3:77: error: the switch `S` has a case `a` already (the first is on line 3)  <<a, when: env.A>>
    3:58: error: the case `b` is never reached: `a` before it is always true (put it before, or leave it out)  <<b, when: env.A>>
    3:23: error: the default of `S` is never reached: the case `a` is always true (leave one of the two out)  <<[x], switch: [>>
    3:53: error: the case `a` is never taken: its condition is always false (leave the case out)  <<1 == 2 }] }>>
    3:44: error: `default` can't be the label of a case (the steps when no case matches stand under the key `default`)  <<default, when:>>
    3:75: error: there is no step `nobody` (there are `S`)  <<nobody] }] }>>
    4:50: error: `a` does not come before `ok`, so nothing can go back to it (name a step that this one waits for)  <<{ goto: a } } >>
    3:51: error: `on_timeout` without a `timeout` (add `timeout:`, or leave it out)  <<reject } }>>
    "##);
}

#[test]
fn templates_name_only_what_is_there() {
    let mut told = String::new();
    told += &steps(&["id: a, value: '{{ inputs.question }}'"]);
    told += &with_head(
        "inputs: { question: { type: text } }",
        &["id: a, value: '{{ inputs.qestion }}'"],
    );
    told += &with_head(
        "inputs: { question: { type: text } }",
        &["id: a, value: '{{ question }}'"],
    );
    told += &steps(&["id: a, value: x", "id: b, value: '{{ results.a.output }}'"]);
    told += &steps(&["id: a, value: '{{ results.a.output }}'"]);
    told += &steps(&[
        "id: a, value: x",
        "id: b, needs: [a], value: '{{ results.a.ouput }}'",
    ]);
    told += &steps(&[
        "id: a, value: x",
        "id: b, needs: [a], value: '{{ results.nobody.output }}'",
    ]);
    told += &steps(&["id: a, value: '{{ run.name }}'"]);
    told += &steps(&["id: a, value: '{{ inputs.a | uper }}'"]);
    told += &steps(&["id: a, value: '{{ 1 + }}'"]);
    told += &steps(&["id: a, value: x, when: '{{ 1 == 1 }}'"]);
    told += &steps(&["id: a, value: x, when: 1 =="]);
    told += &steps(&[
        "id: a, value: x",
        "id: b, needs: [a], run: 'echo {{ results.a.output }}'",
    ]);
    told += &findings(
        "name: x\nsteps:\n  - id: a\n    value: |\n      first line\n      and {{ inputs.nothing }}\n",
    );
    insta::assert_snapshot!(told, @r##"
    3:25: error: there is no input `question` (there is no input to name)  <<inputs.questio>>
    4:25: error: there is no input `qestion` (did you mean `question`?)  <<inputs.qestion>>
    4:25: error: there is no `question` (did you mean `inputs.question`?)  <<question }}' }>>
    4:25: error: `a` does not come before `b`, so its result may not be there (add it to the needs: `needs: [a]`)  <<results.a.outp>>
    3:25: error: `a` can't look at its own result (add it to the needs: `needs: [a]`)  <<results.a.outp>>
    4:37: error: a result has no `ouput` (did you mean `output`?)  <<results.a.oupu>>
    4:37: error: there is no step `nobody` (there are `a`, `b`)  <<results.nobody>>
    3:25: error: a run has no `name` (there are `id`, `flow` and `started_at`)  <<run.name }}' }>>
    3:25: error: there is no input `a` (there is no input to name)  <<inputs.a | upe>>
    3:36: error: there is no filter `uper`  <<uper }}' }>>
    3:29: error: this template can't be read: unexpected end of variable block  <<}}' }>>
    3:31: error: this condition can't be read: a condition is an expression already; leave out the `{{ }}`  <<{{ 1 == 1 }}' >>
    3:32: error: this condition can't be read: unexpected end of input, expected expression  <<== }>>
    4:40: error: a script is never a template, so `results.a.output` would reach the shell as it stands (add `env: { VALUE: "{{ results.a.output }}" }` and write `"$VALUE"`)  <<results.a.outp>>
    6:14: error: there is no input `nothing` (there is no input to name)  <<inputs.nothing>>
    "##);
}

#[test]
fn what_may_not_be_meant_is_warned_of() {
    let mut told = String::new();
    told += &steps(&["id: S, switch: [{ case: a, when: env.A == 'b' }]"]);
    told += &steps(&[
        "id: a, agent: { backend: acp, name: x }, prompt: x",
        "id: b, needs: [a], value: x, when: results.a.output == 'yes'",
    ]);
    told += &steps(&[
        "id: a, agent: { backend: acp, name: x }, prompt: x, env: { A: b }",
        "id: b, agent: { backend: command, program: [x] }, prompt: x, env: { A: b }",
    ]);
    insta::assert_snapshot!(told, @r##"
    3:22: warning: the switch `S` has no `default`: when no case matches, every branch is skipped (add `default: [STEP]`, `default: []` to say that this is meant, or `required: true`)  <<[{ case: a, wh>>
    4:42: warning: this condition depends on the free text of the agent `a` (let it answer JSON with `output: { type: json }` and look at its `data`)  <<results.a.outp>>
    3:69: warning: `A` does not reach an agent of the backend `acp`: its process is not started for this step (say it in the `prompt`, or use the backend `command`)  <<b } }>>
    "##);
}

#[test]
fn inputs_are_typed() {
    let mut told = String::new();
    for input in [
        "a: { type: enum }",
        "a: { type: text, values: [x] }",
        "a: { type: enum, values: [x], default: y }",
        "a: { type: integer, default: 1.5 }",
        "a: { type: word }",
    ] {
        told += &with_head(&format!("inputs: {{ {input} }}"), &["id: s, value: x"]);
    }
    insta::assert_snapshot!(told, @r##"
    2:14: error: `a` is an `enum` without `values` (add `values: [one, two]`)  <<{ type: enum }>>
    2:36: error: `a` has `values`, but is no `enum` (say `type: enum`, or leave out `values`)  <<[x] } }>>
    2:50: error: the default of `a` must be one of `x`, not `y`  <<y } }>>
    2:40: error: the default of `a` must be a whole number, not `1.5`  <<1.5 } }>>
    2:22: error: `word` is not allowed here (one of `text`, `number`, `integer`, `boolean`, `enum`, `secret`)  <<word } }>>
    "##);
}

/// A flow in which every key stands once.
const EVERYTHING: &str = r#"{
    "name": "all", "description": "d", "max_concurrent": 3,
    "inputs": {
        "band": { "type": "enum", "values": ["small", "large"], "default": "small", "required": false, "description": "d" }
    },
    "defaults": { "timeout": "1m", "total_timeout": "2m", "idle_timeout": "3m", "retries": 1, "backoff": "1s", "env": { "A": "b" }, "cwd": "." },
    "batches": { "few": { "max_concurrent": 1, "timeout": "1m", "join": "all_done" } },
    "steps": [
        { "id": "plan", "agent": { "backend": "command", "provider": "p", "name": "n", "model": "m", "mode": "o", "program": ["x"], "prompt_by": "file" },
          "prompt": "p", "output": { "type": "json", "schema": { "type": "object" } }, "worktree": "new" },
        { "id": "route", "needs": ["plan"], "required": false, "default": ["other"],
          "switch": [{ "case": "a", "when": "results.plan.data.kind == 'a'", "steps": ["work"] }] },
        { "id": "work", "description": "d", "run": "true", "trigger": "all_success", "when": "inputs.band == 'small'",
          "bands": ["small"], "batch": "few", "timeout": "1m", "total_timeout": "2m", "idle_timeout": "3m", "retries": 1, "backoff": "1s",
          "retry_on": ["1"], "allow_failure": true, "on_interrupt": "ask", "idempotent": false, "env": { "A": "b" }, "cwd": "." },
        { "id": "other", "value": "x" },
        { "id": "ask", "needs": ["work", "other"],
          "approval": { "message": "m", "form": { "f": { "type": "text" } }, "timeout": "1m", "on_timeout": "fail", "on_reject": { "goto": "other" } } }
    ],
    "output": { "file": "f", "render": "r" }
}"#;

/// Every value of a JSON document, by the way that leads to it.
fn places(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{at}/{key}"), found);
            }
        }
        serde_json::Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                places(value, &format!("{at}/{number}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn whatever_is_wrong_is_said_without_the_words_of_a_programming_language() {
    let everything: serde_json::Value = serde_json::from_str(EVERYTHING).unwrap();
    assert_eq!(findings(EVERYTHING), "");
    let mut all = Vec::new();
    places(&everything, "", &mut all);
    let wrong = [
        serde_json::json!(null),
        serde_json::json!(5),
        serde_json::json!(-5),
        serde_json::json!(3.5),
        serde_json::json!(1e300),
        serde_json::json!(true),
        serde_json::json!("word"),
        serde_json::json!(""),
        serde_json::json!("{{ x"),
        serde_json::json!([]),
        serde_json::json!([[]]),
        serde_json::json!({}),
        serde_json::json!({ "odd": 1 }),
    ];
    let foreign = [
        "Some(",
        "None",
        "Ok(",
        "Err(",
        "unwrap",
        "struct",
        "enum ",
        "variant",
        "newtype",
        "tuple",
        "invalid type",
        "invalid value",
        "unit value",
        "Option",
        "sequence",
        "mapping",
        "floating point",
        "boolean",
        "integer `",
        "i64",
        "u64",
        "f64",
        "::",
        "serde",
        "scalar",
    ];
    let mut complaints = Vec::new();
    let mut refused = 0;
    for place in &all {
        for value in &wrong {
            let mut flow = everything.clone();
            *flow.pointer_mut(place).unwrap() = value.clone();
            let told = findings(&flow.to_string());
            refused += usize::from(told.contains(" error: "));
            for line in told.lines() {
                // What is quoted from the file is behind it.
                let said = line.split("  <<").next().unwrap_or_default();
                let said: String = said.split(['`', '"']).step_by(2).collect();
                if let Some(word) = foreign.iter().find(|word| said.contains(**word)) {
                    complaints.push(format!("{place} = {value}: `{word}`: {said}"));
                }
            }
        }
    }
    assert!(refused > 500, "{refused}");
    complaints.dedup();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_key_that_is_almost_right_is_told_what_it_may_have_been_meant_to_be() {
    for (wrong, right) in [
        ("retry: 2", "retries"),
        ("retires: 2", "retries"),
        ("need: [b]", "needs"),
        ("depends_on: [b]", "needs"),
        ("if: 'true'", "when"),
        ("shell: x", "run"),
        ("time_out: 1m", "timeout"),
        ("environment: {}", "env"),
    ] {
        let told = steps(&[&format!("id: a, run: make, {wrong}"), "id: b, run: make"]);
        assert!(
            told.contains(&format!("did you mean `{right}`?")),
            "{wrong}: {told}"
        );
    }
}

#[test]
fn rounds_are_closed_and_bounded() {
    let mut told = String::new();
    let test = "id: test, run: x";
    let green = |repeat: &str| format!("id: green, repeat: {{ {repeat} }}");
    let until = "until: results.test.exit_code == 0";
    for times in ["0", "1001", "-1"] {
        told += &steps(&[
            test,
            &green(&format!("steps: [test], {until}, times: {times}")),
        ]);
    }
    told += &steps(&[test, &green(&format!("steps: [test], {until}"))]);
    told += &steps(&[test, &green("steps: [], until: 1 == 1, times: 2")]);
    told += &steps(&[test, &green("steps: [test], until: 1 == 2, times: 2")]);
    told += &steps(&[
        test,
        &green("steps: [tset, test, test, green], until: rounds.green == 2, times: 2"),
    ]);
    told += &steps(&[test, &green("steps: [test], until: '{{ 1 }}', times: 2")]);
    let good = green(&format!("steps: [test], {until}, times: 2"));
    told += &steps(&[
        test,
        &format!("{good}, when: 1 == 1, retries: 2, timeout: 1m"),
    ]);
    told += &steps(&[test, &format!("{good}, needs: [test]")]);
    // Rounds are neither within one another nor shared.
    told += &steps(&[
        test,
        &good,
        "id: more, repeat: { steps: [green], until: rounds.more == 2, times: 2 }",
    ]);
    told += &steps(&[
        test,
        &good,
        "id: more, repeat: { steps: [test], until: rounds.more == 2, times: 2 }",
    ]);
    // What comes after goes on from the whole.
    told += &steps(&[test, &good, "id: ship, value: x, needs: [test]"]);
    told += &with_head(
        "batches: { few: { max_concurrent: 1 } }",
        &[
            "id: test, run: x, batch: few",
            &good,
            "id: ship, value: x, needs: ['batch:few']",
        ],
    );
    told += &steps(&[
        "id: S, switch: [{ case: a, when: run.id == '', steps: [x] }], default: []",
        "id: x, value: x",
        "id: green, repeat: { steps: [S], until: rounds.green == 2, times: 2 }",
    ]);
    // Names that rounds have.
    told += &steps(&["id: a, value: '{{ last.a.output }}'"]);
    told += &steps(&[
        test,
        &good,
        "id: b, value: '{{ last.test.output }} {{ rounds.green }}'",
    ]);
    told += &steps(&[
        "id: a, value: x",
        "id: test, run: x, needs: [a], env: { A: '{{ last.a.output }} {{ last.test.outptu }} {{ last.tset }} {{ rounds.gren }}' }",
        &good,
    ]);
    insta::assert_snapshot!(told, @r#"
    4:86: error: `times` is 0 (must be between 1 and 1000)  <<0 } }>>
    4:86: error: `times` is 1001 (must be between 1 and 1000)  <<1001 } }>>
    4:86: error: `times` is -1 (must be between 1 and 1000)  <<-1 } }>>
    4:43: error: the key `times` is missing (add `times:`)  <<until: results>>
    4:35: error: `green` repeats no steps (list at least one)  <<[], until: 1 =>>
    4:50: error: the rounds of `green` never do: `until` is always false (say what is to be reached, as in `results.test.state == "succeeded"`)  <<1 == 2, times:>>
    4:36: error: there is no step `tset` (did you mean `test`?)  <<tset, test, te>>
    4:48: error: `test` is listed twice (list it once)  <<test, green], >>
    4:54: error: `green` can't repeat itself (list the steps of a round)  <<green], until:>>
    4:51: error: this condition can't be read: a condition is an expression already; leave out the `{{ }}`  <<{{ 1 }}', time>>
    4:97: error: `when` is not for a `repeat`, as `green` is (say `when` at the steps that it repeats)  <<1 == 1, retrie>>
    4:114: error: `retries` is not for a `repeat`, as `green` is (say `retries` at the steps that it repeats)  <<2, timeout: 1m>>
    4:126: error: `timeout` is not for a `repeat`, as `green` is (say `timeout` at the steps that it repeats)  <<1m }>>
    4:99: error: `green` waits for `test` already, which it repeats (leave it out of the needs)  <<test] }>>
    5:35: error: `green` is a `repeat`, and rounds within rounds there are not (list steps of the other kinds)  <<green], until:>>
    5:35: error: `test` is repeated by `green` already (a step is done in the rounds of one `repeat`)  <<test], until: >>
    5:35: error: `ship` needs `test`, which `green` may do again (need `green`, which has ended when its last round has: `needs: [green]`)  <<test] }>>
    6:35: error: `ship` needs `test` of `batch:few`, which `green` may do again (need `green`, which has ended when its last round has: `needs: [green]`)  <<'batch:few'] }>>
    4:5: error: `x` is in a case of `S`, which `green` may do again (list `x` in the `steps` of `green` as well)  <<{ id: x, value>>
    3:25: error: `last` is what a step came to in the round before, and here are no rounds (did you mean `results.a`?)  <<last.a.output >>
    5:25: error: `last` is what a step came to in the round before, and here are no rounds (did you mean `results.test`?)  <<last.test.outp>>
    5:48: error: `green` does not come before `b`, so it may have no rounds yet (add it to the needs: `needs: [green]`)  <<rounds.green }>>
    4:51: error: `a` is not done in the rounds of `green` (did you mean `results.a`?)  <<last.a.output >>
    4:71: error: a result has no `outptu` (did you mean `output`?)  <<last.test.outp>>
    4:94: error: there is no step `tset` (did you mean `test`?)  <<last.tset }} {>>
    4:110: error: there is no `repeat` `gren` (did you mean `green`?)  <<rounds.gren }}>>
    "#);
}

#[test]
fn lists_go_with_steps_that_are_at_work_themselves() {
    let mut told = String::new();
    told += &steps(&["id: a, value: x, foreach: { max_concurrent: 1 }"]);
    told += &steps(&["id: a, value: x, foreach: { of: '[1]', max_concurrent: 0 }"]);
    told += &steps(&["id: a, value: x, foreach: { of: results.b.data }"]);
    told += &steps(&["id: a, value: '{{ item }} {{ index }}'"]);
    told += &steps(&[
        "id: a, value: '{{ item.name }} {{ index }}', when: item == 1, foreach: { of: '[item]' }",
    ]);
    told += &steps(&[
        "id: S, foreach: { of: '[1]' }, default: [], switch: [{ case: a, when: run.id == '', steps: [x] }]",
        "id: x, value: x",
    ]);
    told += &with_head(
        "batches: { few: { max_concurrent: 1 } }",
        &["id: a, value: x, batch: few, foreach: { of: '[1]' }"],
    );
    told += &steps(&[
        "id: a, value: x, foreach: { of: '[1]' }",
        "id: r, repeat: { steps: [a], until: rounds.r == 2, times: 2 }",
    ]);
    insta::assert_snapshot!(told, @r"
    3:35: error: the key `of` is missing (add `of:`)  <<max_concurrent>>
    3:62: error: `max_concurrent` is 0 (must be at least 1, or no step could ever run)  <<0 } }>>
    3:39: error: there is no step `b` (there are `a`)  <<results.b.data>>
    3:25: error: there is no `item` here (it is known in what a step with `foreach` does for each item, and not in its `when`)  <<item }} {{ ind>>
    3:36: error: there is no `index` here (it is known in what a step with `foreach` does for each item, and not in its `when`)  <<index }}' }>>
    3:58: error: there is no `item` here (it is known in what a step with `foreach` does for each item, and not in its `when`)  <<item == 1, for>>
    3:86: error: there is no `item` here (it is known in what a step with `foreach` does for each item, and not in its `when`)  <<item]' } }>>
    3:59: error: a `switch` can't be done for each item of a list, as `S` is (`foreach` goes with `agent`, `run`, `value` and `approval`)  <<[{ case: a, wh>>
    4:31: error: `a` is done for each item of a list, and is in a batch (limit its items by `max_concurrent` in `foreach`)  <<few, foreach: >>
    4:32: error: `a` is done for each item of a list, and that can't be done in rounds (repeat other steps)  <<a], until: rou>>
    ");
}
