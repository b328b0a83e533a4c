//! The examples of the README are files that are compiled: what it shows is what they say.

use std::{fs, path::Path};

/// The files that the README shows, each with the code below its name.
fn shown(readme: &str) -> Vec<(&str, &str)> {
    let parts = readme.split("<!-- ").skip(1);
    let parts = parts.filter_map(|part| part.split_once(" -->\n"));
    let code = parts.map(|(file, rest)| {
        let code = rest.trim_start().strip_prefix("```rust\n");
        let code = code.and_then(|code| code.split_once("```"));
        (file, code.unwrap_or_else(|| panic!("there is no code below {file}")).0)
    });
    code.collect()
}

#[test]
fn the_examples_of_the_readme_are_the_files_that_are_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let shown = shown(&readme);
    assert!(shown.len() >= 5, "the README shows {} files", shown.len());
    for (file, code) in shown {
        let compiled = fs::read_to_string(root.join(file)).unwrap();
        // The first line of a file says what it is.
        let (_, compiled) = compiled.split_once("\n\n").unwrap();
        assert_eq!(code, compiled, "{file}");
    }
    let fences = readme.matches("```rust").count();
    assert_eq!(fences, readme.matches("<!-- ").count(), "code without a file");
}
