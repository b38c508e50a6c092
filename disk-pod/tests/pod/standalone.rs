//! The program without a cluster: started with YAML and passwords, asked with curl.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::world::PATIENCE;

const MEMBERS: &str = r#"
apiVersion: internetdisk.dev/v1alpha1
kind: Member
metadata: {name: alice}
spec:
  clusterRef: {name: demo}
  quota: 6Mi
  allocations: [{group: design, size: 2Mi}]
---
apiVersion: internetdisk.dev/v1alpha1
kind: Member
metadata: {name: bob}
spec: {clusterRef: {name: demo}, quota: 1Mi, allocations: [{group: design, size: "0"}]}
---
apiVersion: internetdisk.dev/v1alpha1
kind: Group
metadata: {name: design, uid: 5f3c0f0e-0000-4000-8000-000000000001}
spec:
  clusterRef: {name: demo}
  members: [{name: alice, role: Owner}, {name: bob, role: Viewer}]
"#;

const GROUP: &str = "5f3c0f0e-0000-4000-8000-000000000001";
pub(crate) const ALICE: &str = "5f3c0f0e-0000-4000-8000-00000000000a";

/// A place of two members who both write to the group, and who have much room.
const ROOMY: &str = r#"
apiVersion: internetdisk.dev/v1alpha1
kind: Member
metadata: {name: alice}
spec:
  clusterRef: {name: demo}
  quota: 3Gi
  allocations: [{group: design, size: 1Gi}]
---
apiVersion: internetdisk.dev/v1alpha1
kind: Member
metadata: {name: bob}
spec: {clusterRef: {name: demo}, quota: 1Gi, allocations: [{group: design, size: "0"}]}
---
apiVersion: internetdisk.dev/v1alpha1
kind: Group
metadata: {name: design, uid: 5f3c0f0e-0000-4000-8000-000000000001}
spec:
  clusterRef: {name: demo}
  members: [{name: alice, role: Owner}, {name: bob, role: Editor}]
"#;

pub(crate) struct Place {
    directory: TempDir,
    /// What alice may use of her own disk.
    limit: u64,
}

pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::of(MEMBERS, 4 << 20)
    }

    /// With room for thousands of files; both members write to the group.
    pub(crate) fn roomy() -> Self {
        Self::of(ROOMY, 2 << 30)
    }

    fn of(members: &str, limit: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["volume", "roster"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let place = Self { directory, limit };
        let members = members.replace("{name: alice}\nspec", &format!("{{name: alice, uid: {ALICE}}}\nspec"));
        place.write("members.yaml", &members);
        place.write("passwords", "alice:secret\nbob:hush\n");
        place
    }

    pub(crate) fn at(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at("roster").join(name), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_disk-pod"));
        let path = |name: &str| self.at(name).display().to_string();
        command.args(["serve", "--volume", &path("volume"), "--roster", &path("roster")]);
        command
    }

    pub(crate) fn start(&self) -> Program {
        self.start_with(&[])
    }

    /// The same, with more on its command line.
    pub(crate) fn start_with(&self, more: &[&str]) -> Program {
        let (public, internal, admin) = (free(), free(), free());
        let child = self
            .command()
            .args(more)
            .args(["--listen", &public.to_string(), "--internal-listen", &internal.to_string()])
            .args(["--admin-listen", &admin.to_string(), "--grace-seconds", "2"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let program = Program { child, public, internal, admin };
        let limit = format!("\"limit\":{}", self.limit);
        program.until(&["-u", "alice:secret"], &format!("/v1/spaces/{ALICE}/usage"), |(status, body)| {
            *status == 200 && body.contains(&limit)
        });
        program
    }
}

impl Place {
    /// Puts a file by name and password.
    pub(crate) fn upload(&self, program: &Program, who: &str, path: &str, content: &[u8]) {
        let file = self.at("content");
        std::fs::write(&file, content).unwrap();
        let (status, said) = program.curl(&["-u", who, "-T", &file.display().to_string()], path);
        assert!(matches!(status, 201 | 204), "{path}: {status} {said}");
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Program {
    /// What it has in memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub(crate) fn curl(&self, options: &[&str], path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.public);
        let output = Command::new("curl")
            .args(["--silent", "--max-time", "20", "--write-out", "\n%{http_code}"])
            .args(options)
            .arg(url)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    fn until(&self, options: &[&str], path: &str, wanted: impl Fn(&(u16, String)) -> bool) {
        let begun = Instant::now();
        loop {
            let answer = self.curl(options, path);
            if wanted(&answer) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} still answers: {answer:?}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn without_a_cluster_it_serves_the_members_of_yaml_files() {
    let place = Place::new();
    let file = place.at("file");
    std::fs::write(&file, "content").unwrap();
    let upload = ["-T", &*file.display().to_string()];
    let with = |who: &'static str, more: &[&str]| -> Vec<String> {
        ["-u", who].iter().chain(more).map(|option| (*option).to_owned()).collect()
    };
    let ask = |program: &Program, who, more: &[&str], path: String| {
        let options = with(who, more);
        program.curl(&options.iter().map(String::as_str).collect::<Vec<_>>(), &path)
    };
    let program = place.start();
    let own = |path: &str| format!("/v1/spaces/{ALICE}/files/{path}");
    let group = |path: &str| format!("/v1/spaces/{GROUP}/files/{path}");
    assert_eq!(ask(&program, "alice:secret", &upload, own("a")).0, 201);
    assert_eq!(ask(&program, "alice:secret", &[], own("a")), (200, "content".to_owned()));
    assert_eq!(ask(&program, "alice:secret", &upload, group("a")).0, 201);
    assert_eq!(ask(&program, "bob:hush", &[], group("a")), (200, "content".to_owned()));
    assert_eq!(ask(&program, "bob:hush", &upload, group("b")).0, 403, "a viewer");
    assert_eq!(ask(&program, "bob:hush", &[], own("a")).0, 403, "the disk of another");
    assert_eq!(ask(&program, "alice:wrong", &[], own("a")).0, 401);
    assert_eq!(program.curl(&[], &own("a")).0, 401);
    let usage = ask(&program, "alice:secret", &[], format!("/v1/spaces/{GROUP}/usage")).1;
    assert!(usage.contains("\"limit\":2097152"), "{usage}");

    place.write("passwords", "alice:changed\nbob:hush\n");
    program.until(&["-u", "alice:changed"], &own("a"), |(status, _)| *status == 200);
    assert_eq!(ask(&program, "alice:secret", &[], own("a")).0, 401, "the old password is forgotten");

    // What is on the volume stays, and belongs to the same disk when it is started again.
    place.write("passwords", "alice:secret\n");
    drop(program);
    let program = place.start();
    assert_eq!(ask(&program, "alice:secret", &[], own("a")), (200, "content".to_owned()));
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    let said = |place: &Place, more: &[&str]| {
        let addresses = ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"];
        let output = place
            .command()
            .args(addresses)
            .args(["--admin-listen", "127.0.0.1:0"])
            .args(more)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let place = Place::new();
    place.write("passwords", "nonsense");
    assert!(said(&place, &[]).contains("line 1 is not name:password"));
    std::fs::remove_file(place.at("roster").join("passwords")).unwrap();
    assert!(said(&place, &[]).contains("a line name:password for each member"));
    place.write("members.yaml", "");
    place.write("passwords", "alice:secret");
    assert!(said(&place, &[]).contains("there is no Member in"));
    std::fs::remove_dir_all(place.at("volume")).unwrap();
    let missing: &Path = &place.at("volume");
    assert!(said(&place, &[]).contains(&missing.display().to_string()));
}
