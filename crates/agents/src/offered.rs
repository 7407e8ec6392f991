//! Which of the answers that an agent offers a person means.

use crate::error::AgentError;
use crate::types::{PermissionAnswer, PermissionOption, PermissionRequest};

/// The option that `answer` means; none when the agent offers nothing of the kind.
///
/// "Allow" is never more than this once: an option that allows more is the person's to choose by its name.
///
/// # Errors
///
/// [`AgentError::BadRequest`] with what is offered, when the answer may mean several options, or one that is not there.
pub(crate) fn chosen<'a>(
    request: &'a PermissionRequest,
    answer: &PermissionAnswer,
) -> Result<Option<&'a PermissionOption>, AgentError> {
    let kinds: &[&str] = match answer {
        PermissionAnswer::Choose { option } => return named(request, option).map(Some),
        PermissionAnswer::Allow => &["allow_once"],
        PermissionAnswer::AllowAlways => &["allow_always", "allow_once"],
        PermissionAnswer::Deny { .. } => &["reject_once", "reject_always"],
    };
    for kind in kinds {
        let mut options = request.options.iter().filter(|option| option.kind == *kind);
        match (options.next(), options.next()) {
            (Some(_), Some(_)) => {
                return Err(AgentError::BadRequest {
                    field: "answer".into(),
                    message: format!("may mean several things; {}", offers(request)),
                });
            }
            (Some(only), None) => return Ok(Some(only)),
            (None, _) => {}
        }
    }
    Ok(None)
}

fn named<'a>(
    request: &'a PermissionRequest,
    wanted: &str,
) -> Result<&'a PermissionOption, AgentError> {
    let options = &request.options;
    options
        .iter()
        .find(|option| option.id == wanted)
        .or_else(|| options.iter().find(|option| option.name == wanted))
        .ok_or_else(|| AgentError::BadRequest {
            field: "option".into(),
            message: format!("is `{wanted}`, which is not offered; {}", offers(request)),
        })
}

/// What is offered, in a line.
pub(crate) fn offers(request: &PermissionRequest) -> String {
    let names = request
        .options
        .iter()
        .map(|option| format!("`{}`", option.name));
    format!("it offers {}", names.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(options: &[(&str, &str)]) -> PermissionRequest {
        PermissionRequest {
            id: "p".into(),
            tool: "edit".into(),
            title: None,
            detail: None,
            options: options
                .iter()
                .map(|(kind, name)| PermissionOption {
                    id: format!("id of {name}"),
                    name: (*name).into(),
                    kind: (*kind).into(),
                })
                .collect(),
        }
    }

    fn choice(options: &[(&str, &str)], answer: PermissionAnswer) -> String {
        match chosen(&request(options), &answer) {
            Ok(Some(option)) => option.name.clone(),
            Ok(None) => "nothing".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn allow_is_never_more_than_this_once() {
        let plan = [
            ("allow_always", "Allow all edits"),
            ("allow_once", "Yes"),
            ("reject_once", "No"),
        ];
        assert_eq!(choice(&plan, PermissionAnswer::Allow), "Yes");
        assert_eq!(
            choice(&plan, PermissionAnswer::AllowAlways),
            "Allow all edits"
        );
        let more = [("allow_always", "Allow all edits"), ("reject_once", "No")];
        assert_eq!(choice(&more, PermissionAnswer::Allow), "nothing");
        let none = [("allow_once", "Yes")];
        assert_eq!(choice(&none, PermissionAnswer::AllowAlways), "Yes");
    }

    #[test]
    fn an_option_is_chosen_by_its_id_or_its_name_and_two_of_a_kind_are_told_apart() {
        let two = [
            ("allow_always", "For this session"),
            ("allow_always", "For every tool of the server"),
        ];
        let name = |option: &str| PermissionAnswer::Choose {
            option: option.into(),
        };
        assert_eq!(choice(&two, name("For this session")), "For this session");
        assert_eq!(
            choice(&two, name("id of For this session")),
            "For this session"
        );
        insta::assert_snapshot!(choice(&two, name("For ever")), @"`option` is `For ever`, which is not offered; it offers `For this session`, `For every tool of the server`");
        insta::assert_snapshot!(choice(&two, PermissionAnswer::AllowAlways), @"`answer` may mean several things; it offers `For this session`, `For every tool of the server`");
    }
}
