//! The stand-in daemon as a process, for scenarios and measurements that start the whole program.
//!
//! It prints `listening PORT` and then takes a command a line from its standard input, each answered by a line:
//! `add JSON` (an agent; its id), `restart`, `cut`, `stop`, `start`, `silent`, `status ID`. It ends with its input.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "printing is what this program is for, and it is a test's own"
)]

#[path = "../support/daemon.rs"]
mod daemon;

use serde_json::Value;

use daemon::{Daemon, Stopped};

enum Now {
    Up(Daemon),
    Down(Stopped),
}

#[tokio::main]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .map_or(0, |port| port.parse().unwrap());
    let daemon = Daemon::start_at_port(port).await;
    println!("listening {}", daemon.port);
    let mut now = Now::Up(daemon);
    // Only this task waits for its input; the daemon's own are on other threads.
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        now = match (word, now) {
            ("stop", Now::Up(daemon)) => {
                println!("stopped");
                Now::Down(daemon.stop().await)
            }
            ("start", Now::Down(stopped)) => {
                let daemon = stopped.start().await;
                println!("listening {}", daemon.port);
                Now::Up(daemon)
            }
            (_, Now::Up(daemon)) => {
                println!("{}", act(&daemon, word, rest));
                Now::Up(daemon)
            }
            (_, down) => {
                println!("it does not listen");
                down
            }
        };
    }
}

fn act(daemon: &Daemon, word: &str, rest: &str) -> String {
    match word {
        "add" => {
            let wanted: Value = serde_json::from_str(rest).unwrap();
            daemon.add_with(|agent| {
                for (name, value) in wanted.as_object().unwrap() {
                    agent[name] = value.clone();
                }
            })
        }
        "restart" => {
            daemon.restart();
            "restarted".into()
        }
        "cut" => {
            daemon.cut_connections();
            "cut".into()
        }
        "silent" => {
            daemon.faults(|faults| faults.silent = true);
            daemon.cut_connections();
            "silent".into()
        }
        "status" => daemon.status(rest),
        other => format!("`{other}` is no command"),
    }
}
