//! What the facade promises, on the kernel's ring.

#![expect(clippy::unwrap_used, reason = "a test says where it failed")]
#![expect(
    clippy::async_yields_async,
    reason = "jobs that leave their loop are tested"
)]

mod actor;
mod actor_faults;
mod bad_input;
mod budget;
mod cancel;
mod chance;
mod examples;
mod examples_net;
mod faults;
mod from_thread;
mod gevent_tutorial;
mod injection;
mod interop;
mod io_any_bytes;
mod io_buf_drop;
mod io_buf_stream;
mod io_bytes;
mod io_cancel;
mod io_copy;
mod io_duplex;
mod io_edges;
mod io_pieces;
mod io_read;
mod io_split;
mod io_until;
mod io_write;
mod jobs_end;
mod kernel;
mod load;
mod locks;
mod lossless;
mod macros;
mod net_edges;
mod net_flow;
mod net_hostile;
mod net_into_std;
mod net_ledger;
mod net_lossless;
mod net_send_file;
mod net_serve;
mod net_serve_edges;
mod net_serve_end;
mod net_serve_errors;
mod net_serve_storm;
mod net_tcp_connect;
mod net_tcp_halves;
mod net_tcp_options;
mod net_udp;
mod net_udp_offload;
mod net_unix;
mod net_unix_datagram;
mod net_unix_fds;
mod offload;
mod offload_map;
mod remote;
mod rig;
mod runtime;
mod sandbox;
#[path = "../../../ringloop-proactor/tests/it/sim/seeds.rs"]
mod seeds;
mod setup;
mod shared;
mod shutdown;
mod signal;
mod stall;
mod sync_budget;
mod sync_cancel;
mod sync_errors;
mod sync_threads;
mod sync_waits;
