//! The page is embedded: build anew when it was.

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
}
