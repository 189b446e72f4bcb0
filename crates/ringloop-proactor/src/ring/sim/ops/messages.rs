//! What a receive writes into the header of a message.

use std::mem::offset_of;

use crate::ring::sim::request::Request;

/// Tells who sent the message: of a stream, nobody.
pub(super) fn received(request: &mut Request, _name: &[u8]) {
    let Some(header) = request.args.message else {
        return;
    };
    let zero = 0_u32.to_ne_bytes().to_vec();
    let no_control = 0_usize.to_ne_bytes().to_vec();
    let at = |offset: usize| header + offset as u64;
    request
        .outputs
        .push((at(offset_of!(libc::msghdr, msg_namelen)), zero.clone()));
    request
        .outputs
        .push((at(offset_of!(libc::msghdr, msg_controllen)), no_control));
    request
        .outputs
        .push((at(offset_of!(libc::msghdr, msg_flags)), zero));
}
