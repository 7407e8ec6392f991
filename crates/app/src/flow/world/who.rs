//! Who works on a step, where the flow's file leaves that open: a persona, or the agent of the settings.
//!
//! What was found first is kept with the run: a retry, and another process that goes on with it, find the same, whatever
//! became of the files meanwhile.

use std::future::Future;
use std::path::Path;

use ::flow::{ActionError, Job, Work};
use agents::BackendId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kept::{failed, private_dir, private_file};
use crate::{App, Error, Persona};

/// Under which name the settings' agent is kept; no persona can be called that.
const OF_SETTINGS: &str = ".agent";

/// The job with its agent.
///
/// # Errors
///
/// When there is no such persona, or nothing says an agent.
pub(super) async fn found(app: &App, data: &Path, mut job: Job) -> Result<Job, ActionError> {
    let cwd = job.cwd.clone();
    let folder = data.join("steps").join(&job.key.run).join("personas");
    let first = job.key.turn == 1;
    let Work::Agent {
        backend,
        provider,
        name,
        model,
        mode,
        persona,
        inherited,
        prompt,
        ..
    } = &mut job.work
    else {
        return Ok(job);
    };
    let persona: Option<Persona> = match persona {
        Some(name) => Some(kept(&folder, name, app.persona(&cwd, name)).await?),
        None => None,
    };
    let own = persona.as_ref().and_then(|persona| persona.agent.clone());
    match own {
        Some(agent) if *inherited => {
            (*backend, *name) = parts(&agent.0)?;
            (*provider, *model, *mode) = (None, None, None);
        }
        _ if backend.is_empty() => {
            let asked = async {
                app.settings().flows.agent.ok_or_else(|| {
                    let message = "nothing says which agent: neither the step, nor its flow, nor `flows.agent` in settings.json";
                    Error::new(crate::Code::BadParams, message)
                })
            };
            let agent: String = kept(&folder, OF_SETTINGS, asked).await?;
            (*backend, *name) = parts(&agent)?;
        }
        _ => {}
    }
    if let Some(persona) = persona {
        let at = BackendId(format!("{backend}:{}", name.as_deref().unwrap_or_default()));
        let choices = persona.choices_at(&at);
        // What the step itself says goes before the persona, and the persona before what the flow says for all.
        let choose = |mine: &mut Option<String>, its: &Option<String>| {
            if *inherited || mine.is_none() {
                *mine = its.clone().or_else(|| mine.take());
            }
        };
        choose(provider, &choices.provider);
        choose(model, &choices.model);
        choose(mode, &choices.mode);
        // A session that is asked once more knows who it is; a program does not.
        if first || backend == "command" {
            *prompt = persona.first_prompt(prompt);
        }
    }
    Ok(job)
}

/// A backend and the name there, of an agent as `agents health` names it.
fn parts(agent: &str) -> Result<(String, Option<String>), ActionError> {
    match agent.split_once(':') {
        Some((kind @ ("paseo" | "acp" | "opencode"), name)) if !name.is_empty() => {
            Ok((kind.to_owned(), Some(name.to_owned())))
        }
        Some(("command", name)) => Err(ActionError::new(format!(
            "a step says the program of a `command` itself: `agent: {{ backend: command, program: [{name}] }}`"
        ))),
        _ => Err(ActionError::new(format!(
            "`{agent}` is no agent; say one as `switchyard agents health` names it, like `acp:gemini`"
        ))),
    }
}

/// What the run has found of this name before, or finds now.
async fn kept<T: Serialize + DeserializeOwned>(
    folder: &Path,
    name: &str,
    find: impl Future<Output = Result<T, Error>>,
) -> Result<T, ActionError> {
    let file = folder.join(format!("{name}.json"));
    if let Ok(text) = std::fs::read_to_string(&file)
        && let Ok(kept) = serde_json::from_str(&text)
    {
        return Ok(kept);
    }
    let found = find
        .await
        .map_err(|error| ActionError::new(error.message))?;
    private_dir(folder).map_err(|error| failed("create", folder, &error))?;
    let text =
        serde_json::to_string(&found).map_err(|error| ActionError::new(error.to_string()))?;
    private_file(&file, 0o600, &text)?;
    Ok(found)
}
