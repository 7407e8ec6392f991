//! `machines.json`: which machines there are beside this one, and how they are reached.

use std::collections::BTreeMap;

use jsonc_parser::cst::{CstInputValue, CstRootNode};
use machines::{Way, name_is_right};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MachineId;
use crate::{Code, Error, Paths, whole_file};

/// What a new file says.
const TEMPLATE: &str = "\
// The machines beside this one. `\"build\": {}` is reached by `ssh build`: what works in a terminal works here.
{
  \"machines\": {}
}
";

/// What the person wrote in `machines.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MachinesFile {
    /// The machines, by their names.
    pub(super) machines: BTreeMap<String, MachineWay>,
}

/// How a machine is reached. With neither, by `ssh` and its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MachineWay {
    /// What `ssh` is to reach, where that is not the machine's name: `me@build.example.org`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// A program with its arguments that runs what is added to them there: `["docker", "exec", "-i", "box"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
}

impl MachineWay {
    /// The way, checked.
    pub(super) fn checked(&self, name: &str) -> Result<Way, String> {
        if !name_is_right(name) {
            return Err(format!(
                "`{name}` is no name for a machine: letters, digits, `-`, `_` and `.`, at most 64, beginning with a letter or a \
                 digit, and not digits alone"
            ));
        }
        match (&self.ssh, &self.command) {
            (Some(_), Some(_)) => Err(format!(
                "`{name}` has both `ssh` and `command`: say one of them"
            )),
            (Some(to), None) => Way::ssh(to).map_err(|error| format!("`{name}`: `ssh`: {error}")),
            (None, Some(command)) => Way::command(command.clone())
                .map_err(|error| format!("`{name}`: `command`: {error}")),
            (None, None) => Way::ssh(name).map_err(|error| format!("`{name}`: {error}")),
        }
    }
}

/// Reads the file: the machines that can be used, and what is wrong with the others; a missing file has none.
///
/// # Errors
///
/// [`Code::BadFile`] when it can't be read, or is wrong as a whole.
pub(super) fn load(paths: &Paths) -> Result<(BTreeMap<String, Way>, Vec<String>), Error> {
    let file: MachinesFile = crate::settings::read(&paths.machines_file())?;
    let mut ways = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut wrong = Vec::new();
    let at = paths.machines_file().display().to_string();
    for (name, way) in file.machines {
        match way.checked(&name) {
            Ok(way) => match numbers.insert(MachineId::of(&name), name.clone()) {
                None => drop(ways.insert(name, way)),
                Some(other) => wrong.push(format!(
                    "`{at}`: `{name}` and `{other}` can't be told apart by their numbers: give one of them another name"
                )),
            },
            Err(error) => wrong.push(format!("`{at}`: {error}")),
        }
    }
    Ok((ways, wrong))
}

/// Puts a machine into the file, or takes it out; all else in it stays as it was written.
///
/// # Errors
///
/// [`Code::BadFile`] when it can't be read or written.
pub(super) fn put(paths: &Paths, name: &str, way: Option<&MachineWay>) -> Result<(), Error> {
    let file = paths.machines_file();
    let bad = |what: String| Error::new(Code::BadFile, format!("`{}`: {what}", file.display()));
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => TEMPLATE.to_owned(),
        Err(error) => return Err(bad(error.to_string())),
    };
    let root =
        CstRootNode::parse(&text, &Default::default()).map_err(|error| bad(error.to_string()))?;
    let machines = root.object_value_or_set().object_value_or_set("machines");
    if let Some(property) = machines.get(name) {
        property.remove();
    }
    if let Some(way) = way {
        machines.append(name, written(way));
    }
    whole_file::write(&file, &root.to_string()).map_err(|error| bad(error.to_string()))
}

fn written(way: &MachineWay) -> CstInputValue {
    let mut fields = Vec::new();
    if let Some(ssh) = &way.ssh {
        fields.push(("ssh".to_owned(), CstInputValue::String(ssh.clone())));
    }
    if let Some(command) = &way.command {
        let words = command.iter().cloned().map(CstInputValue::String);
        fields.push(("command".to_owned(), CstInputValue::Array(words.collect())));
    }
    CstInputValue::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> (tempfile::TempDir, Paths) {
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        std::fs::write(paths.machines_file(), text).expect("written");
        (home, paths)
    }

    #[test]
    fn a_machine_that_is_wrong_is_told_of_and_the_others_are_there() {
        let (home, paths) = with(
            r#"{ "machines": {
                "build": {}, "gpu": { "ssh": "me@gpu" }, "box": { "command": ["docker", "exec", "-i", "box"] },
                "7": {}, "both": { "ssh": "a", "command": ["b"] }, "option": { "ssh": "-oX" }, "none": { "command": [] }
            } }"#,
        );
        let (ways, wrong) = load(&paths).expect("it is JSON");
        assert_eq!(ways.keys().collect::<Vec<_>>(), ["box", "build", "gpu"]);
        let told = wrong
            .join("\n")
            .replace(&home.path().display().to_string(), "");
        insta::assert_snapshot!(told, @"
        `/config/machines.json`: `7` is no name for a machine: letters, digits, `-`, `_` and `.`, at most 64, beginning with a letter or a digit, and not digits alone
        `/config/machines.json`: `both` has both `ssh` and `command`: say one of them
        `/config/machines.json`: `none`: `command`: the command is empty: it must begin with a program, as in `docker exec -i box`
        `/config/machines.json`: `option`: `ssh`: `-oX` is no name for ssh: it must not be empty, begin with `-`, or hold spaces or control characters
        ");
    }

    #[test]
    fn what_a_person_wrote_stays_when_a_machine_is_added_and_forgotten() {
        let (_home, paths) = with("{\n  // mine\n  \"machines\": { \"build\": {} }\n}\n");
        let way = MachineWay {
            ssh: Some("me@gpu".to_owned()),
            command: None,
        };
        put(&paths, "gpu", Some(&way)).expect("written");
        put(&paths, "build", None).expect("written");
        let text = std::fs::read_to_string(paths.machines_file()).expect("there");
        assert!(text.contains("// mine"), "{text}");
        let (ways, wrong) = load(&paths).expect("right");
        assert_eq!(
            ways,
            [("gpu".to_owned(), Way::Ssh("me@gpu".to_owned()))].into()
        );
        assert_eq!(wrong, Vec::<String>::new());
    }
}
