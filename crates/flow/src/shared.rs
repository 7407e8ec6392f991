//! What all runs of this process share: where they are recorded, what they act through, who is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::Clock;
use secrets::Secrets;
use tokio::sync::{Notify, broadcast};

use crate::action::Actions;
use crate::definition::{Flow, InputType};
use crate::journal::{FlowEvent, Journal, RunInfo};
use crate::owner::{Owner, Owners};
use crate::request::BadSecret;

/// How much may go on at once, over all runs.
#[derive(Debug, Clone, Copy)]
pub struct RunLimits {
    /// Agent processes, over all runs of all processes.
    pub agents: u32,
    /// One attempt of a step that says no `timeout`.
    pub step: Option<Duration>,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            agents: 16,
            step: None,
        }
    }
}

pub(crate) struct Shared {
    pub(crate) journal: Journal,
    pub(crate) actions: Arc<dyn Actions>,
    pub(crate) clock: Clock,
    pub(crate) owners: Arc<dyn Owners>,
    pub(crate) me: Owner,
    pub(crate) boot: String,
    pub(crate) limits: RunLimits,
    pub(crate) secrets: Vec<String>,
    pub(crate) events: broadcast::Sender<FlowEvent>,
    /// Told when an agent of ours has ended, so that whoever waits for its place looks at once.
    pub(crate) agent_ended: Notify,
    /// Why the journals of runs can't be written at the moment.
    pub(crate) troubles: Mutex<HashMap<String, String>>,
}

impl Shared {
    /// What must not be shown of a run.
    pub(crate) fn secrets_of(
        &self,
        flow: &Flow,
        inputs: &serde_json::Map<String, serde_json::Value>,
    ) -> Secrets {
        let own = self.secrets.iter().cloned();
        Secrets::new(own.chain(self.secret_inputs(flow, inputs).map(|(_, secret)| secret)))
    }

    /// Whether every secret input that was given names a variable which is set here.
    pub(crate) fn check_secrets(
        &self,
        flow: &Flow,
        inputs: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), BadSecret> {
        for (name, input) in &flow.inputs {
            let Some(variable) = inputs.get(name).and_then(|given| given.as_str()) else {
                continue;
            };
            if input.kind != InputType::Secret {
                continue;
            }
            let bad = |message: &str| BadSecret {
                input: name.clone(),
                message: message.to_owned(),
            };
            if !is_variable(variable) {
                return Err(bad(
                    "takes the name of an environment variable that holds the secret, as `DEPLOY_TOKEN`; what was given is no such name, and was not kept",
                ));
            }
            match self.actions.env(variable) {
                None => {
                    return Err(bad(
                        "names an environment variable that is not set; set it, and say its name",
                    ));
                }
                Some(value) if value.len() < secrets::SHORTEST => {
                    return Err(bad(
                        "is shorter than six bytes: too short to be told from other text, and so to be kept out of it",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The secret inputs of a run with their values: what is kept of them is the name of a variable.
    pub(crate) fn secret_inputs<'a>(
        &'a self,
        flow: &'a Flow,
        inputs: &'a serde_json::Map<String, serde_json::Value>,
    ) -> impl Iterator<Item = (&'a str, String)> {
        flow.inputs
            .iter()
            .filter(|(_, input)| input.kind == InputType::Secret)
            .filter_map(|(name, _)| {
                let variable = inputs.get(name)?.as_str()?;
                Some((name.as_str(), self.actions.env(variable)?))
            })
    }

    /// Says, or no longer says, why the journal of a run can't be written.
    pub(crate) fn trouble(&self, run: &str, why: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => troubles.insert(run.to_owned(), why),
            None => troubles.remove(run),
        };
    }

    pub(crate) fn tell_trouble(&self, info: &mut RunInfo) {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = troubles.get(&info.id) {
            info.message = Some(why.clone());
        }
    }

    /// Tells those who watch.
    pub(crate) fn tell(&self, event: FlowEvent) {
        // Nobody may be watching.
        let _ = self.events.send(event);
    }
}

/// Whether a text can be the name of an environment variable.
fn is_variable(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
