use super::super::AtomicWaker;
use super::super::state::{BeginRegister, BeginTake, EndRegister, State};

#[test]
fn register_owns_an_idle_cell() {
    let state = State::new();
    assert_eq!(state.begin_register(), BeginRegister::Owner);
    assert_eq!(state.begin_register(), BeginRegister::Busy);
    assert_eq!(state.end_register(), EndRegister::Registered);
    assert_eq!(state.begin_register(), BeginRegister::Owner);
}

#[test]
fn a_wake_during_a_registration_is_left_to_it() {
    let state = State::new();
    assert_eq!(state.begin_register(), BeginRegister::Owner);
    assert_eq!(state.begin_take(), BeginTake::Left);
    assert_eq!(state.begin_take(), BeginTake::Left);
    assert_eq!(state.begin_register(), BeginRegister::Busy);
    assert_eq!(state.end_register(), EndRegister::Woken);
    state.end_take();
    assert_eq!(state.begin_take(), BeginTake::Owner);
}

#[test]
fn a_take_owns_an_idle_cell() {
    let state = State::new();
    assert_eq!(state.begin_take(), BeginTake::Owner);
    assert_eq!(state.begin_take(), BeginTake::Left);
    assert_eq!(state.begin_register(), BeginRegister::Busy);
    state.end_take();
    assert_eq!(state.begin_register(), BeginRegister::Owner);
}

#[test]
fn it_is_a_waker_and_one_word() {
    assert!(size_of::<AtomicWaker>() <= 3 * size_of::<usize>());
}
