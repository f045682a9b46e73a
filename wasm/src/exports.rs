//! The functions that the module exports, over one session.
//!
//! `#[unsafe(no_mangle)]` is all that the lint is lifted for: it promises that no other function has the name, which the
//! prefix keeps, and that has no `unsafe` block beside it.
#![allow(unsafe_code)]

use std::cell::RefCell;

use crate::Session;

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// `-1` stands for an error: numbers are all that crosses this border.
fn count(result: Result<usize, String>) -> i32 {
    result.ok().and_then(|count| i32::try_from(count).ok()).unwrap_or(-1)
}

/// Takes one byte of a model file or of a text.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_byte(byte: u32) {
    SESSION.with_borrow_mut(|session| session.byte(byte as u8));
}

/// Reads the bytes taken so far as a model file; the number of columns of a row, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_load() -> i32 {
    SESSION.with_borrow_mut(|session| count(session.load()))
}

/// Adds a number to the row.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_number(value: f64) {
    SESSION.with_borrow_mut(|session| session.number(value));
}

/// Adds a missing value to the row.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_missing() {
    SESSION.with_borrow_mut(Session::missing);
}

/// Adds the bytes taken so far to the row, as text.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_text() {
    SESSION.with_borrow_mut(Session::text);
}

/// Predicts the row and begins a new one; the number of scores, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_predict() -> i32 {
    SESSION.with_borrow_mut(|session| count(session.predict()))
}

/// Score number `place` of the row predicted last.
#[unsafe(no_mangle)]
pub extern "C" fn glassnet_score(place: u32) -> f32 {
    SESSION.with_borrow(|session| session.score(place as usize))
}
