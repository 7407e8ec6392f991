//! What a host does for its clients, and what they can't do to it.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::{
    self, Serving, event, exited, gone, options, pid, receive, script, seen, send, soon,
};
use host::{ConnectError, Host, HostClient, HostError, HostEvent, PANES, ServeError};
use serde_json::json;
use terminal::ask::{Close, Info, List, Open, Read, Rename, Resize, SetColours, Write};
use terminal::{Frame, PaneEvent, PaneId, PaneSize, ReadLines, Refusal, SearchProgress};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

#[tokio::test]
async fn a_pane_outlives_the_client_that_opened_it() {
    let serving = Serving::start().await;
    let first = serving.client().await;
    let pane = first.ask(Open(script("echo before; cat"))).await.unwrap();
    seen(&first, pane.id, "before").await;
    drop(first);

    let second = serving.client().await;
    let panes = second.ask(List).await.unwrap();
    assert_eq!(
        panes.iter().map(|pane| pane.id).collect::<Vec<_>>(),
        [pane.id]
    );
    assert_eq!(panes[0].state, pane.state, "the same process");
    second
        .ask(Write {
            pane: pane.id,
            bytes: b"after\n".to_vec(),
        })
        .await
        .unwrap();
    let screen = seen(&second, pane.id, "after").await;
    assert!(screen.contains("before"), "{screen}");
    serving.stop().await;
}

#[tokio::test]
async fn the_next_client_gets_the_very_same_pictures_of_twenty_panes() {
    let serving = Serving::start().await;
    let first = serving.client().await;
    let mut panes = Vec::new();
    for n in 0..20 {
        let print = format!(
            "seq 300; printf '\\033[1;3{}mpane {n}.\\033[0m '; exec cat",
            n % 8
        );
        panes.push(first.ask(Open(script(&print))).await.unwrap().id);
    }
    for (n, pane) in panes.iter().enumerate() {
        seen(&first, *pane, &format!("pane {n}.")).await;
    }
    let before = pictures(&first, &panes).await;
    drop(first);
    let second = serving.client().await;
    assert_eq!(pictures(&second, &panes).await, before);
    serving.stop().await;
}

/// What a window would be shown of each pane first.
async fn pictures(client: &HostClient, panes: &[PaneId]) -> Vec<Option<Frame>> {
    let mut pictures = Vec::new();
    for pane in panes {
        let mut attachment = client.attach(*pane, options()).await.unwrap();
        pictures.push(soon("a snapshot", attachment.next()).await);
    }
    pictures
}

#[tokio::test]
async fn many_clients_are_served_at_once() {
    let serving = Serving::start().await;
    let pane = serving
        .client()
        .await
        .ask(Open(script("cat")))
        .await
        .unwrap();
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let paths = serving.paths.clone();
            tokio::spawn(async move {
                let client = HostClient::connect(&paths).await.unwrap();
                client.ask(Info(pane.id)).await.unwrap().id
            })
        })
        .collect();
    for client in clients {
        assert_eq!(soon("an answer", client).await.unwrap(), pane.id);
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_client_that_dies_in_the_middle_of_a_word_costs_nothing() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    let (mut control, _) = serving.raw(json!("control")).await;
    control.write_all(&[200, 0, 0, 0, b'{']).await.unwrap();
    let attach = json!({"attach": {"pane": pane.id, "scrollback_rows": 10, "high_water": 1000}});
    let (mut data, _) = serving.raw(attach).await;
    data.write_all(&[1, 2, 3]).await.unwrap();
    drop((control, data));
    client
        .ask(Write {
            pane: pane.id,
            bytes: b"still here\n".to_vec(),
        })
        .await
        .unwrap();
    seen(&client, pane.id, "still here").await;
    serving.stop().await;
}

#[tokio::test]
async fn what_is_typed_arrives_in_the_order_in_which_it_was_sent() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let pane = client
        .ask(Open(script("stty -echo; echo ready; exec cat")))
        .await
        .unwrap();
    seen(&client, pane.id, "ready").await;
    let writes = (0..300).map(|n| {
        let client = client.clone();
        async move {
            client
                .ask(Write {
                    pane: pane.id,
                    bytes: format!("{n}\n").into_bytes(),
                })
                .await
        }
    });
    // All under way at once; polled, and so sent, in this order.
    let mut writes: Vec<_> = writes.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        writes.retain_mut(|write| match write.as_mut().poll(context) {
            std::task::Poll::Ready(done) => {
                done.unwrap();
                false
            }
            std::task::Poll::Pending => true,
        });
        if writes.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    seen(&client, pane.id, "299").await;
    let lines = client
        .ask(Read {
            pane: pane.id,
            lines: ReadLines::Newest { count: 1000 },
        })
        .await
        .unwrap();
    let numbers: Vec<String> = lines
        .into_iter()
        .map(|line| line.text)
        .filter(|text| text.parse::<u32>().is_ok())
        .collect();
    assert_eq!(numbers, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
    serving.stop().await;
}

#[tokio::test]
async fn what_is_told_is_done_in_its_order_among_what_is_asked() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let pane = client
        .ask(Open(script("stty -echo; echo ready; exec cat")))
        .await
        .unwrap()
        .id;
    seen(&client, pane, "ready").await;
    for n in 0..300_u16 {
        let bytes = format!("{n}\n").into_bytes();
        client.tell(Write { pane, bytes }).unwrap();
        if n % 10 == 0 {
            let size = PaneSize {
                cols: 100,
                rows: 20 + n / 10,
            };
            client.tell(Resize { pane, size }).unwrap();
            let known = client.ask(Rename { pane, name: None }).await;
            known.unwrap();
            assert_eq!(client.ask(Info(pane)).await.unwrap().size, size);
        }
    }
    seen(&client, pane, "299").await;
    let lines = ReadLines::Newest { count: 1000 };
    let lines = client.ask(Read { pane, lines }).await.unwrap();
    let numbers = lines
        .iter()
        .filter_map(|line| line.text.parse::<u32>().ok())
        .collect::<Vec<_>>();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
    serving.stop().await;
}

#[tokio::test]
async fn whoever_told_hears_of_a_refusal_and_nobody_else() {
    let serving = Serving::start().await;
    let (client, other) = (serving.client().await, serving.client().await);
    let (mut events, mut others) = (client.events(), other.events());
    let nobody = PaneId(4_000_000);
    let write = |pane, text: &[u8]| Write {
        pane,
        bytes: text.to_vec(),
    };
    client.tell(write(nobody, b"x")).unwrap();
    let warned = event(&mut events, "a warning", |event| match event {
        PaneEvent::Warned { id, message } => Some((id, message)),
        _ => None,
    });
    assert_eq!(
        warned.await,
        (Some(nobody), "there is no pane `4000000`".to_owned())
    );
    let error = client.tell(write(nobody, &[b'x'; 17 * 1024 * 1024]));
    assert!(
        matches!(
            error,
            Err(HostError::Refused(Refusal::BadParams { ref field, .. })) if field == "request"
        ),
        "{error:?}"
    );
    // What the other one hears of next is something else.
    client.ask(Open(script("cat"))).await.unwrap();
    let next = soon("an event", others.recv()).await.unwrap();
    assert!(
        matches!(next, HostEvent::Pane(PaneEvent::Opened { .. })),
        "{next:?}"
    );
    serving.stop().await;
}

#[tokio::test]
async fn panes_of_this_process_are_served_like_those_of_another() {
    let home = tempfile::tempdir().unwrap();
    let paths = support::paths(home.path());
    let host = Host::claim(&PANES, &paths).unwrap();
    let host = host.serve_here(support::panes(home.path()), 1);
    let client = HostClient::connect_here(&host).await.unwrap();
    assert!(!paths.socket().exists(), "nobody else finds it");
    let pane = client.ask(Open(script("exec cat"))).await.unwrap();
    client
        .tell(Write {
            pane: pane.id,
            bytes: b"a needle\n".to_vec(),
        })
        .unwrap();
    seen(&client, pane.id, "a needle").await;
    let found = client.search(support::find("needle"), |_| ()).await;
    assert!(found.unwrap().total > 0);
    let other = HostClient::connect_here(&host).await.unwrap();
    assert_eq!(other.health().await.unwrap().clients, 2);

    let mut events = client.events();
    host.end().await;
    gone(pid(&pane)).await;
    soon("the client is told", async {
        while !matches!(events.recv().await, Ok(HostEvent::Down { .. })) {}
    })
    .await;
    assert!(matches!(
        client.reconnect().await,
        Err(ConnectError::NotRunning { .. })
    ));
    Host::claim(&PANES, &paths).unwrap();
}

#[tokio::test]
async fn a_window_that_never_reads_slows_nobody() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let flood = client.ask(Open(script("yes"))).await.unwrap();
    let quiet = client.ask(Open(script("cat"))).await.unwrap();
    // Attached to the flood and never reads.
    let attach =
        json!({"attach": {"pane": flood.id, "scrollback_rows": 0, "high_water": 100_000_000}});
    let (_data, welcome) = serving.raw(attach).await;
    assert_eq!(welcome["refused"], json!(null));
    // Asks without end and never reads the answers.
    let (mut control, _) = serving.raw(json!("control")).await;
    let asking = tokio::spawn(async move {
        let request = json!({"ask": {"id": 1, "question": {"list": null}}}).to_string();
        let mut message = u32::try_from(request.len()).unwrap().to_le_bytes().to_vec();
        message.extend(request.as_bytes());
        // Ends when the host no longer reads: that is the point.
        let patience = Duration::from_millis(200);
        while let Ok(Ok(())) = tokio::time::timeout(patience, control.write_all(&message)).await {}
        control
    });
    let _stuck = asking.await.unwrap();
    for n in 0..20 {
        client
            .ask(Write {
                pane: quiet.id,
                bytes: format!("word {n}.\n").into_bytes(),
            })
            .await
            .unwrap();
        seen(&client, quiet.id, &format!("word {n}.")).await;
    }
    // Another window on the same flood gets its share.
    let mut other = client.attach(flood.id, options()).await.unwrap();
    let mut bytes = 0;
    soon("a megabyte of flood", async {
        while bytes < 1_000_000 {
            let frame = other.next_encoded().await.expect("the stream goes on");
            other.ack(frame.len() as u64);
            bytes += frame.len();
        }
    })
    .await;
    serving.stop().await;
}

#[tokio::test]
async fn every_client_hears_what_happens() {
    let serving = Serving::start().await;
    let (one, two) = (serving.client().await, serving.client().await);
    let mut events = two.events();
    let pane = one.ask(Open(script("read x"))).await.unwrap();
    let opened = event(&mut events, "opened", |event| match event {
        PaneEvent::Opened { pane } => Some(pane.id),
        _ => None,
    });
    assert_eq!(opened.await, pane.id);
    one.ask(Rename {
        pane: pane.id,
        name: Some("build".into()),
    })
    .await
    .unwrap();
    event(&mut events, "renamed", |event| match event {
        PaneEvent::Changed { pane } => (pane.name.as_deref() == Some("build")).then_some(()),
        _ => None,
    })
    .await;
    two.ask(Write {
        pane: pane.id,
        bytes: b"\n".to_vec(),
    })
    .await
    .unwrap();
    event(&mut events, "exited", |event| {
        exited(&event, &pane).then_some(())
    })
    .await;
    one.ask(Close(pane.id)).await.unwrap();
    event(&mut events, "closed", |event| {
        (event == PaneEvent::Closed { id: pane.id }).then_some(())
    })
    .await;
    assert_eq!(two.ask(List).await.unwrap(), []);
    serving.stop().await;
}

#[tokio::test]
async fn a_closed_pane_ends_its_streams_in_order() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    let mut attachment = client.attach(pane.id, options()).await.unwrap();
    assert!(matches!(attachment.next().await, Some(Frame::Snapshot(_))));
    client.ask(Close(pane.id)).await.unwrap();
    soon("the end of the stream", async {
        while attachment.next().await.is_some() {}
    })
    .await;
    assert!(!attachment.is_lost());
    serving.stop().await;
}

#[tokio::test]
async fn a_refusal_arrives_as_what_it_is() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let nobody = PaneId(4_000_000);
    let unknown = |result: Result<(), HostError>| match result {
        Err(HostError::Refused(Refusal::UnknownPane { pane })) => assert_eq!(pane, nobody),
        other => panic!("{other:?}"),
    };
    unknown(client.ask(Info(nobody)).await.map(drop));
    unknown(
        client
            .ask(Write {
                pane: nobody,
                bytes: b"x".to_vec(),
            })
            .await,
    );
    unknown(client.ask(Close(nobody)).await);
    unknown(client.attach(nobody, options()).await.map(drop));
    unknown(
        client
            .ask(Read {
                pane: nobody,
                lines: ReadLines::Newest { count: 1 },
            })
            .await
            .map(drop),
    );

    let missing = terminal::OpenPane {
        program: Some("/no/such/program".into()),
        ..Default::default()
    };
    match client.ask(Open(missing)).await {
        Err(HostError::Refused(Refusal::NotStarted { message })) => {
            assert!(message.contains("/no/such/program"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    match client
        .ask(Resize {
            pane: pane.id,
            size: PaneSize { cols: 0, rows: 5 },
        })
        .await
    {
        Err(HostError::Refused(Refusal::BadParams { field, .. })) => {
            assert!(field.contains("cols"), "{field}")
        }
        other => panic!("{other:?}"),
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_search_reports_on_its_way_and_answers_at_the_end() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let pane = client
        .ask(Open(script("echo a needle; echo hay; echo; cat")))
        .await
        .unwrap();
    seen(&client, pane.id, "hay").await;
    let mut reported = Vec::new();
    let answer = client
        .search(support::find("needle"), |progress| reported.push(progress))
        .await
        .unwrap();
    assert_eq!(answer.total, 1);
    assert_eq!(answer.matches[0].content, "a needle");
    let found: Vec<_> = reported
        .iter()
        .filter_map(|progress| match progress {
            SearchProgress::Found { matches } => Some(matches.clone()),
            SearchProgress::Count { .. } => None,
        })
        .flatten()
        .collect();
    assert_eq!(found, answer.matches);
    match client.search(support::find(""), |_| ()).await {
        Err(HostError::Refused(Refusal::BadParams { field, .. })) => assert_eq!(field, "pattern"),
        other => panic!("{other:?}"),
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_search_that_is_dropped_leaves_the_connection_as_it_was() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    client.ask(Open(script("seq 20000; cat"))).await.unwrap();
    for _ in 0..100 {
        let search = client.search(support::find("9"), |_| ());
        // Sent, and given up before the answer.
        let _ = tokio::time::timeout(Duration::ZERO, search).await;
    }
    assert_eq!(client.ask(List).await.unwrap().len(), 1);
    serving.stop().await;
}

#[tokio::test]
async fn the_socket_and_its_directory_are_their_owners_alone() {
    let serving = Serving::start().await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let socket = serving.paths.socket();
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    assert_eq!(serving.paths.note().unwrap().pid, std::process::id());
    serving.stop().await;
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let paths = support::paths(home.path());
    std::fs::create_dir(home.path().join("run")).unwrap();
    drop(UnixListener::bind(paths.socket()).unwrap());
    assert!(paths.socket().exists());
    assert!(matches!(
        HostClient::connect(&paths).await,
        Err(ConnectError::NotRunning { .. })
    ));
    let serving = Serving::start_in(home, Duration::from_secs(3600)).await;
    assert_eq!(serving.client().await.ask(List).await.unwrap(), []);
    serving.stop().await;
}

#[tokio::test]
async fn a_directory_has_one_host() {
    let serving = Serving::start().await;
    match Host::claim(&PANES, &serving.paths) {
        Err(ServeError::AlreadyRunning { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    // And the one that serves is none the worse for it.
    serving.client().await.ask(List).await.unwrap();
    let paths = serving.paths.clone();
    serving.stop().await;
    assert!(!paths.socket().exists());
}

#[tokio::test]
async fn a_client_of_another_version_is_refused_in_words() {
    let serving = Serving::start().await;
    let mut stream = UnixStream::connect(serving.paths.socket()).await.unwrap();
    // The greeting alone is fixed: another protocol may want other things.
    send(
        &mut stream,
        &json!({"protocol": 999, "version": "9.9.9", "purpose": ["?"]}),
    )
    .await;
    let welcome = receive(&mut stream).await.unwrap();
    assert_eq!(welcome["protocol"], json!(host::PROTOCOL));
    let words = welcome["refused"]["protocol"].as_str().unwrap();
    assert!(
        words.contains("the client is Switchyard 9.9.9 and speaks protocol 999"),
        "{words}"
    );
    assert_eq!(receive(&mut stream).await, None);
    serving.stop().await;
}

#[tokio::test]
async fn a_host_of_another_version_is_named_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let paths = support::paths(home.path());
    std::fs::create_dir(home.path().join("run")).unwrap();
    let listener = UnixListener::bind(paths.socket()).unwrap();
    let old = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        receive(&mut stream).await;
        let words = json!({"protocol": "this is Switchyard 0.0.1"});
        let welcome = json!({"protocol": 0, "version": "0.0.1", "pid": 77, "started_at": 5, "refused": words});
        send(&mut stream, &welcome).await;
    });
    let error = HostClient::connect(&paths).await.unwrap_err();
    old.await.unwrap();
    assert!(
        matches!(&error, ConnectError::OtherVersion { pid: 77, version, .. } if version == "0.0.1")
    );
    let text = error.to_string();
    assert!(text.contains("this is Switchyard 0.0.1"), "{text}");
    assert!(text.contains("switchyard host --stop"), "{text}");
}

#[tokio::test]
async fn what_a_newer_host_says_beyond_our_words_is_passed_over() {
    let home = tempfile::tempdir().unwrap();
    let paths = support::paths(home.path());
    std::fs::create_dir(home.path().join("run")).unwrap();
    let listener = UnixListener::bind(paths.socket()).unwrap();
    let newer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        receive(&mut stream).await;
        let welcome =
            json!({"protocol": host::PROTOCOL, "version": "9.9.9", "pid": 77, "started_at": 5});
        send(&mut stream, &welcome).await;
        send(
            &mut stream,
            &json!({"event": {"event": "teleported", "to": "mars"}}),
        )
        .await;
        let asked = receive(&mut stream).await.unwrap();
        let id = &asked["ask"]["id"];
        send(
            &mut stream,
            &json!({"reply": {"id": id, "reply": {"sculptures": []}}}),
        )
        .await;
        let asked = receive(&mut stream).await.unwrap();
        let id = &asked["ask"]["id"];
        send(&mut stream, &json!({"reply": {"id": id, "reply": []}})).await;
        // Until the client hangs up.
        receive(&mut stream).await;
    });
    let client = HostClient::connect(&paths).await.unwrap();
    match client.ask(List).await {
        Err(HostError::Protocol { message }) => {
            assert!(
                message.contains("invalid type: map, expected a sequence"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.ask(List).await.unwrap(), []);
    drop(client);
    soon("the client hangs up", newer).await.unwrap();
}

#[tokio::test]
async fn garbage_and_lies_end_their_own_connection_only() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let nonsense: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 64],
        &[0, 0, 0, 0],
        b"\x05\x00\x00\x00hello",
        b"\x02\x00\x00\x00{}",
    ];
    for bytes in nonsense {
        let mut stream = UnixStream::connect(serving.paths.socket()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        let _ = soon("the host hangs up", stream.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"", "{bytes:?}");
    }
    // After a good greeting, a length that nobody means.
    let (mut stream, _) = serving.raw(json!("control")).await;
    stream.write_all(&u32::MAX.to_le_bytes()).await.unwrap();
    assert_eq!(receive(&mut stream).await, None);
    // And a purpose that does not exist.
    let mut stream = UnixStream::connect(serving.paths.socket()).await.unwrap();
    let hello = json!({"protocol": host::PROTOCOL, "version": "1", "purpose": "dance"});
    send(&mut stream, &hello).await;
    assert_eq!(receive(&mut stream).await, None);
    assert_eq!(client.ask(List).await.unwrap(), []);
    serving.stop().await;
}

#[tokio::test]
async fn a_request_that_the_host_does_not_know_is_refused_by_name_and_the_next_is_served() {
    let serving = Serving::start().await;
    let (mut stream, _) = serving.raw(json!("control")).await;
    send(
        &mut stream,
        &json!({"ask": {"id": 7, "question": {"fly": 3}}}),
    )
    .await;
    let answer = receive(&mut stream).await.unwrap();
    assert_eq!(answer["refused"]["id"], json!(7));
    let words = answer["refused"]["refusal"]["message"].as_str().unwrap();
    assert!(words.contains("unknown variant `fly`"), "{words}");
    send(
        &mut stream,
        &json!({"ask": {"id": 8, "question": {"list": null}}}),
    )
    .await;
    let answer = receive(&mut stream).await.unwrap();
    assert_eq!(answer, json!({"reply": {"id": 8, "reply": []}}));
    serving.stop().await;
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_before_it_is_sent() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    let error = client
        .ask(Write {
            pane: pane.id,
            bytes: vec![b'x'; 17 * 1024 * 1024],
        })
        .await
        .unwrap_err();
    assert!(
        matches!(error, HostError::Refused(Refusal::BadParams { .. })),
        "{error}"
    );
    assert_eq!(client.ask(List).await.unwrap().len(), 1);
    serving.stop().await;
}

#[tokio::test]
async fn a_host_that_nobody_needs_ends_by_itself() {
    let serving = Serving::start_with(Duration::from_millis(1)).await;
    let paths = serving.paths.clone();
    serving.ended().await;
    assert!(!paths.socket().exists());
    assert_eq!(paths.note(), None);
}

#[tokio::test]
async fn a_host_stays_as_long_as_a_program_runs() {
    let home = tempfile::tempdir().unwrap();
    let done = home.path().join("done");
    let panes = support::panes(home.path());
    let count = format!("sleep 0.3; echo > {}; exec sleep 0", done.display());
    panes.open(script(&count)).unwrap();
    // It would wait for a millisecond; an end of the host would end the program, too.
    let serving = Serving::start_serving(home, panes, Duration::from_millis(1)).await;
    let seen = done.clone();
    let written = tokio::spawn(async move {
        while !seen.exists() {
            tokio::task::yield_now().await;
        }
    });
    soon("the program gets to its end", written).await.unwrap();
    serving.ended().await;
}

#[tokio::test]
async fn a_host_stays_as_long_as_a_client_is_there() {
    let home = tempfile::tempdir().unwrap();
    let panes = support::panes(home.path());
    let pane = panes.open(script("read x")).unwrap();
    let serving = Serving::start_serving(home, panes, Duration::from_millis(1)).await;
    let client = serving.client().await;
    let mut events = client.events();
    client
        .ask(Write {
            pane: pane.id,
            bytes: b"\n".to_vec(),
        })
        .await
        .unwrap();
    event(&mut events, "exited", |event| {
        exited(&event, &pane).then_some(())
    })
    .await;
    for _ in 0..50 {
        assert_eq!(client.ask(List).await.unwrap().len(), 1);
    }
    drop(client);
    serving.ended().await;
}

#[tokio::test]
async fn a_host_that_is_told_to_end_hangs_up_its_programs_and_its_clients() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let mut events = client.events();
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    let mut attachment = client.attach(pane.id, options()).await.unwrap();
    serving.stop().await;
    gone(pid(&pane)).await;
    soon("the client is told", async {
        while !matches!(events.recv().await, Ok(HostEvent::Down { .. })) {}
    })
    .await;
    soon("the stream ends", async {
        while attachment.next().await.is_some() {}
    })
    .await;
    assert!(attachment.is_lost());
    assert!(client.is_down());
    assert!(matches!(
        client.ask(List).await,
        Err(HostError::Down { .. })
    ));
    assert!(matches!(
        client.reconnect().await,
        Err(ConnectError::NotRunning { .. })
    ));
}

#[tokio::test]
async fn a_program_that_asks_is_told_the_colours_of_the_window() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let theme = terminal::Colours {
        foreground: (1, 2, 3),
        background: (0x12, 0x34, 0x56),
        cursor: (7, 8, 9),
        ..terminal::Colours::default()
    };
    client.ask(SetColours(theme)).await.unwrap();
    // Asks for the background, and shows the answer without what a terminal would act on.
    let ask = "stty raw -echo; printf '\\033]11;?\\007'; head -c 23 | tr -d '\\033\\007'; sleep 60";
    let pane = client.ask(Open(script(ask))).await.unwrap();
    seen(&client, pane.id, "rgb:1212/3434/5656").await;
    serving.stop().await;
}

#[tokio::test]
async fn the_health_check_counts_who_is_there() {
    let serving = Serving::start().await;
    let client = serving.client().await;
    let other = serving.client().await;
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    let _attachment = client.attach(pane.id, options()).await.unwrap();
    let health = other.health().await.unwrap();
    assert_eq!(
        (health.panes, health.clients, health.attachments),
        (1, 2, 1)
    );
    assert_eq!(health.stuck_writers, []);
    assert_eq!(health.pid, std::process::id());
    assert!(health.memory_bytes.is_none_or(|bytes| bytes > 100_000));
    drop(client);
    soon("the other is no longer counted", async {
        while other.health().await.unwrap().clients != 1 {}
    })
    .await;
    serving.stop().await;
}
