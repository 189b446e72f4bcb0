//! Tasks that begin and end together: `cargo run --example group`.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::io;
use std::time::Duration;

use ringloop::cancel::shield;
use ringloop::group::{GroupError, Pool};
use ringloop::{group, sleep};

#[ringloop::main]
async fn main() -> Result<(), GroupError<io::Error>> {
    // Whatever happens in a group, all of its tasks have ended when it is done.
    let total = group(async |g| {
        let soup = g.spawn(cook("soup", 30));
        let fish = g.spawn(cook("fish", 20));
        Ok(soup.await? + fish.await?)
    })
    .await?;
    println!("all done after {total} minutes of work");

    // The first failure cancels the others, which still clean up.
    let burnt = group(async |g| {
        drop(g.spawn(cook("cake", 50)));
        drop(g.spawn(async { burn().await }));
        Ok(())
    })
    .await;
    if let Err(error) = burnt {
        println!("dinner is off: {error}");
    }

    // Two stoves for five dishes, served in the order of the menu.
    group(async |g| {
        let stoves = Pool::new(g, 2);
        let mut dishes = stoves.map(1..=5, |course: u64| async move {
            let cooked = sleep(Duration::from_millis(10 * (6 - course))).await;
            cooked.map(|()| course)
        });
        while let Some(course) = dishes.next().await {
            println!("course {} is served", course??);
        }
        Ok(())
    })
    .await
}

async fn cook(dish: &'static str, minutes: u64) -> io::Result<u64> {
    let cooked = sleep(Duration::from_millis(minutes)).await;
    if let Err(cancelled) = cooked {
        shield(sleep(Duration::from_millis(5))).await?;
        println!("the {dish} is put away: {cancelled}");
        return Err(cancelled.into());
    }
    println!("the {dish} is ready");
    Ok(minutes)
}

async fn burn() -> io::Result<()> {
    sleep(Duration::from_millis(10)).await?;
    Err(io::Error::other("the sauce is burnt"))
}
