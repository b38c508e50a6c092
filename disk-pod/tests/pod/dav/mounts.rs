//! The disk as a directory of this machine: davfs2, which is in the kernel's eyes a file system, and `rclone mount`.
//! Both need FUSE; where there is none, that is what is said, and nothing is tried.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::programs::run;
use crate::standalone::{Place, Program};
use crate::world::PATIENCE;

/// Where something is mounted, and where a source is.
struct Bench {
    directory: TempDir,
}

/// What is mounted. Dropped before it has ended, it is torn off.
struct Mount {
    at: PathBuf,
    program: Option<Child>,
    ended: bool,
}

fn has_fuse() -> bool {
    let has = Path::new("/dev/fuse").exists();
    if !has {
        eprintln!("This machine has no FUSE: nothing is mounted, and nothing was tried.");
    }
    has
}

impl Mount {
    /// What was written is on the disk when this comes back.
    fn end(mut self) {
        run(Command::new("umount").arg(&self.at));
        if let Some(mut program) = self.program.take() {
            assert!(program.wait().unwrap().success(), "rclone did not end well");
        }
        self.ended = true;
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if !self.ended {
            let _ = Command::new("umount").args(["-i", "-l"]).arg(&self.at).status();
        }
        if let Some(mut program) = self.program.take() {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

impl Bench {
    fn new() -> Self {
        let bench = Self { directory: tempfile::tempdir().unwrap() };
        for name in ["disk", "cache"] {
            fs::create_dir(bench.at(name)).unwrap();
        }
        // davfs2 works as a user of its own.
        for (mode, path) in [("755", bench.at("")), ("777", bench.at("cache"))] {
            run(Command::new("chmod").arg(mode).arg(path));
        }
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A kernel of 2025 asks for more of a directory at once than davfs2 1.6.1 has room for: `buf_size`.
    fn davfs2(&self, pod: &Program) -> Mount {
        let url = format!("http://{}/dav/home/", pod.public);
        let path = |name| self.at(name).display().to_string();
        let (secrets, settings) = (path("secrets"), path("davfs2.conf"));
        fs::write(&secrets, format!("{url} alice secret\n")).unwrap();
        run(Command::new("chmod").args(["600", &secrets]));
        let cache = path("cache");
        let text =
            format!("ask_auth 0\ndelay_upload 0\nbuf_size 256\nsecrets {secrets}\ncache_dir {cache}\n");
        fs::write(&settings, text).unwrap();
        // What stays in the background would hold on to its pipes.
        let mounted = Command::new("mount")
            .args(["-t", "davfs", "-o", &format!("conf={settings}"), &url, &path("disk")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(mounted.unwrap().success(), "davfs2 mounts nothing: is it installed (`make tools`)?");
        Mount { at: self.at("disk"), program: None, ended: false }
    }

    fn rclone(&self, pod: &Program) -> Mount {
        let obscured = run(Command::new("rclone").args(["obscure", "secret"]));
        let at = self.at("disk");
        let device = || fs::metadata(&at).map(|found| std::os::unix::fs::MetadataExt::dev(&found)).unwrap();
        let before = device();
        let program = Command::new("rclone")
            .args(["mount", ":webdav:", &at.display().to_string(), "--config", "/dev/null"])
            .args([
                "--webdav-url",
                &format!("http://{}/dav/home/", pod.public),
                "--webdav-vendor",
                "owncloud",
            ])
            .args(["--webdav-user", "alice", "--webdav-pass", obscured.trim()])
            .args(["--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--transfers", "16"])
            .arg("--cache-dir")
            .arg(tempfile::tempdir_in(self.at("cache")).unwrap().keep())
            .spawn()
            .expect("rclone is missing: run `make tools`");
        let mount = Mount { at: at.clone(), program: Some(program), ended: false };
        let begun = Instant::now();
        while device() == before {
            assert!(begun.elapsed() < PATIENCE, "rclone mounts nothing");
            std::thread::yield_now();
        }
        mount
    }

    /// A source of so many files, with a part that is built and a repository.
    fn source(&self, files: usize) -> PathBuf {
        let source = self.at("source");
        for number in 0..files {
            let directory = source.join(format!("part {}", number % 40));
            fs::create_dir_all(&directory).unwrap();
            let text = format!("int f{number}(void) {{ return {number}; }}\n");
            fs::write(directory.join(format!("f{number}.c")), text).unwrap();
        }
        let rules = "all: parts.a\nparts.a:\n\tcd 'part 0' && gcc -c *.c && ar rcs ../parts.a *.o\n";
        fs::write(source.join("Makefile"), rules).unwrap();
        git(&source, &["init", "-q"]);
        git(&source, &["add", "Makefile", "part 0", "part 1"]);
        git(&source, &["commit", "-q", "-m", "A part of it"]);
        source
    }
}

fn git(at: &Path, words: &[&str]) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "safe.directory=*"];
    // To look is not to write.
    run(Command::new("git").env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(at).args(who).args(words))
}

fn is_the_same(one: &Path, other: &Path) {
    run(Command::new("diff").args(["-r", "-x", "parts.a", "-x", "*.o", "-x", ".git"]).args([one, other]));
}

/// How a repository comes onto the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Clone,
    Copy,
}

/// A tree is copied in and built there, a repository comes onto the disk and is cloned from it, and all is as it was when
/// it is mounted anew.
fn work(bench: &Bench, files: usize, by: By, mount: impl Fn() -> Mount) {
    let source = bench.source(files);
    let disk = bench.at("disk");
    let mounted = mount();
    let (tree, clone) = (disk.join("tree"), disk.join("clone"));
    run(Command::new("cp").arg("-r").arg(&source).arg(&tree));
    run(Command::new("make").arg("-s").arg("-C").arg(&tree));
    let objects = run(Command::new("ar").arg("t").arg(tree.join("parts.a")));
    assert_eq!(objects.lines().count(), files.div_ceil(40));
    match by {
        By::Clone => run(Command::new("git").args(["clone", "-q"]).arg(&source).arg(&clone)),
        By::Copy => run(Command::new("cp").arg("-r").arg(&source).arg(&clone)),
    };
    assert_eq!(git(&clone, &["status", "--porcelain", "-uno"]), "");
    mounted.end();

    let mounted = mount();
    is_the_same(&source, &tree);
    assert_eq!(git(&clone, &["status", "--porcelain", "-uno"]), "");
    let back = bench.at("back");
    git(&source, &["clone", "-q", &clone.display().to_string(), &back.display().to_string()]);
    is_the_same(&source.join("part 1"), &back.join("part 1"));
    mounted.end();
}

#[test]
fn davfs2_is_a_disk_of_two_thousand_files() {
    if has_fuse() {
        let (place, bench) = (Place::roomy(), Bench::new());
        let pod = place.start();
        work(&bench, 2000, By::Clone, || bench.davfs2(&pod));
    }
}

/// Fewer files, since rclone makes a hundred requests a second at most. Not `git clone` onto it: git gives files other names
/// while the cache of rclone 1.60 sends them off, and it loses some.
#[test]
fn rclone_mounts_it_as_a_disk() {
    if has_fuse() {
        let (place, bench) = (Place::roomy(), Bench::new());
        let pod = place.start();
        work(&bench, 200, By::Copy, || bench.rclone(&pod));
    }
}
