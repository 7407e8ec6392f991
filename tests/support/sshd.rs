//! A machine to come to by ssh: a real sshd on loopback, with keys, a configuration and a home of its own; and a relay before it
//! that cuts connections, or lets nothing through any more.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::{DEADLINE, Home, LOOK_AGAIN};

/// A machine that `ssh build` reaches, for programs that have [`Sshd::environment`].
pub struct Sshd {
    directory: tempfile::TempDir,
    /// What lives on the machine: its switchyard, and what that keeps.
    far: Home,
    relay: Relay,
    daemon: Child,
}

/// How the machine is other than usual.
#[derive(Debug, Clone, Default)]
pub struct Unusual {
    /// What the login shell does with what it is told, which is in `$SSH_ORIGINAL_COMMAND`.
    pub login: Option<String>,
    /// Set for all that runs there.
    pub environment: Vec<(String, String)>,
    /// Further lines of sshd's configuration.
    pub configuration: Vec<String>,
    /// Programs are put into the machine's own home, and not where the tests share them.
    pub own_programs: bool,
}

impl Sshd {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it is not installed (`scripts/setup` installs it), or does not start.
    pub fn start() -> Result<Self> {
        Self::start_unusual(&Unusual::default())
    }

    /// Starts one that is other than usual.
    ///
    /// # Errors
    ///
    /// As for [`Sshd::start`].
    pub fn start_unusual(unusual: &Unusual) -> Result<Self> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"]
            .into_iter()
            .find(|path| Path::new(path).is_file())
            .context("there is no sshd here; `scripts/setup` installs it")?;
        let directory = tempfile::Builder::new().prefix("sshd-").tempdir()?;
        let at = |name: &str| directory.path().join(name);
        for key in ["host_key", "client_key"] {
            keygen(&at(key))?;
        }
        fs::copy(at("client_key.pub"), at("authorized_keys"))?;
        let far = Home::new()?;
        let port = free_port()?;
        let mut environment = vec![
            (
                "SWITCHYARD_HOME".to_owned(),
                far.path().display().to_string(),
            ),
            ("HOME".to_owned(), far.user().display().to_string()),
        ];
        if !unusual.own_programs {
            let shared = shared_programs()?.display().to_string();
            environment.push(("XDG_DATA_HOME".to_owned(), shared));
        }
        environment.extend(unusual.environment.iter().cloned());
        let mut configuration = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPrintMotd no\nSetEnv",
            at("host_key").display(),
            at("authorized_keys").display(),
        );
        for (name, value) in &environment {
            write!(configuration, " \"{name}={value}\"")?;
        }
        configuration.push('\n');
        if let Some(login) = &unusual.login {
            writeln!(configuration, "ForceCommand {login}")?;
        }
        for line in &unusual.configuration {
            writeln!(configuration, "{line}")?;
        }
        fs::write(at("sshd_config"), configuration)?;
        // As root it wants a directory that only its service makes.
        if rustix::process::geteuid().is_root() {
            fs::create_dir_all("/run/sshd")?;
        }
        let log = fs::File::create(at("sshd.log"))?;
        let daemon = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let relay = Relay::to(port)?;
        let mut sshd = Self {
            directory,
            far,
            relay,
            daemon,
        };
        sshd.knows_host_key("host_key")?;
        sshd.configure_client("client_key")?;
        sshd.listens(port)?;
        Ok(sshd)
    }

    /// What lives on the machine.
    pub fn far(&self) -> &Home {
        &self.far
    }

    /// What is between here and the machine.
    pub fn relay(&self) -> &Relay {
        &self.relay
    }

    /// Where its keys and files are.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The variables by which `ssh` finds the machine: a `PATH` with an `ssh` that has its configuration.
    pub fn environment(&self) -> (&'static str, String) {
        let path = std::env::var("PATH").unwrap_or_default();
        (
            "PATH",
            format!("{}:{path}", self.path().join("bin").display()),
        )
    }

    /// A home here that knows the machine as `build`, and has a program for it.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn near(&self) -> Result<Home> {
        let home = Home::new()?;
        let programs = home.path().join("data/programs");
        fs::create_dir_all(&programs)?;
        let name = format!("switchyard-linux-{}", std::env::consts::ARCH);
        std::os::unix::fs::symlink(stripped()?, programs.join(name))?;
        fs::write(
            home.path().join("config/machines.json"),
            r#"{ "machines": { "build": {} } }"#,
        )?;
        Ok(home.with(self.environment()))
    }

    /// The client believes that the machine has this host key.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn knows_host_key(&self, key: &str) -> Result<()> {
        let public = fs::read_to_string(self.path().join(format!("{key}.pub")))?;
        let line = format!("[127.0.0.1]:{} {public}", self.relay.port());
        Ok(fs::write(self.path().join("known_hosts"), line)?)
    }

    /// Makes another pair of keys beside the others.
    ///
    /// # Errors
    ///
    /// When ssh-keygen fails.
    pub fn another_key(&self, name: &str) -> Result<()> {
        keygen(&self.path().join(name))
    }

    /// The client shows this key.
    ///
    /// # Errors
    ///
    /// When its configuration can't be written.
    pub fn configure_client(&self, key: &str) -> Result<()> {
        let at = |name: &str| self.path().join(name).display().to_string();
        let user = whoami()?;
        let configuration = format!(
            "Host build\n  HostName 127.0.0.1\n  Port {}\n  User {user}\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
             UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
            self.relay.port(),
            at(key),
            at("known_hosts"),
        );
        fs::write(at("ssh_config"), configuration)?;
        let bin = self.path().join("bin");
        fs::create_dir_all(&bin)?;
        let script = format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F '{}' \"$@\"\n",
            at("ssh_config")
        );
        fs::write(bin.join("ssh"), script)?;
        fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    fn listens(&mut self, port: u16) -> Result<()> {
        let give_up = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.daemon.try_wait()?.is_some();
            if ended || Instant::now() > give_up {
                let log = fs::read_to_string(self.path().join("sshd.log"))?;
                anyhow::bail!("sshd does not listen: {log}");
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.relay.cut();
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A way through, which can be cut or stopped.
#[derive(Clone)]
pub struct Relay(Arc<Passing>);

struct Passing {
    port: u16,
    to: Mutex<Way>,
}

#[derive(Default)]
struct Way {
    to: u16,
    /// Both ends of what passes.
    open: Vec<TcpStream>,
    stopped: bool,
    closed: bool,
    /// After so many more bytes towards the machine, it is cut.
    cut_after: Option<u64>,
}

impl Relay {
    /// To a port on loopback.
    fn to(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let relay = Self(Arc::new(Passing {
            port: listener.local_addr()?.port(),
            to: Mutex::new(Way {
                to: port,
                ..Way::default()
            }),
        }));
        let passing = Arc::downgrade(&relay.0);
        std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || {
                for came in listener.incoming().flatten() {
                    let Some(passing) = passing.upgrade() else {
                        return;
                    };
                    Self(passing).pass(came);
                }
            })?;
        Ok(relay)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Ends what passes now; what comes next passes again.
    pub fn cut(&self) {
        for end in self.lock().open.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// How many connections pass now.
    pub fn passing(&self) -> usize {
        self.lock().open.len() / 2
    }

    /// Lets nothing through any more, and ends nothing: neither side can tell.
    pub fn stop(&self) {
        self.lock().stopped = true;
    }

    /// Lets through again what comes anew.
    pub fn go_on(&self) {
        self.lock().stopped = false;
    }

    /// Takes no new connections, or does again.
    pub fn close(&self, closed: bool) {
        self.lock().closed = closed;
    }

    /// Cuts once so many bytes have gone to the machine.
    pub fn cut_after(&self, bytes: u64) {
        self.lock().cut_after = Some(bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Way> {
        self.0.to.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    fn pass(&self, came: TcpStream) {
        let to = {
            let way = self.lock();
            if way.closed {
                return;
            }
            way.to
        };
        let Ok(there) = TcpStream::connect(("127.0.0.1", to)) else {
            return;
        };
        for end in [&came, &there] {
            let _ = end.set_nodelay(true);
            if let Ok(end) = end.try_clone() {
                self.lock().open.push(end);
            }
        }
        self.carry(&came, &there, true);
        self.carry(&there, &came, false);
    }

    fn carry(&self, from: &TcpStream, to: &TcpStream, towards: bool) {
        let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        let relay = self.clone();
        let _ = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || {
                let mut piece = [0; 16 * 1024];
                while let Ok(read @ 1..) = from.read(&mut piece) {
                    while relay.lock().stopped {
                        std::thread::sleep(LOOK_AGAIN);
                    }
                    if to.write_all(&piece[..read]).is_err() {
                        break;
                    }
                    if towards && relay.is_spent(read as u64) {
                        relay.cut();
                    }
                }
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
    }

    fn is_spent(&self, bytes: u64) -> bool {
        let mut way = self.lock();
        match way.cut_after.take() {
            Some(left) if left <= bytes => true,
            Some(left) => {
                way.cut_after = Some(left - bytes);
                false
            }
            None => false,
        }
    }
}

fn keygen(key: &Path) -> Result<()> {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(key)
        .stdin(Stdio::null())
        .output()
        .context("ssh-keygen comes with ssh")?;
    ensure!(made.status.success(), "ssh-keygen: {made:?}");
    Ok(())
}

fn whoami() -> Result<String> {
    let said = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Beside the program under test.
fn target() -> PathBuf {
    let program = Home::program();
    program.parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Where the tests share what was put on a machine, so that it is put there once.
fn shared_programs() -> Result<PathBuf> {
    let shared = target().join("machines");
    fs::create_dir_all(&shared)?;
    Ok(shared.canonicalize()?)
}

/// The program under test without what a debugger wants: a third of it, as it is sent.
fn stripped() -> Result<PathBuf> {
    let (program, stripped) = (Home::program(), target().join("switchyard-stripped"));
    let when = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
    if when(&stripped).is_ok_and(|made| when(&program).is_ok_and(|built| built <= made)) {
        return Ok(stripped.canonicalize()?);
    }
    // Tests run beside each other: each writes its own, and one after another they take the place.
    let own = target().join(format!("switchyard-stripped.{}", std::process::id()));
    let done = Command::new("strip")
        .arg("-o")
        .args([&own, &program])
        .output()
        .context("strip comes with the compiler's linker")?;
    ensure!(done.status.success(), "strip: {done:?}");
    fs::rename(&own, &stripped)?;
    Ok(stripped.canonicalize()?)
}
