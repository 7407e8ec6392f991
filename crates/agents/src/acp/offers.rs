//! What an agent offers for a session beside answers: settings (models, modes and the like), commands, images.

use agent_client_protocol::UntypedMessage;
use serde_json::{Value, json};

use crate::error::{AgentError, capped};
use crate::types::{AgentCommand, AgentSetting, Offers, SettingChoice};

/// How a setting is set: agents of before the protocol's options have requests of their own for two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Option,
    Mode,
    Model,
}

/// What a session offers, and how it is set.
#[derive(Debug, Default)]
pub(super) struct Offered {
    pub(super) offers: Offers,
    sets: Vec<Set>,
}

impl Offered {
    /// Takes what the agent said as it made or loaded a session.
    pub(super) fn made(&mut self, made: &Value) {
        self.offers.settings.clear();
        self.sets.clear();
        self.options(&made["configOptions"]);
        for (list, ids, id, category, set) in [
            ("modes", "availableModes", "id", "mode", Set::Mode),
            ("models", "availableModels", "modelId", "model", Set::Model),
        ] {
            let known = |setting: &AgentSetting| setting.category.as_deref() == Some(category);
            if self.offers.settings.iter().any(known) {
                continue;
            }
            let current = match set {
                Set::Mode => &made[list]["currentModeId"],
                _ => &made[list]["currentModelId"],
            };
            let choices = choices(&made[list][ids], id);
            if let Some(current) = current.as_str().filter(|_| !choices.is_empty()) {
                self.offers.settings.push(AgentSetting {
                    id: category.into(),
                    name: if set == Set::Mode { "Mode" } else { "Model" }.into(),
                    category: Some(category.into()),
                    current: current.into(),
                    choices,
                });
                self.sets.push(set);
            }
        }
    }

    /// Takes the protocol's options, in place of those that were known.
    pub(super) fn options(&mut self, options: &Value) {
        let Some(options) = options.as_array() else {
            return;
        };
        let kept = std::mem::take(&mut self.offers.settings);
        let sets = std::mem::take(&mut self.sets);
        let before_options = kept.into_iter().zip(sets);
        let (settings, sets): (Vec<_>, Vec<_>) = before_options
            .filter(|(_, set)| *set != Set::Option)
            .unzip();
        for option in options {
            let text = |name: &str| option[name].as_str().map(str::to_owned);
            let (Some(id), Some(name)) = (text("id"), text("name")) else {
                continue;
            };
            let (current, choices) = match &option["currentValue"] {
                Value::Bool(on) => (on.to_string(), on_or_off()),
                current => (
                    current.as_str().unwrap_or_default().to_owned(),
                    choices(&option["options"], "value"),
                ),
            };
            self.offers.settings.push(AgentSetting {
                id,
                name,
                category: text("category"),
                current,
                choices,
            });
            self.sets.push(Set::Option);
        }
        self.offers.settings.extend(settings);
        self.sets.extend(sets);
    }

    pub(super) fn commands(&mut self, commands: &Value) {
        let commands = commands.as_array().into_iter().flatten();
        self.offers.commands = commands
            .filter_map(|command| {
                Some(AgentCommand {
                    name: command["name"].as_str()?.to_owned(),
                    description: capped(command["description"].as_str().unwrap_or_default(), 1_000),
                    hint: command["input"]["hint"].as_str().map(str::to_owned),
                })
            })
            .collect();
    }

    /// Notes what a setting is now; `false` for one that is not known.
    pub(super) fn note(&mut self, id: &str, value: &str) -> bool {
        let found = self
            .offers
            .settings
            .iter_mut()
            .find(|setting| setting.id == id);
        match found {
            Some(setting) => {
                setting.current = value.to_owned();
                true
            }
            None => false,
        }
    }

    /// The setting and the choice that a person means, by id, category or name; and the request that sets it.
    ///
    /// # Errors
    ///
    /// [`AgentError::BadRequest`] with what is offered.
    pub(super) fn find(
        &self,
        session: &str,
        setting: &str,
        value: &str,
    ) -> Result<(AgentSetting, String, UntypedMessage), AgentError> {
        let same = |known: &AgentSetting| {
            known.id == setting
                || known.category.as_deref() == Some(setting)
                || known.name.eq_ignore_ascii_case(setting)
        };
        let wrong = |message: String| AgentError::BadRequest {
            field: setting.to_owned().into(),
            message,
        };
        let settings = &self.offers.settings;
        let at = settings.iter().position(same).ok_or_else(|| {
            let names: Vec<_> = settings
                .iter()
                .map(|known| format!("`{}`", known.id))
                .collect();
            wrong(if names.is_empty() {
                "can't be chosen: this agent offers no settings".into()
            } else {
                format!(
                    "can't be chosen here; this agent offers {}",
                    names.join(", ")
                )
            })
        })?;
        let known = &settings[at];
        let choice = known
            .choices
            .iter()
            .find(|choice| choice.value == value)
            .or_else(|| {
                known
                    .choices
                    .iter()
                    .find(|choice| choice.name.eq_ignore_ascii_case(value))
            })
            .ok_or_else(|| {
                let names: Vec<_> = known
                    .choices
                    .iter()
                    .map(|choice| format!("`{}`", choice.value))
                    .collect();
                wrong(format!(
                    "is `{value}`; this agent offers {}",
                    names.join(", ")
                ))
            })?;
        let chosen = choice.value.clone();
        let (method, params) = match self.sets[at] {
            Set::Mode => (
                "session/set_mode",
                json!({"sessionId": session, "modeId": chosen}),
            ),
            Set::Model => (
                "session/set_model",
                json!({"sessionId": session, "modelId": chosen}),
            ),
            Set::Option if known.choices == on_or_off() => (
                "session/set_config_option",
                json!({"sessionId": session, "configId": known.id, "type": "boolean", "value": chosen == "true"}),
            ),
            Set::Option => (
                "session/set_config_option",
                json!({"sessionId": session, "configId": known.id, "value": chosen}),
            ),
        };
        let request = UntypedMessage::new(method, params).map_err(|error| wrong(error.message))?;
        Ok((known.clone(), chosen, request))
    }
}

fn on_or_off() -> Vec<SettingChoice> {
    [("true", "On"), ("false", "Off")]
        .map(|(value, name)| SettingChoice {
            value: value.into(),
            name: name.into(),
            description: None,
        })
        .into()
}

/// Reads choices, which may be in groups.
fn choices(list: &Value, id: &str) -> Vec<SettingChoice> {
    let mut found = Vec::new();
    for choice in list.as_array().into_iter().flatten() {
        if choice["options"].is_array() {
            found.extend(choices(&choice["options"], id));
        } else if let Some(value) = choice[id].as_str() {
            found.push(SettingChoice {
                value: value.into(),
                name: choice["name"].as_str().unwrap_or(value).into(),
                description: choice["description"]
                    .as_str()
                    .map(|text| capped(text, 1_000)),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(made: Value) -> Offered {
        let mut offered = Offered::default();
        offered.made(&made);
        offered
    }

    fn request(offered: &Offered, setting: &str, value: &str) -> String {
        match offered.find("s", setting, value) {
            Ok((_, _, request)) => format!("{} {}", request.method, request.params),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn options_of_the_protocol_and_of_before_it_are_set_in_their_own_ways() {
        let now = told(json!({"configOptions": [
            {"id": "m", "name": "Model", "category": "model", "type": "select", "currentValue": "a/1", "options": [
                {"group": "g", "name": "G", "options": [{"value": "a/1", "name": "One"}, {"value": "a/2", "name": "Two"}]},
            ]},
            {"id": "fast", "name": "Fast", "type": "boolean", "currentValue": false},
        ], "modes": {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "plan", "name": "Plan"}]}}));
        insta::assert_snapshot!(request(&now, "model", "two"), @r#"session/set_config_option {"sessionId":"s","configId":"m","value":"a/2"}"#);
        insta::assert_snapshot!(request(&now, "fast", "true"), @r#"session/set_config_option {"sessionId":"s","configId":"fast","type":"boolean","value":true}"#);
        insta::assert_snapshot!(request(&now, "mode", "plan"), @r#"session/set_mode {"sessionId":"s","modeId":"plan"}"#);
        insta::assert_snapshot!(request(&now, "model", "three"), @"`model` is `three`; this agent offers `a/1`, `a/2`");
        insta::assert_snapshot!(request(&now, "colour", "red"), @"`colour` can't be chosen here; this agent offers `m`, `fast`, `mode`");
        let before = told(
            json!({"models": {"currentModelId": "x", "availableModels": [{"modelId": "x", "name": "X"}]}}),
        );
        insta::assert_snapshot!(request(&before, "model", "x"), @r#"session/set_model {"sessionId":"s","modelId":"x"}"#);
        insta::assert_snapshot!(request(&told(json!({})), "model", "x"), @"`model` can't be chosen: this agent offers no settings");
    }
}
