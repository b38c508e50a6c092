//! Which characters XML 1.0 has, in texts and in names.

/// Whether a character can be in a document (XML 1.0, production 2).
pub(super) fn is_xml(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Whether a text is a name without a prefix (Namespaces in XML, production 4).
pub(super) fn is_plain_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(begins_name) && characters.all(continues_name)
}

fn begins_name(character: char) -> bool {
    matches!(character,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn continues_name(character: char) -> bool {
    begins_name(character)
        || matches!(character,
            '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["a", "_", "Win32FileAttributes", "이름", "a-b.c1"] {
            assert!(is_plain_name(name), "{name}");
        }
        for wrong in ["", "1a", "-a", "a:b", "a b", "a<", "a\"", "a=", "a/", "a\u{0}"] {
            assert!(!is_plain_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn characters_that_no_document_has() {
        for wrong in ['\u{0}', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            assert!(!is_xml(wrong), "{wrong:?}");
        }
        assert!("\t\r\n a휴😀".chars().all(is_xml));
    }
}
