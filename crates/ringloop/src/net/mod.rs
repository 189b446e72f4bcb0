//! TCP. Counterpart: `std::net`.

mod addr;
mod listener;
mod stream;

pub use addr::ToSocketAddrs;
pub use listener::{Accept, TcpListener};
pub use stream::{ReadHalf, TcpStream, WriteHalf};
