//! Rooms, users, and what was said before they came: `cargo run --example chat_rooms`.
//!
//! The section "Chat Server" of the gevent tutorial, with users in memory in place of browsers. Each
//! user has a queue of what is to be shown, and each room a backlog of the last lines.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;

use ringloop::group;
use ringloop::group::{GroupError, TaskGroup};
use ringloop::sync::Queue;
use ringloop::testing::settle;

/// How many lines a room remembers.
const BACKLOG: usize = 3;

struct User {
    name: &'static str,
    lines: Queue<Rc<str>>,
}

impl User {
    /// Makes a user who reads from now on, until the lines are closed.
    fn arrive(g: &TaskGroup<io::Error>, name: &'static str) -> Rc<Self> {
        let user = Rc::new(Self {
            name,
            lines: Queue::unbounded(),
        });
        let reader = Rc::clone(&user);
        g.spawn(async move {
            while let Some(line) = reader.lines.next().await? {
                println!("[{name}] {line}");
            }
            println!("[{name}] bye");
            Ok(())
        });
        user
    }

    fn show(&self, line: &Rc<str>) {
        // Who has left reads no more.
        drop(self.lines.try_put(Rc::clone(line)));
    }
}

struct Room {
    name: &'static str,
    users: RefCell<BTreeMap<&'static str, Rc<User>>>,
    backlog: RefCell<VecDeque<Rc<str>>>,
}

impl Room {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            users: RefCell::default(),
            backlog: RefCell::default(),
        }
    }

    /// Lets a user in, who is shown what was said lately.
    fn subscribe(&self, user: &Rc<User>) {
        for line in &*self.backlog.borrow() {
            user.show(line);
        }
        self.users.borrow_mut().insert(user.name, Rc::clone(user));
    }

    /// Says something to all who are in the room.
    fn say(&self, user: &User, text: &str) {
        let line = Rc::from(format!("{} in {}: {text}", user.name, self.name));
        for listener in self.users.borrow().values() {
            listener.show(&line);
        }
        let mut backlog = self.backlog.borrow_mut();
        if backlog.len() == BACKLOG {
            backlog.pop_front();
        }
        backlog.push_back(line);
    }

    fn leave(&self, user: &User) {
        self.users.borrow_mut().remove(user.name);
    }
}

#[ringloop::main]
async fn main() -> Result<(), GroupError<io::Error>> {
    let [python, django] = ["python", "django"].map(Room::new);
    group(async |g| {
        let [ada, bob] = ["ada", "bob"].map(|name| User::arrive(g, name));
        python.subscribe(&ada);
        python.subscribe(&bob);
        django.subscribe(&bob);
        python.say(&ada, "hello");
        settle().await?;
        python.say(&bob, "hello ada");
        django.say(&bob, "anybody here?");
        settle().await?;
        for number in 1..=2 {
            python.say(&ada, &format!("news {number}"));
        }
        python.leave(&ada);
        ada.lines.close();
        settle().await?;
        // Too late for the first line.
        let eve = User::arrive(g, "eve");
        python.subscribe(&eve);
        settle().await?;
        python.say(&eve, "what did I miss?");
        for user in [bob, eve] {
            user.lines.close();
        }
        Ok(())
    })
    .await
}
