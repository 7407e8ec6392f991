//! Approvals that are answered in the terminal where the run is followed.

use std::collections::VecDeque;
use std::io::BufRead as _;

use flow::{Given, Happened, InputInfo, Question};
use tokio::sync::mpsc;

/// What is asked, and what the person has said so far.
#[derive(Default)]
pub(super) struct Asking {
    waiting: VecDeque<(String, Question)>,
    /// The fields of the first one that are filled in, once the person said yes.
    filled: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Asking {
    /// Takes note of what is asked, and of what somebody answered elsewhere. Says whether what is asked now is new.
    pub(super) fn note(&mut self, what: &Happened) -> bool {
        let before = self.waiting.front().map(|(step, _)| step.clone());
        match what {
            Happened::StepAsked { step, question, .. } => {
                self.waiting.push_back((step.clone(), question.clone()));
            }
            Happened::StepAnswered { step, .. } | Happened::StepEnded { step, .. } => {
                self.drop_step(step);
            }
            _ => return false,
        }
        let now = self.waiting.front().map(|(step, _)| step);
        now.is_some() && now != before.as_ref()
    }

    fn drop_step(&mut self, step: &str) {
        if self.waiting.front().is_some_and(|(first, _)| first == step) {
            self.filled = None;
        }
        self.waiting.retain(|(waiting, _)| waiting != step);
    }

    /// What the person is asked now.
    pub(super) fn prompt(&self) -> Option<String> {
        let (step, question) = self.waiting.front()?;
        let Some(field) = self.field(question) else {
            return Some(format!("  {step}: yes or no? "));
        };
        let values = if field.values.is_empty() {
            String::new()
        } else {
            format!(" ({})", field.values.join(", "))
        };
        let default = match &field.default {
            Some(serde_json::Value::String(text)) => format!(" [{text}]"),
            Some(value) => format!(" [{value}]"),
            None => String::new(),
        };
        Some(format!("  {}{values}{default}: ", field.name))
    }

    /// The field that is to be filled in next.
    fn field<'q>(&self, question: &'q Question) -> Option<&'q InputInfo> {
        let filled = self.filled.as_ref()?;
        let mut fields = question.form.iter();
        fields.find(|field| !filled.contains_key(&field.name))
    }

    /// Takes a line that the person typed. Gives the answer once it is complete.
    pub(super) fn said(&mut self, line: &str) -> Option<(String, Given)> {
        let line = line.trim();
        let (step, question) = self.waiting.front()?.clone();
        let approved = match (self.field(&question), line.to_lowercase().as_str()) {
            (Some(field), "") => {
                let value = match &field.default {
                    Some(default) => default.clone(),
                    None if field.required => return None,
                    None => serde_json::Value::Null,
                };
                self.fill(field, value);
                true
            }
            (Some(field), _) => {
                self.fill(field, line.into());
                true
            }
            (None, "y" | "yes") => {
                self.filled = Some(serde_json::Map::new());
                true
            }
            (None, "n" | "no") => false,
            (None, _) => return None,
        };
        if approved && self.field(&question).is_some() {
            return None;
        }
        let mut form = self.filled.take().unwrap_or_default();
        form.retain(|_, value| !value.is_null());
        self.drop_step(&step);
        let given = Given {
            approved,
            form: if approved {
                form
            } else {
                serde_json::Map::new()
            },
            comment: None,
            by_timeout: false,
        };
        Some((step, given))
    }

    fn fill(&mut self, field: &InputInfo, value: serde_json::Value) {
        if let Some(filled) = &mut self.filled {
            filled.insert(field.name.clone(), value);
        }
    }

    /// What the person said was not accepted: the step asks again.
    pub(super) fn again(&mut self, step: String, question: Question) {
        self.waiting.push_front((step, question));
    }

    /// The question of a step that waits.
    pub(super) fn question(&self) -> Option<Question> {
        self.waiting.front().map(|(_, question)| question.clone())
    }
}

/// The lines that a person types, for as long as there are any.
pub(super) fn lines() -> mpsc::UnboundedReceiver<String> {
    let (tell, told) = mpsc::unbounded_channel();
    // It ends with the process: nothing else ends a read of a terminal.
    let reader = std::thread::Builder::new().name("terminal".to_owned());
    let spawned = reader.spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "what is typed can't be read");
    }
    told
}

#[cfg(test)]
mod tests {
    use flow::QuestionKind;
    use serde_json::json;

    use super::*;

    fn asked(step: &str, form: serde_json::Value) -> Happened {
        let question = json!({ "kind": QuestionKind::Approval, "message": "Ship it?", "form": form, "due": null });
        Happened::StepAsked {
            step: step.to_owned(),
            attempt: 1,
            question: serde_json::from_value(question).unwrap(),
        }
    }

    fn field(name: &str, required: bool, default: serde_json::Value) -> serde_json::Value {
        json!({ "name": name, "type": "text", "required": required, "default": default, "values": [], "description": null })
    }

    #[test]
    fn a_question_is_answered_with_yes_or_no_and_nothing_else() {
        let mut asking = Asking::default();
        assert!(asking.note(&asked("ship", json!([]))));
        assert!(
            !asking.note(&asked("tell", json!([]))),
            "one after the other"
        );
        assert_eq!(asking.prompt().as_deref(), Some("  ship: yes or no? "));
        assert_eq!(asking.said("perhaps"), None);
        let (step, given) = asking.said(" Y ").unwrap();
        assert_eq!((step.as_str(), given.approved), ("ship", true));
        let (step, given) = asking.said("no").unwrap();
        assert_eq!((step.as_str(), given.approved), ("tell", false));
        assert_eq!(asking.prompt(), None);
        assert_eq!(asking.said("yes"), None);
    }

    #[test]
    fn the_fields_of_a_form_are_asked_for_once_the_person_said_yes() {
        let mut asking = Asking::default();
        let form = json!([
            field("version", false, json!("patch")),
            field("notes", true, json!(null)),
        ]);
        asking.note(&asked("ship", form));
        assert_eq!(asking.said("yes"), None);
        assert_eq!(asking.prompt().as_deref(), Some("  version [patch]: "));
        assert_eq!(asking.said(""), None);
        assert_eq!(asking.prompt().as_deref(), Some("  notes: "));
        assert_eq!(asking.said(""), None, "it is required");
        let (_, given) = asking.said("none at all").unwrap();
        let form = serde_json::Value::Object(given.form);
        assert_eq!(form, json!({ "version": "patch", "notes": "none at all" }));
    }

    #[test]
    fn what_somebody_else_answered_is_asked_no_more() {
        let mut asking = Asking::default();
        asking.note(&asked("ship", json!([])));
        asking.note(&Happened::StepEnded {
            step: "ship".to_owned(),
            attempt: 1,
            ended: serde_json::from_value(json!({
                "state": "succeeded", "exit_code": null, "message": null, "branch": null, "decision": null
            }))
            .unwrap(),
        });
        assert_eq!(asking.prompt(), None);
    }
}
