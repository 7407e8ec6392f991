//! A thousand schedules: flows of every shape, whose steps end in any order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use super::*;

/// Numbers that look random and are the same in every run of the tests.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

fn random_flow(random: &mut Random) -> Flow {
    let batches = random.below(4);
    let mut text = format!(
        "name: test\nmax_concurrent: {}\nbatches:\n",
        1 + random.below(6)
    );
    for batch in 0..batches {
        let _ = writeln!(
            text,
            "  b{batch}: {{ max_concurrent: {}, join: all_settled }}",
            1 + random.below(3)
        );
    }
    if batches == 0 {
        text = text.replace("batches:\n", "");
    }
    text.push_str("steps:\n");
    for step in 0..4 + random.below(14) {
        let kind = match random.below(6) {
            0 => "approval: { message: x }",
            1 | 2 => "agent: { backend: command, program: [x] }, prompt: p, retries: 1",
            _ => "run: x, retries: 2",
        };
        let _ = write!(text, "  - {{ id: s{step}, {kind}, trigger: all_settled");
        let needs: Vec<String> = (0..step)
            .filter(|_| random.once_in(8))
            .map(|need| format!("s{need}"))
            .collect();
        if !needs.is_empty() {
            let _ = write!(text, ", needs: [{}]", needs.join(", "));
        }
        if batches > 0 && random.once_in(2) {
            let _ = write!(text, ", batch: b{}", random.below(batches));
        }
        text.push_str(" }\n");
    }
    Flow::read(&text).unwrap_or_else(|refused| panic!("{text}\n{refused}"))
}

struct Free;

impl Guards for Free {
    fn guard(&mut self, _: &Progress, _: StepIndex) -> Guarded {
        Guarded::Holds
    }
}

/// A run with those of its steps for which something is to happen.
struct Run {
    flow: Arc<Flow>,
    progress: Progress,
    open: Vec<StepIndex>,
    lines: BTreeMap<Lane, VecDeque<StepIndex>>,
}

impl Run {
    fn new(flow: Flow) -> Self {
        let flow = Arc::new(flow);
        let mut run = Self {
            progress: Progress::new(Arc::clone(&flow), None),
            flow,
            open: Vec::new(),
            lines: BTreeMap::new(),
        };
        let changes = run.progress.start(&mut Free);
        run.queued(changes);
        run
    }

    fn queued(&mut self, changes: Vec<Change>) {
        for change in changes {
            if let Change::Queued(step) = change {
                let lane = self.progress.lane(step);
                self.lines.entry(lane).or_default().push_back(step);
            }
        }
    }

    fn running(&self, wanted: impl Fn(StepIndex) -> bool) -> u32 {
        let running = |step: &StepIndex| {
            self.progress.step(*step).state == StepState::Running && wanted(*step)
        };
        u32::try_from((0..self.flow.steps.len()).filter(running).count()).unwrap()
    }

    fn agents(&self) -> u32 {
        self.running(|step| matches!(self.flow.steps[step].kind, Kind::Agent(_)))
    }

    /// Admits all that may start; what was admitted was the first of its line.
    fn admit(&mut self, agent_limit: u32, elsewhere: u32) {
        while let Some(step) = self
            .progress
            .admit(agent_limit.saturating_sub(self.agents() + elsewhere))
        {
            let lane = self.progress.lane(step);
            assert_eq!(self.lines.get_mut(&lane).unwrap().pop_front(), Some(step));
            self.open.push(step);
            self.check(agent_limit, elsewhere);
        }
        // Whatever still waits does so because of something that runs.
        for lane in self
            .lines
            .iter()
            .filter(|(_, line)| !line.is_empty())
            .map(|(lane, _)| lane)
        {
            let full = self.running(|_| true) >= self.flow.max_concurrent;
            let batch = lane.batch.is_some_and(|batch| {
                self.running(|step| self.flow.steps[step].batch == Some(batch))
                    >= self.flow.batches[batch].max_concurrent
            });
            let agents = lane.agent && self.agents() + elsewhere >= agent_limit;
            assert!(!lane.free && (full || batch || agents), "{lane:?} starves");
        }
    }

    fn check(&self, agent_limit: u32, elsewhere: u32) {
        assert!(self.running(|_| true) <= self.flow.max_concurrent);
        assert!(self.agents() + elsewhere <= agent_limit);
        for (number, batch) in self.flow.batches.iter().enumerate() {
            let members = self.running(|step| self.flow.steps[step].batch == Some(number));
            assert!(members <= batch.max_concurrent);
        }
    }

    /// Something happens to any of the steps that are at work or wait.
    fn happen(&mut self, random: &mut Random) {
        let step = self.open.swap_remove(random.below(self.open.len()));
        match self.progress.step(step).state {
            StepState::RetryWait => {
                let changes = self.progress.requeue(step);
                self.queued(changes);
            }
            StepState::Running
                if random.once_in(2)
                    && self.progress.may_retry(step, StepState::Failed, Some(1)) =>
            {
                self.progress.retry_later(step);
                self.open.push(step);
            }
            _ => {
                let state = [
                    StepState::Succeeded,
                    StepState::Failed,
                    StepState::TimedOut,
                    StepState::Cancelled,
                ][random.below(4)];
                let changes = self.progress.ended(step, state, None, &mut Free);
                self.queued(changes);
            }
        }
    }
}

#[test]
fn in_a_thousand_schedules_no_limit_is_exceeded_and_nothing_starves() {
    // Two schedules a seed: two processes, whose agents share one limit.
    for seed in 1..=500_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let agents = 1 + u32::try_from(random.below(3)).unwrap();
        let mut runs = [
            Run::new(random_flow(&mut random)),
            Run::new(random_flow(&mut random)),
        ];
        while runs.iter().any(|run| !run.progress.is_complete()) {
            let first = random.below(2);
            for number in [first, 1 - first] {
                let elsewhere = runs[1 - number].agents();
                runs[number].admit(agents, elsewhere);
            }
            let open: Vec<usize> = (0..2).filter(|run| !runs[*run].open.is_empty()).collect();
            assert!(
                !open.is_empty(),
                "seed {seed}: nothing could happen any more"
            );
            let run = open[random.below(open.len())];
            runs[run].happen(&mut random);
        }
    }
}
