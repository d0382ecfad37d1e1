//! Whatever bytes a file for `infoplane data import` holds, reading it ends in columns or in an error: no panic, and no more
//! memory than there is room for.
//!
//! The first byte of an input chooses the format, the second how it is read; the rest is the file.

#![no_main]

mod limited;

use std::hint::black_box;
use std::panic;

use infoplane::import::{Decimal, FORMATS, Header, Options, SamplesAre, Separator, inflate, mistaken};
use infoplane::memory::Room;
use libfuzzer_sys::fuzz_target;
use limited::Limited;

/// The content of a file may take this much.
const ROOM: u64 = 32 << 20;

/// Words and records of rows are counted roughly, so that some multiple of the room is allowed.
#[global_allocator]
static ALLOCATOR: Limited = Limited::to(1 << 30);

fuzz_target!(
    // As in `reader`: libFuzzer's hook would abort at panics that are caught.
    init: drop(panic::take_hook()),
    |input: &[u8]| {
        if let [format, how, content @ ..] = input {
            let options = Options {
                header: [Header::Guess, Header::Names, Header::Missing][usize::from(how % 3)],
                separator: [None, Some(Separator::Character(b';')), Some(Separator::Spaces)][usize::from(how / 3 % 3)],
                decimal: [Decimal::Point, Decimal::Comma][usize::from(how / 9 % 2)],
                samples: [SamplesAre::First, SamplesAre::Last][usize::from(how / 18 % 2)],
            };
            let mut room = Room::of_bytes(ROOM);
            // That a file is refused is fine.
            let Ok(content) = inflate(content.to_vec(), &mut room) else { return };
            let _ = black_box(mistaken("d", &content));
            let format = &FORMATS[usize::from(*format) % FORMATS.len()];
            if let Ok(columns) = black_box((format.read)(&content, &options, &mut room)) {
                for column in columns.iter().filter(|column| column.problem.is_none()) {
                    assert!(column.values.len() % column.width.max(1) == 0, "{} has no whole rows", column.name);
                    assert!(column.rests.is_empty() || column.rests.len() == column.values.len());
                }
            }
        }
    }
);
