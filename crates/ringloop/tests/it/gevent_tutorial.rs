//! The examples of the gevent tutorial print what it prints.

use crate::examples::{check_prints, example};

#[track_caller]
fn check(name: &str, printed: &str) {
    check_prints(&mut example(name), &printed.lines().collect::<Vec<_>>());
}

/// Workers take the tasks in turns.
fn turns(workers: [&str; 3], tasks: impl Iterator<Item = u32>) -> String {
    tasks
        .map(|task| {
            let worker = workers[(task as usize - 1) % 3];
            format!("Worker {worker} got task {task}\n")
        })
        .collect()
}

#[test]
fn boss_worker() {
    let quitting = "Quitting time!\n".repeat(3);
    let mut printed = turns(["steve", "john", "nancy"], 1..25) + &quitting;
    let workers = ["steve", "john", "bob"];
    // Six were taken when the boss could put the ninth, and so on.
    printed += &turns(workers, 1..7);
    printed += "Assigned all work in iteration 1\n";
    printed += &turns(workers, 7..19);
    printed += "Assigned all work in iteration 2\n";
    printed += &turns(workers, 19..20);
    check("boss_worker", &(printed + &quitting));
}

#[test]
fn group_and_pool() {
    let words = "bar\nbar\nbar\nfoo\nfoo\nfoo\nfizz\nfizz\nfizz\n";
    let greetings: String = (0..3)
        .map(|n| format!("Size of group 3\nHello from task {n}\n"))
        .collect();
    let results = "\
Ordered
('task', 0)
('task', 1)
('task', 2)
Unordered
('task', 2)
('task', 1)
('task', 0)
Size of pool 2
Size of pool 2
Size of pool 1
";
    check("group_and_pool", &[words, &greetings, results].concat());
}

#[test]
fn bounded_semaphore() {
    let printed = "\
Worker 0 acquired semaphore
Worker 1 acquired semaphore
Worker 0 released semaphore
Worker 1 released semaphore
Worker 3 acquired semaphore
Worker 4 acquired semaphore
Worker 3 released semaphore
Worker 4 released semaphore
Worker 5 acquired semaphore
Worker 5 released semaphore
";
    check("bounded_semaphore", printed);
}

#[test]
fn event() {
    let mut printed = "A: Hey wait for me, I have to do something\n".to_owned();
    printed += &"I'll wait for you\n".repeat(5);
    printed += "Ok, I'm done\n";
    printed += &"It's about time\n".repeat(5);
    check("event", &(printed + "Hello!\n"));
}

#[test]
fn ping_pong() {
    check("ping_pong", "start\nping\npong\nping\npong\n");
}

#[test]
fn worker_pool() {
    let printed = "\
three: at maximum pool size
one: hello
one: bye
one: hung up
two: hello
four: hello
two: closed, cancelled: the pool is shut down
four: closed, cancelled: the pool is shut down
";
    check("worker_pool", printed);
}

#[test]
fn chat_rooms() {
    let printed = "\
[ada] ada in python: hello
[bob] ada in python: hello
[ada] bob in python: hello ada
[bob] bob in python: hello ada
[bob] bob in django: anybody here?
[ada] ada in python: news 1
[ada] ada in python: news 2
[ada] bye
[bob] ada in python: news 1
[bob] ada in python: news 2
[eve] bob in python: hello ada
[eve] ada in python: news 1
[eve] ada in python: news 2
[bob] eve in python: what did I miss?
[bob] bye
[eve] eve in python: what did I miss?
[eve] bye
";
    check("chat_rooms", printed);
}
