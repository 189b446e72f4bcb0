use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use super::*;

/// Runs `test` with each loop, each on a thread of its own as the runner does.
macro_rules! on_each_loop {
    ($test:ident) => {
        on_each_loop!($test: tokio::Tokio, facade::Facade, task::Task);
        #[cfg(feature = "peers")]
        on_each_loop!($test: monoio::Monoio, glommio::Glommio, compio::Compio, smol::Smol);
    };
    ($test:ident: $($name:ty),+) => {
        $(thread::spawn($test::<$name>).join().unwrap();)+
    };
}

#[test]
fn spawns_are_polled_when_it_is_said() {
    fn test<L: LocalLoop>() {
        let polled_within = L::run(async {
            let polls = Rc::new(RefCell::new(0));
            let task = L::spawn({
                let polls = Rc::clone(&polls);
                async move { *polls.borrow_mut() += 1 }
            });
            let polled_within = *polls.borrow();
            task.await;
            polled_within
        });
        assert_eq!(polled_within.unwrap() == 0, L::SPAWNS_LATER, "{}", L::NAME);
    }
    on_each_loop!(test);
}

#[test]
fn eager_spawns_are_polled_at_once() {
    fn test<L: LocalLoop>() {
        let polled_within = L::run(async {
            let polls = Rc::new(RefCell::new(0));
            let task = L::spawn_eager({
                let polls = Rc::clone(&polls);
                async move { *polls.borrow_mut() += 1 }
            })?;
            let polled_within = *polls.borrow();
            task.await;
            Some(polled_within)
        });
        let polled_within = polled_within.unwrap();
        assert!(polled_within.is_none_or(|polls| polls == 1), "{}", L::NAME);
        assert!(L::SPAWNS_LATER || polled_within.is_some(), "{}", L::NAME);
    }
    on_each_loop!(test);
}

#[test]
fn giving_way_lets_others_run_where_it_is_said() {
    async fn note<L: LocalLoop>(story: Rc<RefCell<String>>, name: char) {
        for _ in 0..4 {
            story.borrow_mut().push(name);
            let _yielded = L::yield_now().await;
        }
    }
    fn test<L: LocalLoop>() {
        let story = L::run(async {
            let story = Rc::new(RefCell::new(String::new()));
            let tasks = ['a', 'b', 'c'].map(|name| L::spawn(note::<L>(Rc::clone(&story), name)));
            for task in tasks {
                task.await;
            }
            story.take()
        });
        let story = story.unwrap();
        // tokio begins each round with who came last in the one before.
        let is_round = |three: &[u8]| "abc".bytes().all(|name| three.contains(&name));
        let in_turns = story.as_bytes().chunks(3).all(is_round);
        assert_eq!(in_turns, L::GIVES_WAY, "{}: {story}", L::NAME);
    }
    on_each_loop!(test);
}
