//! `flow check` and `flow simulate`: what can be said of a flow without running it.

use std::path::{Path, PathBuf};

use app::Paths;
use flow::Stubs;

use super::{read, refused, tone, word};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table};

pub(super) async fn check(file: &Path, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
    let beside = file.parent().filter(|beside| beside.is_dir());
    let beside = beside.unwrap_or_else(|| Path::new("."));
    let checked = app::check_flow_in(paths, beside, &read(file)?).await;
    if out.json() {
        out.value(&checked)?;
    } else {
        tell_findings(file, &checked, out)?;
        if let (true, Some(flow)) = (checked.good, &checked.flow) {
            out.line(&format!(
                "{}: {} steps, good",
                flow.name,
                flow.graph.nodes.len()
            ))?;
        }
    }
    if checked.good {
        Ok(())
    } else {
        Err(Failure::status(1))
    }
}

pub(super) fn tell_findings(
    file: &Path,
    checked: &app::FlowCheck,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    for finding in &checked.findings {
        out.line(&format!("{}:{finding}", file.display()))?;
    }
    Ok(())
}

pub(super) fn simulate(
    file: &Path,
    stubs: Option<&PathBuf>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let text = read(file)?;
    let stubs: Stubs = match stubs {
        Some(path) => serde_json::from_str(&read(path)?)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", path.display())))?,
        None => Stubs::default(),
    };
    let simulation = app::simulate_flow_text(&text, &stubs).map_err(refused)?;
    if out.json() {
        return Ok(out.value(&simulation)?);
    }
    let mut table = Table::new(["STEP", "STATE", "WHY"]);
    for (id, step) in &simulation.steps {
        let why = match (step.cause, &step.origin) {
            _ if !step.depends_on.is_empty() => {
                format!("depends on {}", step.depends_on.join(", "))
            }
            (Some(cause), Some(origin)) => format!("{}, from {origin}", word(&cause)),
            _ => step.error.clone().unwrap_or_default(),
        };
        table.row([
            Cell::new(id.as_str()),
            Cell::new(word(&step.state)).tone(tone(step.state)),
            Cell::new(why),
        ]);
    }
    out.table(&table)?;
    let ran = if simulation.nothing_ran {
        "nothing ran".to_owned()
    } else {
        simulation.order.join(" → ")
    };
    let state = match &simulation.state {
        Some(state) => word(state),
        None => format!("depends on {}", simulation.depends_on.join(", ")),
    };
    Ok(out.line(&format!("{state}: {ran}"))?)
}
