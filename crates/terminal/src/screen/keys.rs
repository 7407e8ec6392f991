//! How a program wants its keys: by the kitty keyboard protocol, or by modifyOtherKeys (xterm).
//!
//! The window makes the bytes of a key; here is what it is told for that, and what the program is told that asks.

use alacritty_terminal::vte::ansi::{KeyboardModes, KeyboardModesApplyBehavior, ModifyOtherKeys};

/// No program has more layers of itself; of more the oldest are forgotten.
const MAX_SAVED: usize = 16;

/// How keys are wanted, on either screen.
#[derive(Debug, Default)]
pub(super) struct Keys {
    primary: Layers,
    full_screen: Layers,
    /// The level of modifyOtherKeys.
    pub(super) other: u8,
}

/// The flags of the kitty keyboard protocol, and those to go back to.
#[derive(Debug)]
struct Layers {
    now: KeyboardModes,
    saved: Vec<KeyboardModes>,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            now: KeyboardModes::NO_MODE,
            saved: Vec::new(),
        }
    }
}

impl Keys {
    fn layers(&mut self, full_screen: bool) -> &mut Layers {
        if full_screen {
            &mut self.full_screen
        } else {
            &mut self.primary
        }
    }

    /// The flags that count now.
    pub(super) fn flags(&self, full_screen: bool) -> u8 {
        let layers = if full_screen {
            &self.full_screen
        } else {
            &self.primary
        };
        layers.now.bits()
    }

    pub(super) fn push(&mut self, full_screen: bool, flags: KeyboardModes) {
        let layers = self.layers(full_screen);
        if layers.saved.len() == MAX_SAVED {
            layers.saved.remove(0);
        }
        layers.saved.push(layers.now);
        layers.now = flags;
    }

    /// Goes back `count` layers; beyond the first, no flag is set.
    pub(super) fn pop(&mut self, full_screen: bool, count: u16) {
        let layers = self.layers(full_screen);
        let left = layers.saved.len().checked_sub(usize::from(count));
        layers.now = match left {
            Some(left) => layers.saved.drain(left..).next().unwrap_or(layers.now),
            None => KeyboardModes::NO_MODE,
        };
        if left.is_none() {
            layers.saved.clear();
        }
    }

    pub(super) fn set(
        &mut self,
        full_screen: bool,
        flags: KeyboardModes,
        how: KeyboardModesApplyBehavior,
    ) {
        let now = &mut self.layers(full_screen).now;
        *now = match how {
            KeyboardModesApplyBehavior::Replace => flags,
            KeyboardModesApplyBehavior::Union => *now | flags,
            KeyboardModesApplyBehavior::Difference => *now & !flags,
        };
    }

    pub(super) fn set_other(&mut self, level: ModifyOtherKeys) {
        self.other = match level {
            ModifyOtherKeys::Reset => 0,
            ModifyOtherKeys::EnableExceptWellDefined => 1,
            ModifyOtherKeys::EnableAll => 2,
        };
    }
}
