//! Many wait for one: `cargo run --example event`.
//!
//! The section "Events" of the gevent tutorial. An event wakes all who wait for it; a postbox brings
//! them a value, too, as `AsyncResult` does there.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::rc::Rc;
use std::time::Duration;

use ringloop::future::postbox;
use ringloop::group::GroupError;
use ringloop::sync::Event;
use ringloop::{Cancelled, group, sleep};

#[ringloop::main]
async fn main() -> Result<(), GroupError<Cancelled>> {
    let event = Rc::new(Event::new());
    group(async |g| {
        g.spawn(setter(Rc::clone(&event)));
        for _ in 0..5 {
            g.spawn(waiter(Rc::clone(&event)));
        }
        Ok(())
    })
    .await?;

    group(async |g| {
        let (setter, value) = postbox();
        g.spawn(async move {
            sleep(Duration::from_millis(30)).await?;
            setter.set("Hello!").expect("somebody waits");
            Ok(())
        });
        g.spawn(async move {
            println!("{}", value.await.expect("it is set"));
            Ok(())
        });
        Ok(())
    })
    .await
}

async fn setter(event: Rc<Event>) -> Result<(), Cancelled> {
    println!("A: Hey wait for me, I have to do something");
    sleep(Duration::from_millis(30)).await?;
    println!("Ok, I'm done");
    event.set();
    Ok(())
}

async fn waiter(event: Rc<Event>) -> Result<(), Cancelled> {
    println!("I'll wait for you");
    event.wait().await?;
    println!("It's about time");
    Ok(())
}
