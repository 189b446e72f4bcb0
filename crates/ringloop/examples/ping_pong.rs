//! Two actors and a ball: `cargo run --example ping_pong`.
//!
//! The section "Actors" of the gevent tutorial, whose game has no end.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::error::Error;

use ringloop::actor::{Actor, Address, Context, TellError, inbox};
use ringloop::spawn;

struct Player {
    says: &'static str,
    to: Address<&'static str>,
    strokes: u32,
}

impl Actor for Player {
    type Message = &'static str;
    type Error = TellError<&'static str>;

    async fn handle(
        &mut self,
        message: &'static str,
        context: &Context<&'static str>,
    ) -> Result<(), Self::Error> {
        println!("{message}");
        self.strokes -= 1;
        if self.strokes == 0 {
            context.stop();
            return Ok(());
        }
        self.to.tell(self.says).await
    }
}

#[ringloop::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (ping, ping_inbox) = inbox(1);
    let (pong, pong_inbox) = inbox(1);
    ping.tell("start").await?;
    let pinger = spawn(ping_inbox.run(Player {
        says: "ping",
        to: pong,
        strokes: 3,
    }));
    let ponger = spawn(pong_inbox.run(Player {
        says: "pong",
        to: ping,
        strokes: 3,
    }));
    // Who has played enough comes back, and with it goes the last address of the other.
    drop(pinger.await??);
    ponger.await??;
    Ok(())
}
