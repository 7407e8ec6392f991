//! What is known of every backend's agents: answered from memory, so that asking never waits for a host.

use std::collections::BTreeMap;

use crate::types::{AgentId, AgentInfo, BackendId};

/// The agents of all backends, as last told.
#[derive(Debug, Default)]
pub(crate) struct Roster(BTreeMap<BackendId, Known>);

#[derive(Debug, Default)]
struct Known {
    agents: BTreeMap<AgentId, AgentInfo>,
    error: Option<String>,
}

impl Roster {
    /// Takes a whole list in place of what was known.
    pub(crate) fn listed(&mut self, backend: &BackendId, agents: &mut [AgentInfo], now: &str) {
        let before = self.0.remove(backend).unwrap_or_default();
        let mut known = Known::default();
        for agent in agents {
            stamp(agent, before.agents.get(&agent.id), now);
            known.agents.insert(agent.id.clone(), agent.clone());
        }
        self.0.insert(backend.clone(), known);
    }

    /// Notes that a list could not be had. What was known stays: it is still the best guess.
    pub(crate) fn unlisted(&mut self, backend: &BackendId, reason: String) {
        self.0.entry(backend.clone()).or_default().error = Some(reason);
    }

    /// Takes what is new of one agent.
    pub(crate) fn changed(&mut self, agent: &mut AgentInfo, now: &str) {
        let known = self.0.entry(agent.backend.clone()).or_default();
        stamp(agent, known.agents.get(&agent.id), now);
        known.agents.insert(agent.id.clone(), agent.clone());
    }

    pub(crate) fn removed(&mut self, backend: &BackendId, agent: &AgentId) {
        if let Some(known) = self.0.get_mut(backend) {
            known.agents.remove(agent);
        }
    }

    pub(crate) fn forget(&mut self, backend: &BackendId) {
        self.0.remove(backend);
    }

    /// One agent, if it was told of.
    pub(crate) fn get(&self, backend: &BackendId, agent: &AgentId) -> Option<&AgentInfo> {
        self.0.get(backend)?.agents.get(agent)
    }

    /// The agents of one backend, and why they are not told any more.
    pub(crate) fn of(&self, backend: &BackendId) -> (Vec<AgentInfo>, Option<String>) {
        self.0.get(backend).map_or_else(Default::default, |known| {
            (
                known.agents.values().cloned().collect(),
                known.error.clone(),
            )
        })
    }
}

/// Where the backend does not say since when an agent is as it is, the time at which it was seen to change stands.
fn stamp(agent: &mut AgentInfo, before: Option<&AgentInfo>, now: &str) {
    if agent.updated_at.is_none() {
        agent.updated_at = Some(match before {
            Some(before) if before.status == agent.status => {
                before.updated_at.clone().unwrap_or_else(|| now.to_owned())
            }
            _ => now.to_owned(),
        });
    }
}
