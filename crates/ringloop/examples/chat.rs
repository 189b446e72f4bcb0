//! A chat server: `cargo run --example chat`, then `nc 127.0.0.1 7002`, as often as there are people.
//! It takes another address: `... chat -- 0.0.0.0:7002`. Ctrl-c stops it.
//!
//! The first line is one's name. `/join room` goes to another room, `/who` shows who is there, and
//! `/quit` leaves; all else is said to the room.
//!
//! A slow reader hurts nobody else. What is said never waits for who is told: each client has a
//! queue of 64 lines. While that is full it is shown nothing more, and when it reads on, it is told
//! how many lines it has missed. A line of more than 512 bytes, or one that is not UTF-8, ends its
//! connection.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use std::{fmt, io};

use ringloop::cancel::{is_cancelled, shield_for};
use ringloop::future::try_join;
use ringloop::io::{AsyncBufRead, AsyncWrite};
use ringloop::net::{self, TcpListener, TcpStream};
use ringloop::signal::CtrlC;
use ringloop::stream::Stream;
use ringloop::sync::Queue;

/// How many lines wait for a client that does not read.
const QUEUE: usize = 64;
const LINE_MAX: usize = 512;
const LOBBY: &str = "lobby";

#[ringloop::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7002".into());
    let Err(error) = run(&address).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("chat: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let mut ctrl_c = CtrlC::new()?;
    println!("chatting on {}; ctrl-c stops it", listener.local_addr()?);
    let chat = Chat::default();
    // The closure owns the chat, and each handler borrows it.
    let handler = async move |stream, _peer| chat.visit(stream).await;
    let server = net::serve(listener, handler).limit(10_000).spawn();
    ctrl_c.wait().await?;
    server.stop_accepting();
    server.close_clients();
    server.wait_closed().await?;
    println!("{} people were here", server.stats().accepted);
    Ok(())
}

struct Client {
    name: String,
    room: RefCell<String>,
    lines: Queue<Rc<str>>,
    missed: Cell<usize>,
}

impl Client {
    /// Puts a line into the queue, if there is room.
    fn tell(&self, line: &Rc<str>) {
        if self.lines.try_put(Rc::clone(line)).is_err() {
            self.missed.update(|count| count + 1);
        }
    }

    /// Writes what is in the queue, until it is closed.
    async fn show(&self, writer: &mut impl AsyncWrite) -> io::Result<()> {
        while let Some(line) = self.lines.next().await? {
            writer.write_all(line.as_bytes()).await?;
            let missed = self.missed.take();
            if missed > 0 {
                let note = format!("* you have missed {missed} lines\n");
                writer.write_all(note.as_bytes()).await?;
            }
        }
        writer.flush().await
    }
}

/// The clients by their names, by their rooms.
#[derive(Default)]
struct Chat {
    rooms: RefCell<BTreeMap<String, BTreeMap<String, Rc<Client>>>>,
}

impl Chat {
    async fn visit(&self, mut stream: TcpStream) -> io::Result<()> {
        let result = self.talk(&mut stream).await;
        if let Err(error) = &result
            && is_cancelled(error)
        {
            // The server is told to stop: waits would fail, but for those behind a shield.
            let goodbye = stream.write_all(b"* the server stops\n");
            drop(shield_for(Duration::from_millis(100), goodbye).await);
        }
        result
    }

    async fn talk(&self, stream: &mut TcpStream) -> io::Result<()> {
        let (reader, mut writer) = stream.split();
        let mut lines = reader.lines().with_limit(LINE_MAX);
        writer.write_all(b"* what is your name?\n").await?;
        let Some(name) = lines.try_next().await? else {
            return Ok(());
        };
        let Some(seat) = self.enter(name.trim()) else {
            return writer.write_all(b"* that is no name, or taken\n").await;
        };
        let client = Rc::clone(&seat.client);
        let listen = async {
            while let Some(line) = lines.try_next().await?
                && self.obey(&client, line.trim())
            {}
            client.lines.close();
            Ok(())
        };
        // Whichever fails, the other one is cancelled.
        try_join!(listen, client.show(&mut writer)).await?;
        Ok(())
    }

    /// Lets a client into the lobby, until the seat is dropped.
    fn enter(&self, name: &str) -> Option<Seat<'_>> {
        let is_taken = self
            .rooms
            .borrow()
            .values()
            .any(|room| room.contains_key(name));
        if is_taken || name.is_empty() || name.starts_with('/') {
            return None;
        }
        let client = Rc::new(Client {
            name: name.to_owned(),
            room: RefCell::new(String::new()),
            lines: Queue::bounded(QUEUE),
            missed: Cell::new(0),
        });
        self.join(&client, LOBBY);
        Some(Seat { chat: self, client })
    }

    /// Does what a line says. Returns whether there may be more.
    fn obey(&self, client: &Rc<Client>, line: &str) -> bool {
        let room = client.room.borrow().clone();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("/quit", _) => return false,
            ("/join", name) if !name.is_empty() => {
                self.leave(client);
                self.join(client, name);
            }
            ("/who", _) => {
                let rooms = self.rooms.borrow();
                let names = rooms.get(&room).into_iter().flat_map(BTreeMap::keys);
                let names: Vec<_> = names.map(String::as_str).collect();
                client.tell(&format!("* in {room}: {}\n", names.join(", ")).into());
            }
            (command, _) if command.starts_with('/') => {
                client.tell(&"* there are /join room, /who and /quit\n".into());
            }
            _ => self.say(&room, format_args!("{}: {line}", client.name)),
        }
        true
    }

    fn join(&self, client: &Rc<Client>, room: &str) {
        room.clone_into(&mut client.room.borrow_mut());
        let (name, member) = (client.name.clone(), Rc::clone(client));
        let mut rooms = self.rooms.borrow_mut();
        rooms
            .entry(room.to_owned())
            .or_default()
            .insert(name, member);
        drop(rooms);
        self.say(room, format_args!("* {} is in {room}", client.name));
    }

    fn leave(&self, client: &Client) {
        let room = client.room.borrow();
        let mut rooms = self.rooms.borrow_mut();
        if let Some(members) = rooms.get_mut(&*room) {
            members.remove(&client.name);
            if members.is_empty() {
                rooms.remove(&*room);
            }
        }
        drop(rooms);
        self.say(&room, format_args!("* {} has left {room}", client.name));
    }

    /// Tells a line to all in a room. It waits for nobody.
    fn say(&self, room: &str, text: fmt::Arguments<'_>) {
        let line = Rc::from(format!("{text}\n"));
        let rooms = self.rooms.borrow();
        for client in rooms.get(room).into_iter().flat_map(BTreeMap::values) {
            client.tell(&line);
        }
    }
}

/// A client's place in the chat, given up however its connection ends.
struct Seat<'a> {
    chat: &'a Chat,
    client: Rc<Client>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.chat.leave(&self.client);
    }
}
