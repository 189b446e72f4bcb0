//! Connections, and workers for so many of them: `cargo run --example worker_pool`.
//!
//! The `SocketPool` of the gevent tutorial, with connections in memory. Who comes when all workers
//! are busy is turned away, and what is open at the end is told so.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::io;
use std::rc::Rc;

use ringloop::cancel::is_cancelled;
use ringloop::group;
use ringloop::group::{GroupError, Pool};
use ringloop::sync::Queue;
use ringloop::testing::settle;

type Connection = Rc<Queue<&'static str>>;

struct ConnectionPool {
    pool: Pool<io::Error>,
}

impl ConnectionPool {
    fn add(&self, name: &'static str) -> Option<Connection> {
        let connection = Connection::new(Queue::bounded(4));
        let work = listen(name, Rc::clone(&connection));
        if self.pool.try_spawn(work).is_err() {
            println!("{name}: at maximum pool size");
            return None;
        }
        Some(connection)
    }

    fn shut_down(&self) {
        self.pool.group().cancel("the pool is shut down");
    }
}

async fn listen(name: &str, connection: Connection) -> io::Result<()> {
    let received = async {
        while let Some(line) = connection.next().await? {
            println!("{name}: {line}");
        }
        Ok(())
    }
    .await;
    match &received {
        Err(error) if is_cancelled(error) => println!("{name}: closed, {error}"),
        Ok(()) | Err(_) => println!("{name}: hung up"),
    }
    received
}

#[ringloop::main]
async fn main() -> Result<(), GroupError<io::Error>> {
    group(async |g| {
        let pool = ConnectionPool {
            pool: Pool::new(g, 2),
        };
        let one = pool.add("one").expect("there is room");
        let two = pool.add("two").expect("there is room");
        assert!(pool.add("three").is_none());
        for line in ["hello", "bye"] {
            one.put(line).await?;
        }
        two.put("hello").await?;
        one.close();
        settle().await?;
        let four = pool.add("four").expect("there is room again");
        four.put("hello").await?;
        settle().await?;
        pool.shut_down();
        Ok(())
    })
    .await
}
