//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::providers::ProviderRole;

/// The effect of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAction {
    /// Adds a character to the input.
    Insert(char),
    /// Removes the last character of the input.
    DeleteLast,
    ClearInput,
    /// Sends the input, or the example question if it is empty.
    Submit,
    /// Switches a provider to its next mode.
    NextMode(ProviderRole),
    /// Ends the answer in progress, and with it the attempt at the provider.
    StopAnswer,
    Quit,
}

/// The keys that have an effect now, the important ones first: a narrow terminal cuts the line.
pub(crate) fn title(busy: bool) -> &'static str {
    match busy {
        false => {
            " evenkeel bot · Enter sends · Esc quits · F2/Tab: primary · F3/Shift+Tab: secondary · Ctrl+U clears"
        }
        true => {
            " evenkeel bot · answering … · Esc stops · F2/Tab: primary · F3/Shift+Tab: secondary · Ctrl+C quits"
        }
    }
}

/// The effect of a key while an answer is in progress (`busy`) or not. Other keys have none.
pub(crate) fn action(key: &KeyEvent, busy: bool) -> Option<KeyAction> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        KeyCode::Esc if busy => Some(KeyAction::StopAnswer),
        KeyCode::Esc => Some(KeyAction::Quit),
        // Windows reports AltGr as both: it types a character, such as `@`.
        KeyCode::Char(letter) if control == alt => Some(KeyAction::Insert(letter)),
        KeyCode::Char('c' | 'd') if control => Some(KeyAction::Quit),
        KeyCode::Char('u') if control => Some(KeyAction::ClearInput),
        KeyCode::Backspace => Some(KeyAction::DeleteLast),
        KeyCode::F(2) | KeyCode::Tab => Some(KeyAction::NextMode(ProviderRole::Primary)),
        KeyCode::F(3) | KeyCode::BackTab => Some(KeyAction::NextMode(ProviderRole::Secondary)),
        // There is one question at a time. The input stays until the answer has ended.
        KeyCode::Enter if !busy => Some(KeyAction::Submit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
    const ALT: KeyModifiers = KeyModifiers::ALT;

    /// The actions of a key without and with an answer in progress.
    fn both(code: KeyCode, modifiers: KeyModifiers) -> [Option<KeyAction>; 2] {
        [false, true].map(|busy| action(&KeyEvent::new(code, modifiers), busy))
    }

    #[test]
    fn every_key_has_its_effect_in_both_states() {
        use KeyAction::*;
        let primary = NextMode(ProviderRole::Primary);
        let secondary = NextMode(ProviderRole::Secondary);
        for (code, modifiers, idle, busy) in [
            (KeyCode::Enter, NONE, Some(Submit), None),
            (KeyCode::Esc, NONE, Some(Quit), Some(StopAnswer)),
            (KeyCode::Char('c'), CONTROL, Some(Quit), Some(Quit)),
            (KeyCode::Char('d'), CONTROL, Some(Quit), Some(Quit)),
            (KeyCode::Char('u'), CONTROL, Some(ClearInput), Some(ClearInput)),
            (KeyCode::Backspace, NONE, Some(DeleteLast), Some(DeleteLast)),
            (KeyCode::F(2), NONE, Some(primary), Some(primary)),
            (KeyCode::Tab, NONE, Some(primary), Some(primary)),
            (KeyCode::F(3), NONE, Some(secondary), Some(secondary)),
            (KeyCode::BackTab, KeyModifiers::SHIFT, Some(secondary), Some(secondary)),
            (KeyCode::Char('é'), NONE, Some(Insert('é')), Some(Insert('é'))),
            (KeyCode::Char('A'), KeyModifiers::SHIFT, Some(Insert('A')), Some(Insert('A'))),
            (KeyCode::Char('@'), CONTROL | ALT, Some(Insert('@')), Some(Insert('@'))),
        ] {
            assert_eq!(both(code, modifiers), [idle, busy], "{code:?} {modifiers:?}");
        }
    }

    #[test]
    fn other_keys_have_no_effect() {
        for (code, modifiers) in [
            (KeyCode::Char('x'), CONTROL),
            (KeyCode::Char('x'), ALT),
            (KeyCode::Left, NONE),
            (KeyCode::PageUp, NONE),
            (KeyCode::Delete, NONE),
            (KeyCode::F(4), NONE),
        ] {
            assert_eq!(both(code, modifiers), [None, None], "{code:?} {modifiers:?}");
        }
    }

    #[test]
    fn the_title_names_the_keys_of_its_state() {
        assert!(title(false).contains("Enter sends") && title(false).contains("Esc quits"));
        assert!(title(true).contains("Esc stops") && !title(true).contains("Enter"));
    }
}
